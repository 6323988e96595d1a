"""What the studies of mitigations find, with models of which the truth is known."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

import byrote
from byrote.plans import IN, OUT
from byrote.runs.request import Settings
from byrote.scores.compare.compare import score_change
from byrote.studies import page, what_was_run
from byrote.studies.execute import execute
from byrote.studies.findings import mitigations, onion
from byrote.studies.findings.audits import contrasts, membership, memorization, score_quantile
from byrote.studies.findings.finding import numbers
from byrote.studies.findings.onion import Round, replications
from byrote.studies.requests import load_data
from byrote.studies.study import at_scale
from tiny_mitigations import tiny

NAMES = ("mitigations", "onion")


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Both studies at tiny size."""
    found = {}
    for name in NAMES:
        data, settings, announced = load_data(at_scale(tiny(name))), Settings(), []
        out = tmp_path_factory.mktemp(name)
        runs = execute(data, settings, out, announce=announced.append)
        assert announced == [run.name for run in data.scaled.runs]
        found[name] = page.report_on(data, runs, settings, out)
    return found


HOLDS = {  # titles of tables, figures, and words of the remarks
    "mitigations": (
        3,
        {"memorization-quantiles", "mitigations-pareto"},
        (
            "Audits with records memorized at a false discovery rate of 5 %: plain (",
            "plain, other seeds: the same training again, ",
            "Mean memorization over the probes is significantly above 0 in every audit.",
            "Memorizes significantly less than its baseline: wide.",
            "On the Pareto frontier",
            "validated: the best epoch of a fit was 1 of 2.",
            "private: vacuous: no noise.",
        ),
    ),
    "onion": (2, {"onion"}, ("The first audits find", "over 2 replications")),
}


@pytest.mark.parametrize("name", NAMES)
def test_each_study_finds_what_it_must(reports, name):
    report, (tables, figures, words) = reports[name], HOLDS[name]
    assert report.complete
    assert len(report.findings.tables) == tables
    assert set(report.findings.figures) == figures
    said = " ".join(page.remarks(report))
    for word in words:
        assert word in said
    for _, (head, *rows) in (
        *report.findings.tables,
        ("", what_was_run.run_table(report.data, report.runs)),
    ):
        assert rows
        assert {len(row) for row in rows} == {len(head)}
    assert "![figures/a.png](figures/a.png)" in page.markdown(report, ["figures/a.png"])
    data = page.to_json(report)
    assert [run["name"] for run in data["configurations"]] == [run.name for run in report.runs]


def test_a_wide_kernel_memorizes_less_and_predicts_as_the_numbers_say(reports):
    runs = {run.name: run for run in reports["mitigations"].runs}
    pairs = {pair.run.name: pair for pair in contrasts(list(runs.values()))}
    assert set(pairs) == {"again", "wide", "validated", "dp", "pruned"}
    wide, plain = (runs[name].run.table() for name in ("wide", "plain"))
    roles, apart = wide.roles(), wide.log_prob - plain.log_prob
    inside = np.nanmean(np.where(roles == IN, apart, np.nan), axis=0)
    outside = np.nanmean(np.where(roles == OUT, apart, np.nan), axis=0)
    assert pairs["wide"].memorization.value == pytest.approx((inside - outside).mean())
    assert pairs["wide"].held_out.value == pytest.approx(outside.mean())
    assert pairs["wide"].memorization.sign == -1
    assert pairs["wide"].change.paired
    assert numbers(pairs["dp"].memorization) == [0, 0, 0]  # the same fits: it only says more
    assert not pairs["again"].change.paired
    assert not pairs["pruned"].change.paired
    assert pairs["pruned"].baseline.name == "again"
    assert len(pairs["pruned"].change.ids) == 27


def test_intervals_hold_for_all_contrasts_together(reports):
    """One of five at 99 % is as wide as that of compare at 99 %, and wider than at 95 %."""
    runs = {run.name: run for run in reports["mitigations"].runs}
    (pair,) = (pair for pair in contrasts(list(runs.values())) if pair.run.name == "wide")
    plain, wide = runs["plain"].run, runs["wide"].run
    alone = byrote.compare([plain, wide], match="ids").changes[0]
    half, expected = stats.t.ppf([0.995, 0.975], [pair.run.run.design.fits - 2] * 2)
    mean, joint = alone.mean["mean_log"], pair.memorization
    assert joint.value == mean.value
    assert (joint.high - joint.low) / (mean.high - mean.low) == pytest.approx(half / expected)
    assert numbers(score_change(plain, wide).held_out) == numbers(alone.held_out)


