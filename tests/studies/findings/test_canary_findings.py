"""What the studies of exposure find, against courses and ranks made up by hand."""

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from byrote import compare
from byrote.models.language.char_lstm.windows import Cut, join_texts
from byrote.report.format import with_interval
from byrote.runs.job import job_of
from byrote.runs.kinds.canaries import TextContent
from byrote.runs.request import Request, Settings
from byrote.scores.exposure.levels import by_insertions
from byrote.scores.exposure.trajectory import ExposureOverTraining
from byrote.studies import page, what_was_run
from byrote.studies.execute import execute
from byrote.studies.findings import extraction, skew_normal
from byrote.studies.findings.finding import as_data, mean_of, numbers
from byrote.studies.findings.over_training import peaks, turns
from byrote.studies.findings.read_effect import batches_read, changes
from byrote.studies.findings.skew_normal import Estimators, all_estimators, compare_with_exact
from byrote.studies.kinds import FORMS
from byrote.studies.requests import load_data
from byrote.studies.study import at_scale
from tiny_studies import tiny

NAMES = [name for name, form in FORMS.items() if form.kind == "exposure"]
estimators_of = cache(all_estimators)


def course(bits, test_loss, inserted=None, fit=None, p_value=1e-9):
    bits = np.array(bits, dtype=float)
    n, steps = bits.shape
    return ExposureOverTraining(
        ids=np.arange(n),
        fit=np.zeros(n, dtype=int) if fit is None else np.array(fit),
        inserted=np.full(n, 4) if inserted is None else np.array(inserted),
        role=np.full(n, "canary"),
        pattern=np.zeros(n, dtype=int),
        unit="epoch",
        steps=np.arange(1, steps + 1),
        bits=bits,
        low=bits,
        high=bits,
        saturated=np.zeros(bits.shape, dtype=bool),
        p_value=np.full(bits.shape, p_value),
        maximum=np.full(n, 29.9),
        loss_steps=np.arange(1, steps + 1),
        train_loss=np.array(test_loss, dtype=float),
        test_loss=np.array(test_loss, dtype=float),
        tracking_seconds=np.ones(len(test_loss)),
        seconds=np.full(len(test_loss), 10.0),
    )


EARLY = [[1, 8, 7, 6, 5]] * 4
LATE = [[1, 2, 3, 4, 9]] * 4
MIXED = [[1, 9, 2, 1, 1], [1, 2, 3, 4, 9], [9, 1, 1, 1, 1], [1, 1, 9, 1, 1]]
ORDERS = {
    "before": (EARLY, [[3, 2, 1, 2, 3]], 2, "before"),
    "after": (LATE, [[3, 1, 2, 2, 3]], 5, "after"),
    "open": (MIXED, [[3, 2, 1, 2, 3]], 3, "open"),
    "at": (EARLY, [[2, 1, 2, 2, 3]], 2, "open"),
    "no test": (EARLY, [[np.nan] * 5], 2, ""),
}


@pytest.mark.parametrize("case", ORDERS)
def test_the_peak_is_before_at_or_after_the_turn(case):
    bits, loss, step, order = ORDERS[case]
    (peak,) = peaks(course(bits, loss))
    assert (peak.step, peak.order, peak.canaries) == (step, order, 4)
    assert peak.highest == np.mean(bits, axis=0).max()
    assert peak.step_interval[0] <= step <= peak.step_interval[1]


def test_each_fit_has_its_own_turn():
    found = course(
        [[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 2, 3], [3, 2, 1]], fit=[0, 0, 1], inserted=[4] * 3
    )
    assert turns(found) == (1, 3)
    (peak,) = peaks(found)
    assert peak.at_turn.value == np.mean([1, 4, 9])
    assert peak.after_turn.value == np.mean([2, 2, 0])
    assert peak.at_end.value == np.mean([3, 6, 9])


def test_levels_are_apart_and_unknown_exposures_are_left_out():
    found = course([[1, np.nan, 3], [1, 9, 3], [5, 1, 1]], [[3, 2, 1]], inserted=[4, 4, 0])
    never, four = peaks(found)
    assert (never.inserted, never.step, never.highest) == (0, 1, 5)
    assert (four.inserted, four.step, four.highest) == (4, 2, 9)


