"""What a report says at the published setting, and of names that are not plain text."""

import io
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console
from sklearn.neighbors import KernelDensity

import byrote
from byrote.report.format import number
from byrote.runs.request import Settings
from byrote.scores.memorization.top_records import central_share
from byrote.studies import page, what_was_run
from byrote.studies.execute import StudyRun
from byrote.studies.findings.published_scores import departures_of
from byrote.studies.kinds import load_study
from byrote.studies.requests import StudyImages
from byrote.studies.study import at_scale

SOURCE = "a|b`c\n\x1b[2J.npy"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report on a run of 30 images, for a study that has as many in the paper."""
    study = load_study("celeba")
    images = study.images.model_copy(update={"records": 30})
    scaled = at_scale(study.model_copy(update={"images": images}), "paper")
    x = np.random.default_rng(0).integers(0, 256, (30, 4, 4), dtype=np.uint8)
    records = byrote.Records(x, source=SOURCE)
    plan, folder = byrote.KFold(3, repeats=2), tmp_path_factory.mktemp("page") / "run"
    byrote.score_memorization(KernelDensity(), records, plan=plan, out=folder)
    run = StudyRun(scaled, scaled.runs[0], None, byrote.open_run(folder))
    commands = {"command": "byrote study", "score_command": "byrote score"}
    return page.report_on(StudyImages(scaled, records), [run], Settings(), folder, **commands)


def test_at_the_published_setting_the_figures_are_called_comparable(report):
    said = " ".join(report.findings.remarks)
    assert said.startswith("The published setting and number of records.")
    assert "orientation only" not in said
    written = page.markdown(report)
    assert "| highest | about 6,500 |" in written
    assert "log P | more than half |" in written
    assert page.to_json(report)["departures"] == {}


def test_names_stay_within_their_cell(report):
    written = page.markdown(report)
    assert "\x1b" not in written
    assert r"a\|b\`c\\n\\x1b\[2J.npy: 30 records of shape 4 x 4 |" in written
    tables = [line for line in written.splitlines() if line.startswith("|")]
    assert {line.replace(r"\|", "").count("|") for line in tables} == {3, 4, 6}


def test_seconds_are_those_in_the_files_of_the_fits(report):
    import json

    import pyarrow.parquet as pq

    paths = sorted((report.runs[0].run.path / "fits").iterdir())
    facts = [json.loads(pq.read_schema(path).metadata[b"byrote"]) for path in paths]
    assert report.findings.data["seconds"] == [fact["seconds"] for fact in facts]
    assert len(facts) == 6


def test_the_central_share_by_counting():
    log_prob = np.arange(101.0)  # the 5th percentile is 5, the 95th is 95
    high = np.zeros(101, dtype=bool)
    high[[0, 4, 5, 50, 95, 96]] = True
    assert central_share(high, log_prob) == 3 / 6
    assert central_share(high, -log_prob) == 3 / 6
    beyond = np.append(log_prob, [-np.inf, np.nan])  # left out
    assert central_share(np.append(high, [True, True]), beyond) == 3 / 6
    assert np.isnan(central_share(np.zeros(101, dtype=bool), log_prob))
    assert central_share(high, log_prob, central=0.02) == 1 / 6


def test_the_command_of_the_run_is_on_the_screen(report):
    console = Console(file=io.StringIO(), width=100)
    console.print(page.render(replace(report, score_command="byrote score x --seed 3")))
    shown = console.file.getvalue()
    assert "The same run without the report:\nbyrote score x --seed 3" in shown


@pytest.mark.parametrize(("count", "words"), [(1, "1 repeat"), (2, "2 repeats")])
def test_one_repeat_is_one(report, count, words):
    run = report.runs[0]
    run = replace(run, declared=run.declared.model_copy(update={"repeats": count}))
    assert dict(what_was_run.facts(report.data, [run]))["plan"].endswith(f" folds, {words}")


def test_departures_are_from_the_paper_whatever_the_scale():
    def departures(scale, records, **asked):
        scaled = at_scale(load_study("mnist-1e-3"), scale, **asked)
        run = SimpleNamespace(scaled=scaled, declared=scaled.runs[0], memorization=range(records))
        return departures_of(run)

    assert departures("paper", 60_000, epochs=20) == {"epochs": (20, 100)}
    assert departures("paper", 60_000) == {}
    small = departures("small", 10_000)
    assert small["records"] == (10_000, 60_000)
    assert small["redraw"] == (False, True)


def test_the_table_of_neighbours_has_what_the_screen_has(report):
    x = np.random.default_rng(0).integers(0, 256, (30, 4, 4), dtype=np.uint8)
    fresh, samples = np.random.default_rng(1).integers(0, 256, (2, 30, 4, 4), dtype=np.uint8)
    found = byrote.neighbors.compare_neighbors(report.runs[0].memorization, x, fresh, samples)
    written = page.markdown(replace(report, neighbors=found))
    line = next(line for line in written.splitlines() if line.startswith("| mean of rho"))
    for end in (*found.mean_ratio.interval, found.mean_ratio.p_value):
        assert number(end) in line
    assert "C\\_T depends on distances only" in written
