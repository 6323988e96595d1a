"""What the studies of mitigations find, with models of which the truth is known."""

from types import SimpleNamespace

import numpy as np
import pytest

import byrote
from byrote.fits.request import Settings
from byrote.plans import IN, OUT
from byrote.studies.carrying import carry_out
from byrote.studies.mitigations import onion, text
from byrote.studies.mitigations.against import compared, told
from byrote.studies.mitigations.carrying import report_on
from byrote.studies.mitigations.chosen import choose
from byrote.studies.mitigations.declaration import NAMES
from byrote.studies.mitigations.peeling import Round, replications
from tiny_mitigations import tiny


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Both studies at tiny size."""
    found = {}
    for name in NAMES:
        chosen, out = choose(tiny(name)), tmp_path_factory.mktemp(name)
        loaded, settings = chosen.load(), Settings()
        requests = chosen.requests(loaded, settings)
        assert list(carry_out(requests, out)) == list(requests)
        found[name] = report_on(chosen, loaded, requests, out, settings)
    return found


HOLDS = {  # titles of tables, figures, and words of the remarks
    "mitigations": (
        3,
        {"memorization-quantiles", "mitigations-pareto"},
        (
            "of 5 %: with so few fits no p-value can be small enough. Means",
            "plain, other seeds: the same training again, and",
            "memorization, on average over the probes, is told from 0.",
            "Memorizes less than what it is compared with: wide.",
            "On the Pareto frontier",
            "validated: the best epoch of a fit was 1 of 2.",
            "private: promises nothing: no noise.",
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
    said = " ".join(text.page_of(report).remarks)
    for word in words:
        assert word in said
    for _, (head, *rows) in (*report.findings.tables, ("", text.runs(report))):
        assert rows
        assert {len(row) for row in rows} == {len(head)}
    page = text.markdown(report, ["figures/a.png"])
    assert "![figures/a.png](figures/a.png)" in page
    data = text.to_json(report)
    assert [one["name"] for one in data["configurations"]] == [c.name for c in report.carried]


def test_a_wide_kernel_memorizes_less_and_predicts_as_the_numbers_say(reports):
    carried = {one.name: one for one in reports["mitigations"].carried}
    pairs = {pair.one.name: pair for pair in compared(list(carried.values()))}
    assert set(pairs) == {"again", "wide", "validated", "dp", "pruned"}
    wide, plain = carried["wide"], carried["plain"]
    roles = wide.audit.table.roles()
    apart = wide.audit.table.log_prob - plain.audit.table.log_prob
    inside = np.nanmean(np.where(roles == IN, apart, np.nan), axis=0)
    outside = np.nanmean(np.where(roles == OUT, apart, np.nan), axis=0)
    assert pairs["wide"].memorization[0] == pytest.approx((inside - outside).mean())
    assert pairs["wide"].held_out[0] == pytest.approx(outside.mean())
    assert told(pairs["wide"].memorization) == -1
    assert pairs["wide"].paired
    assert pairs["dp"].memorization == (0, 0, 0)  # the same fits: it only says more
    assert not pairs["again"].paired
    assert not pairs["pruned"].paired
    assert pairs["pruned"].base.name == "again"
    assert pairs["pruned"].records == 27


def test_scores_and_attacks_are_those_of_the_run(reports):
    for one in reports["mitigations"].carried:
        alone = one.run.memorization()
        assert one.quantile(one.audit.ids, 0.95) == pytest.approx(np.nanquantile(alone.score, 0.95))
        assert one.audit.memorization.value == pytest.approx(np.nanmean(alone.mean_log))
        table = one.audit.table
        by_hand = byrote.infer_membership(table.log_prob, table.roles() == IN, attack="loss")
        assert one.attacked("loss").auc == by_hand.auc
    found = reports["mitigations"].findings.data["audits"]
    assert [one["epsilon"] for one in found if one["name"] == "dp"] == [np.inf]
    assert [one["epsilon"] for one in found if one["name"] == "plain"] == [None]


def test_both_ways_of_pruning_are_compared_on_the_same_records(reports):
    found = replications(reports["onion"].carried)
    assert len(found) == 2
    for one in found:
        assert (len(one.pruned), len(one.random), len(one.rounds)) == (2, 2, 2)
        first = one.first.run.memorization()
        probes = first.ids[~np.isnan(first.score)]
        top = first.ids[first.order()[:3]]
        assert one.threshold == np.sort(first.score[~np.isnan(first.score)])[-3]
        for place, (pruned, random) in enumerate(zip(one.pruned, one.random, strict=True)):
            ours, theirs = (c.run.memorization() for c in (pruned, random))
            assert set(pruned.audit.ids) & set(top) == set()
            assert len(pruned.audit.ids) == len(random.audit.ids) == [27, 24][place]
            both = set(pruned.audit.ids) & set(random.audit.ids)
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
    "open": (((0.1, 0.5), (0.5, 0.1)), "not told apart in round 1"),
    "none": (((0.0, 0.0), (0.0, 0.0)), "none in round 1"),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_verdicts_go_as_far_as_intervals(case):
    shares, words = VERDICTS[case]
    found = [made_up((share, share, share)) for share in shares]
    for name in ("above", "significant"):
        assert onion._verdict(found, 1, name, "x").endswith(f"control: {words}.")
    if case == "fewer":
        said = onion._verdict(found, 1, "memorization", "x")
        assert said.endswith("control: less in round 1.")


def test_a_study_without_its_later_rounds_says_so(reports):
    carried = reports["onion"].carried
    some = [one for one in carried if "-2" not in one.name.removeprefix("1").removeprefix("2")]
    assert {len(one.rounds) for one in replications(some)} == {1}
    assert not onion.findings([one for one in carried if "random" not in one.name]).tables