def test_a_mean_has_students_interval():
    values = [1.0, 2.0, 4.0, 7.0]
    expected = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert numbers(mean_of([*values, np.nan])) == pytest.approx((3.5, *expected))
    assert np.isnan(numbers(mean_of([]))).all()


def test_a_secret_in_several_fits_is_one_draw():
    bits = np.random.default_rng(0).normal(5, 2, size=(6, 4))
    once = course(bits, [[3, 2, 1, 2]])
    thrice = course(np.tile(bits, (3, 1)), [[3, 2, 1, 2]] * 3, fit=np.repeat([0, 1, 2], 6))
    thrice = replace(thrice, ids=np.tile(np.arange(6), 3))
    first, repeated = (as_data(peaks(found)[0]) for found in (once, thrice))
    for name in ("highest", "step", "step_interval", "at_turn", "at_end", "after_turn"):
        assert first[name] == pytest.approx(repeated[name])
    end = bits[:, -1]
    student = stats.t.interval(0.95, 5, end.mean(), stats.sem(end))
    assert repeated["at_end"] == pytest.approx((end.mean(), *student))


def test_changes_when_a_canary_is_read_and_afterwards():
    steps = np.arange(5, 35, 5)  # three epochs of ten batches, measured every five
    bits = np.array([1.0, 1.0, 6.0, 4.0, 9.0, 8.0])
    read = np.array([3])  # the third batch: measured at 5, 15, 25
    spike, decay = changes(steps, bits, read, np.array([10, 20]), 10)
    assert spike == np.mean([6.0 - 1.0, 9.0 - 4.0])
    assert decay == np.mean([4.0 - 6.0, 8.0 - 9.0])
    assert np.isnan(changes(steps, bits, np.array([]), np.array([10]), 10)).all()


def test_agreement_with_the_exact_exposure():
    nothing = np.zeros(4, dtype=bool)

    def exposure(bits, low, high, saturated=nothing):
        return SimpleNamespace(
            bits=np.array(bits), low=np.array(low), high=np.array(high), saturated=saturated
        )

    exact = exposure([1.0, 5, 20, np.nan], [1.0, 5, 20, 0], [1.0, 5, 20, 29])
    other = exposure(
        [1.5, 4.0, 10.0, 3.0],
        [0.5, 4.5, 9.0, 1.0],
        [2.5, 4.7, 30.0, 5.0],
        np.array([False, False, True, False]),
    )
    both = Estimators(None, None, None, None, None, {"exact": exact, "other": other})
    found = compare_with_exact(both, "other")
    assert (found.known, found.saturated, found.canaries, found.compared) == (4, 1, 4, 2)
    assert (found.mean, found.worst, found.covered) == (0.75, 1.0, 1)


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Every study at tiny size."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extraction, "QUERIES", 100)
        patch.setattr(skew_normal, "QUERIES", 100)
        patch.setattr(skew_normal, "all_estimators", estimators_of)
        patch.setattr(Request, "preflight", lambda *_: None)  # a third of the training
        for name in NAMES:
            data, settings = load_data(at_scale(tiny(name))), Settings()
            out, announced = tmp_path_factory.mktemp(name), []
            runs = execute(data, settings, out, announce=announced.append)
            assert announced == [run.name for run in data.scaled.runs]
            found[name] = page.report_on(data, runs, settings, out)
    return found


