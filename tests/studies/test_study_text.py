"""What a report says at the published setting, and of names that are no plain text."""

import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from sklearn.neighbors import KernelDensity

import byrote
from byrote.report.format import number
from byrote.scores.highly import central_share
from byrote.studies import text
from byrote.studies.chosen import choose
from byrote.studies.declaration import load_study
from byrote.studies.report import report_on

SOURCE = "a|b`c\n\x1b[2J.npy"


@pytest.fixture
def reported(tmp_path):
    """A report on a run of 30 images, for a study that has as many in the paper."""
    study = load_study("celeba")
    data = study.data.model_copy(update={"records": 30})
    chosen = choose(study.model_copy(update={"data": data}), "paper")
    x = np.random.default_rng(0).integers(0, 256, (30, 4, 4), dtype=np.uint8)
    records = byrote.Records(x, source=SOURCE)
    plan, run = byrote.KFold(3, repeats=2), tmp_path / "run"
    result = byrote.score_memorization(KernelDensity(), records, plan=plan, store=run)
    opened = byrote.open_run(run)
    return report_on(chosen, opened, result, command="byrote study", score_command="byrote score")


def test_at_the_published_setting_the_figures_are_called_comparable(reported):
    said = " ".join(text.remarks(reported))
    assert said.startswith("The published setting and number of records.")
    assert "orientation only" not in said
    written = text.markdown(reported)
    assert "| highest | about 6,500 |" in written
    assert "log P | more than half |" in written
    assert text.to_json(reported)["departures"] == {}


def test_names_stay_within_their_cell(reported):
    written = text.markdown(reported)
    assert "\x1b" not in written
    assert r"a\|b\`c\\n\\x1b\[2J.npy: 30 records of shape 4 x 4 |" in written
    tables = [line for line in written.splitlines() if line.startswith("|")]
    assert {line.replace(r"\|", "").count("|") for line in tables} == {3, 4, 6}


def test_seconds_are_those_in_the_files_of_the_fits(reported, tmp_path):
    import json

    import pyarrow.parquet as pq

    paths = sorted((tmp_path / "run" / "fits").iterdir())
    facts = [json.loads(pq.read_schema(path).metadata[b"byrote"]) for path in paths]
    assert reported.seconds.tolist() == [fact["seconds"] for fact in facts]
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


def test_the_command_of_the_run_is_on_the_screen(reported):
    console = Console(file=io.StringIO(), width=100)
    console.print(text.render(replace(reported, score_command="byrote score x --seed 3")))
    shown = console.file.getvalue()
    assert "The same run without the report:\nbyrote score x --seed 3" in shown


@pytest.mark.parametrize(("count", "said"), [(1, "1 repeat"), (2, "2 repeats")])
def test_one_repeat_is_one(reported, count, said):
    setting = reported.chosen.setting.model_copy(update={"repeats": count})
    changed = replace(reported, chosen=replace(reported.chosen, setting=setting))
    assert dict(text.facts(changed))["plan"].endswith(f" folds, {said}")


def test_the_table_of_neighbours_has_what_the_screen_has(reported):
    x = np.random.default_rng(0).integers(0, 256, (30, 4, 4), dtype=np.uint8)
    fresh, samples = np.random.default_rng(1).integers(0, 256, (2, 30, 4, 4), dtype=np.uint8)
    found = byrote.compare_neighbors(reported.result, x, fresh, samples)
    written = text.markdown(replace(reported, neighbors=found))
    line = next(line for line in written.splitlines() if line.startswith("| mean of rho"))
    for end in (*found.mean_ratio.interval, found.mean_ratio.p_value):
        assert number(end) in line
    assert "C\\_T speaks of distances only" in written
