"""What is printed of nearest-neighbour tests."""

import io
import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from rich.console import Console
from sklearn.neighbors import KernelDensity

import byrote
from byrote.report import neighbors
from byrote.report.format import number

X, VALIDATION = np.random.default_rng(0).normal(size=(2, 60, 3))


def compare(samples):
    ids = np.array([f"[red]{i}\x1b" for i in range(60)])
    scores = byrote.score_memorization(KernelDensity(), X, plan=byrote.LeaveOneOut(), ids=ids)
    return byrote.neighbors.compare_neighbors(scores, X, VALIDATION, samples, seed=5)


@pytest.fixture(scope="module")
def result():
    samples = np.random.default_rng(1).normal(size=(70, 3))
    samples[9] = X[4]
    return compare(samples)


def printed(content):
    console = Console(file=io.StringIO(), width=120, highlight=False)
    console.print(content)
    return console.file.getvalue()


def test_every_number_is_printed(result):
    text = printed(neighbors.render(result, top=3))
    assert "60 training records, 60 validation records, 70 samples" in text
    assert "60 of each" in text
    assert "seed 5" in text
    lines = {line.split("  ")[0].partition(" (")[0]: line for line in text.splitlines()}
    mean = lines["mean of rho"]
    for value in (result.mean, *result.mean_ratio.interval, result.mean_ratio.p_value):
        assert number(value) in mean
    assert number(result.correlation) in lines["correlation with M"]
    assert number(result.copying.statistic) in lines["copying, C_T"]
    assert number(result.authenticity) in lines["authentic samples"]
    copies = lines["samples that copy a record"]
    assert number(result.copies.rate.value) in copies
    assert f"above {number(result.copies.control.value)} [" in copies
    assert "Training records at distance zero from a sample: 1." in text
    assert "or a validation record: 1." in text
    assert f"above {number(result.mean_ratio.exchanged)} (*)" in mean
    last = text.splitlines()[-3:]
    assert last[0].split()[:2] == ["[red]4\\x1b", "∞"]
    assert last[0].split()[4] == "9"
    assert "\x1b" not in text


def test_without_records(result):
    assert "nearest to a sample" not in printed(neighbors.render(result, top=0))


def test_what_cannot_be_computed_is_a_dash():
    text = printed(neighbors.render(compare(X[:10])))
    line = next(line for line in text.splitlines() if line.startswith("copying"))
    assert line.split("  ")[0] == "copying, C_T (0 of 3 cells)"
    assert "–" in line
    assert "fewer than 20 samples or without a validation record" in text


def verdict(z):
    """What the table says of C_T where the cells have these z."""
    z = np.array(z)
    copying = replace(compared().copying, z=z, statistic=-13.5, p_value=8.9e-42)
    return neighbors.rows(replace(compared(), copying=copying))[2]


@cache
def compared():
    return compare(np.random.default_rng(2).normal(size=(70, 3)))


CELLS = {
    "one of three": ([-13.5, np.nan, np.nan], "copying, C_T (1 of 3 cells)", "–"),
    "two of three": ([-13.5, np.nan, -9.0], "copying, C_T (2 of 3 cells)", "far below 0"),
    "all": ([-13.5, -2.0, -9.0], "copying, C_T", "far below 0"),
    "the only one": ([-13.5], "copying, C_T", "far below 0"),
}


@pytest.mark.parametrize(("z", "name", "meaning"), CELLS.values(), ids=CELLS)
def test_one_cell_of_several_gives_no_verdict(z, name, meaning):
    row = verdict(z)
    assert (row[0], row[-1]) == (name, meaning)
    assert row[1] == "-13.5"


def test_the_correlation_has_no_verdict_and_distances_are_no_proof():
    assert neighbors.rows(compared())[1][-1] == "–"
    said = " ".join(neighbors.remarks(compared()))
    assert "samples unlike the data can move it either way" in said


def test_json_is_json(result):
    found = json.loads(json.dumps(neighbors.to_json(result, top=2), allow_nan=False))
    assert found["summary"]["mean"]["value"] == result.mean
    assert [row["ratio"] for row in found["nearly_reproduced"]] == [
        "inf",
        np.sort(result.ratio)[-2],
    ]