HOLDS = {  # titles of tables, figures, and words of the remarks
    "exposure-over-training": (
        2,
        {"exposure-by-epoch", "exposure-by-batch"},
        ("The test loss is lowest at", "measurements took", "changes by"),
    ),
    "exposure-by-insertions": (
        3,
        {f"{what}-{of}" for what in ("exposure", "completion") for of in ("number-9", "card-16")},
        ("the search", "compete", "its training text"),
    ),
    "dp-exposure": (
        3,
        {"exposure-by-epsilon"},
        (
            "canaries inserted 16 times have p below 0.01",
            "vacuous",
            "compared with without",
        ),
    ),
    "exposure-pareto": (1, {"exposure-pareto"}, ("On the Pareto frontier", "most useful")),
    "skew-normal-fit": (
        5,
        {"estimators-model-1", "estimators-model-2", "skew-normal-model-1-references"},
        ("exact exposures of", "Skew-normal fit of 1,000 references", "model_sampled"),
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_each_study_finds_what_it_must(reports, name):
    report, (tables, figures, words) = reports[name], HOLDS[name]
    assert report.complete
    assert len(report.findings.tables) == tables
    assert set(report.findings.figures) >= figures
    said = " ".join(page.remarks(report))
    assert all(word in said for word in (*words, "Controls, never inserted"))
    text = page.markdown(report, ["figures/a.png"])
    for title in (
        *(title for title, _ in report.findings.tables),
        *report.data.scaled.study.published,
    ):
        assert title.split(":")[0].replace("_", r"\_") in text
    assert "![figures/a.png](figures/a.png)" in text
    assert not any(run.records.completions[0] in text for run in report.runs)


def test_the_mean_of_a_level_is_that_of_the_run(reports):
    """Over secrets, by show, compare and study alike, though each is in both fits."""
    tables = []
    for name in ("exposure-by-insertions", "dp-exposure", "exposure-pareto"):
        runs = reports[name].runs
        for run in runs:
            exposures = run.exposures
            assert len(np.unique(exposures.exposure.ids)) < len(exposures)
            for level in by_insertions(exposures.exposure, exposures.inserted):
                mean = run.mean_exposure(np.flatnonzero(exposures.inserted == level.insertions))
                expected = [level.mean, level.low, level.high]
                assert numbers(mean) == pytest.approx(expected, nan_ok=True)
                assert bool(mean.bound) == (level.saturated > 0)
                tables.append(with_interval(mean))
        if name != "exposure-by-insertions":  # whose runs are of different canaries
            compared = compare([run.run for run in runs]).runs
            for run, side in zip(runs, compared, strict=True):
                own = by_insertions(run.exposures.exposure, run.exposures.inserted)
                for level, other in zip(own, side.levels, strict=True):
                    assert other.to_dict() == pytest.approx(level.to_dict(), nan_ok=True)
    printed = {
        cell
        for name in ("exposure-by-insertions", "dp-exposure")
        for _, rows in reports[name].findings.tables
        for row in rows
        for cell in row
    }
    assert len(printed & set(tables)) >= 6


def test_a_mean_of_controls_with_lower_bounds_is_one(reports):
    _, run = reports["exposure-over-training"].runs
    controls = np.flatnonzero(run.exposures.inserted == 0)
    assert run.exposures.exposure.saturated[controls].any()
    head, _, row = what_was_run.run_table(reports["exposure-over-training"].data, [run, run])
    assert row[head.index("mean of controls")].startswith("≥ ")


def test_every_table_has_a_cell_for_each_title(reports):
    for report in reports.values():
        for _, (head, *rows) in report.findings.tables:
            assert rows
            assert {len(row) for row in rows} == {len(head)}


def test_canaries_are_read_in_the_batches_that_hold_their_ends(reports):
    _, one = reports["exposure-over-training"].runs
    model = one.request.model
    job = job_of(one.run.design, 1, 0)
    texts = TextContent(one.records.x).training(model, job)
    written = join_texts(texts)
    windows = [
        set(targets.flatten().tolist())
        for _, targets in Cut(model.batch_size, model.window).read(np.arange(len(written)))
    ]
    times, read = one.run.design.included(1), batches_read(one, 1)
    assert len(windows) == model.batches(texts)
    for row, batches in enumerate(read):
        secret = one.records.completions[row]
        ends = [k + 8 for k in range(len(written)) if written.startswith(secret, k)]
        assert len(ends) == times[row]
        holding = [k for k, window in enumerate(windows, start=1) if window & set(ends)]
        assert batches.tolist() == holding


def test_the_frontier_is_what_nothing_dominates(reports):
    found = reports["exposure-pareto"].findings.data["configurations"]
    points = [(one["perplexity"][0], one["exposure"][0]) for one in found]
    for one, (x, y) in zip(found, points, strict=True):
        dominated = any(a <= x and b <= y and (a, b) != (x, y) for a, b in points)
        assert one["frontier"] == (not dominated)


def test_the_whole_space_is_exact(reports):
    (one,) = reports["skew-normal-fit"].runs
    small = estimators_of(one)[1]
    rank = (small.space <= small.exact.log_perplexity[:, None]).sum(axis=1)
    assert small.exact.bits == pytest.approx(np.log2(10_000) - np.log2(rank))


def test_reports_are_data(reports):
    for name, report in reports.items():
        data = page.to_json(report)
        assert data["study"] == name
        assert [run["name"] for run in data["configurations"]] == [run.name for run in report.runs]
    assert set(reports) == set(NAMES)