def test_scores_and_attacks_are_those_of_the_run(reports):
    for run in reports["mitigations"].runs:
        alone, table = run.run.memorization(), run.run.table()
        high = score_quantile(run, run.probe_ids(), 0.95)
        assert high == pytest.approx(np.nanquantile(alone.score, 0.95))
        assert memorization(run).value == pytest.approx(np.nanmean(alone.mean_log))
        by_hand = byrote.privacy.infer_membership(
            table.log_prob, table.roles() == IN, attack="loss"
        )
        assert membership(run, "loss").auc == by_hand.auc
    audits = reports["mitigations"].findings.data["audits"]
    assert [audit["epsilon"] for audit in audits if audit["name"] == "dp"] == [np.inf]
    assert [audit["epsilon"] for audit in audits if audit["name"] == "plain"] == [None]


def test_both_ways_of_pruning_are_compared_on_the_same_records(reports):
    found = replications(reports["onion"].runs)
    assert len(found) == 2
    for one in found:
        assert (len(one.pruned), len(one.random), len(one.rounds)) == (2, 2, 2)
        first = one.first.run.memorization()
        probes = first.ids[~np.isnan(first.score)]
        top = first.ids[first.order()[:3]]
        assert one.threshold == np.sort(first.score[~np.isnan(first.score)])[-3]
        for place, (pruned, random) in enumerate(zip(one.pruned, one.random, strict=True)):
            ours, theirs = (c.run.memorization() for c in (pruned, random))
            assert set(pruned.probe_ids()) & set(top) == set()
            assert len(pruned.probe_ids()) == len(random.probe_ids()) == [27, 24][place]
            both = set(pruned.probe_ids()) & set(random.probe_ids())
            both -= set(top) | set(first.ids[first.q_value <= 0.05])
            assert both <= set(probes)
            assert one.rounds[place].records == len(both)
            for side, result in enumerate((ours, theirs)):
                rows = np.isin(result.ids, list(both))
                share = (result.score[rows] >= one.threshold).mean()
                assert one.rounds[place].above[side] == pytest.approx(share)
                mean = result.mean_log[rows].mean()
                assert one.rounds[place].memorization[side] == pytest.approx(mean)


def made_up(*rounds):
    """A replication of one round with made-up shares."""
    return SimpleNamespace(rounds=[Round(100, *each) for each in rounds])


VERDICTS = {  # shares of two replications in one round, pruned and control; what is said
    "more": (((0.5, 0.1), (0.51, 0.1)), "more in round 1"),
    "fewer": (((0.1, 0.5), (0.1, 0.51)), "fewer in round 1"),
    "open": (((0.1, 0.5), (0.5, 0.1)), "not different in round 1"),
    "none": (((0.0, 0.0), (0.0, 0.0)), "none in round 1"),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_verdicts_go_as_far_as_intervals(case):
    shares, words = VERDICTS[case]
    found = [made_up((share, share, share)) for share in shares]
    for name in ("above", "significant"):
        assert onion.verdict(found, 1, name, "x").endswith(f"control: {words}.")
    if case == "fewer":
        said = onion.verdict(found, 1, "memorization", "x")
        assert said.endswith("control: less in round 1.")


def test_a_study_without_its_later_rounds_says_so(reports):
    runs = reports["onion"].runs
    some = [one for one in runs if "-2" not in one.name.removeprefix("1").removeprefix("2")]
    assert {len(one.rounds) for one in replications(some)} == {1}
    assert not onion.onion([one for one in runs if "random" not in one.name]).tables


@pytest.mark.parametrize(
    ("detectable", "words"),
    [
        (13.0, "a single record that rises by 13.0 nats is found with 80 % power"),
        (np.inf, "no single record could be found with so few fits"),
        (np.nan, "the smallest possible p-value is 0.002"),
    ],
)
def test_audits_that_find_no_record_say_what_they_could_find(detectable, words):
    sensitivity = SimpleNamespace(detectable=detectable)
    summary = SimpleNamespace(sensitivity=sensitivity, smallest_p=0.002)
    run = SimpleNamespace(
        significant=0, title="plain", memorization=SimpleNamespace(summary=lambda: summary)
    )
    assert f"5 %; in plain, {words}. Means" in mitigations._significant([run])
