"""Exposure runs hold the same bits whoever watches, carries out, interrupts or damages them."""

import json
import shutil

import numpy as np
import pytest

import byrote
from byrote import score_exposure
from byrote.errors import ForeignFile, InvalidInput
from byrote.models import CharLSTM
from byrote.models.language.char_lstm import parameters
from byrote.runs.paths import RunPaths
from byrote.runs.run_folder import RunFolder

from languages import Ngram

CANARY = byrote.Canary("the code is {digits:2}")
TEXT = [f"line {k} of a text about {k % 7} cats and {k % 11} dogs\n" for k in range(40)]
SMALL = {"hidden": 8, "layers": 2, "epochs": 2, "batch_size": 8, "window": 16}


def lstm(**changes):
    return CharLSTM(**{**SMALL, "precision": "float32", **changes})


def run(store, model=None, text=TEXT, canary=CANARY, **changes):
    options = {"insertions": (1, 4), "canaries_per_level": 1, "controls": 1, "references": 10}
    options |= {"max_queries": 50, "out": store, "keep_models": "all"}
    return score_exposure(model or Ngram(), text, canary, **{**options, **changes})


def contents(store):
    """What the fits are: bits of their weights, log-likelihoods and ranks."""
    folder = RunFolder.open(RunPaths(store))
    found = {}
    for fit in range(folder.design.fits):
        if folder.paths.model(fit).is_file():
            weights = folder.models.weights(fit)
            found[fit, "weights"] = {name: array.tobytes() for name, array in weights.items()}
        found[fit, "log_prob"] = folder.log_prob(fit).tobytes()
        found[fit, "ranks"] = {
            name: values.tobytes() for name, values in folder.file(fit).diagnostics().items()
        }
    return found


@pytest.mark.parametrize(
    ("changes", "track"),
    [
        ({"dropout": 0.3}, (1, 2)),
        ({"dropout": 0.3, "report_every": 5}, (1, 2, 3)),
        ({"dropout": 0.3, "precision": "bfloat16", "optimizer": "rmsprop"}, (1,)),
    ],
)
def test_a_tracked_model_is_the_same_model(tmp_path, changes, track):
    model = lstm(**changes)
    run(tmp_path / "plain", model)
    run(tmp_path / "tracked", model, track=track)
    plain = contents(tmp_path / "plain")
    assert contents(tmp_path / "tracked") == plain
    if len(changes) == 1:  # what is compared depends on the model
        run(tmp_path / "other", lstm(dropout=0.2))
        assert contents(tmp_path / "other")[0, "weights"] != plain[0, "weights"]


def test_extended_by_a_fit_and_by_reports_in_another_process(tmp_path, another_process):
    model = lstm(dropout=0.2)
    run(tmp_path / "whole", model, fits=2)
    run(tmp_path / "run", model)
    run(tmp_path / "run", model, fits=2, track=(1,), executor=another_process)
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")
    assert RunFolder.open(RunPaths(tmp_path / "run")).epochs() == (1, 2)


def test_precision_is_settled_once(tmp_path, monkeypatch):
    run(tmp_path / "asked", lstm(precision="bfloat16"), fits=2)
    monkeypatch.setattr(parameters, "resolve_precision", lambda *_, **__: "bfloat16")
    run(tmp_path / "run", lstm(precision="auto"))
    monkeypatch.setattr(parameters, "resolve_precision", lambda *_, **__: "float32")
    run(tmp_path / "run", lstm(precision="auto"), fits=2)  # as if on another machine
    assert contents(tmp_path / "run") == contents(tmp_path / "asked")
    described = json.loads((tmp_path / "run" / "run.json").read_text())
    assert described["settled"] == {"precision": "bfloat16"}


def test_a_finished_run_asked_for_its_release_model_does_the_first_fit_again(tmp_path):
    run(tmp_path / "whole", fits=2)
    run(tmp_path / "run", fits=2, keep_models="none")
    paths = RunPaths(tmp_path / "run")
    before = [paths.fit(fit).stat().st_mtime_ns for fit in (0, 1)]
    run(tmp_path / "run", fits=2, keep_models="release")
    after = [paths.fit(fit).stat().st_mtime_ns for fit in (0, 1)]
    assert after[0] > before[0]
    assert after[1] == before[1]
    assert not paths.model(1).exists()
    whole = contents(tmp_path / "whole")
    del whole[1, "weights"]
    assert contents(tmp_path / "run") == whole


@pytest.mark.parametrize("how", ["missing", "cut off"])
@pytest.mark.parametrize("name", ["canaries.parquet", "records.parquet"])
def test_what_follows_from_the_records_is_written_again(tmp_path, name, how):
    expected = run(tmp_path / "run").to_frame()
    path = tmp_path / "run" / name
    path.write_bytes(path.read_bytes()[:-9])
    if how == "missing":
        path.unlink()
    with pytest.raises(byrote.CorruptFile, match=name):
        byrote.open_run(tmp_path / "run").exposure()
    fit = (tmp_path / "run" / "fits" / "fit-000000.parquet").stat().st_mtime_ns
    with pytest.warns(UserWarning, match=f"{name} is (damaged|missing).*; it is written again"):
        found = run(tmp_path / "run")
    assert found.to_frame().equals(expected)
    assert (tmp_path / "run" / "fits" / "fit-000000.parquet").stat().st_mtime_ns == fit
    assert byrote.open_run(tmp_path / "run").exposure().to_frame().equals(expected)


def test_canaries_of_another_run_are_refused_and_stay(tmp_path):
    run(tmp_path / "one")
    run(tmp_path / "two")
    path = tmp_path / "two" / "canaries.parquet"
    shutil.copy(tmp_path / "one" / "canaries.parquet", path)
    content = path.read_bytes()
    with pytest.raises(ForeignFile, match=r"canaries\.parquet belongs to another run"):
        run(tmp_path / "two")
    assert path.read_bytes() == content


class Strict(Ngram):
    """Has no way to tell the loss of a character that it does not know."""

    def loss(self, texts):
        return -self.score_samples(["".join(texts)]).sum()


RARE = [f"n{k:03d}" for k in range(200)]
GREEK = "a line with \u03b1 at its end, far in\n"
REFUSED_EARLY = {
    "a character of the held-out text": ({"model": Strict(), "text": [*TEXT, GREEK]}, "U\\+03B1"),
    "a character of one candidate": (
        {
            "canary": byrote.Canary("my name is {w}!", words={"w": [*RARE, "Zo\u00eb"]}),
            "references": 190,
        },
        "U\\+00EB",
    ),
    "a report that never comes": (
        {"model": lstm(report_every=5), "track": (2, 500)},
        "track must lie within the 6 reports of CharLSTM; got 500",
    ),
}


@pytest.mark.parametrize("case", REFUSED_EARLY)
def test_refused_before_the_first_fit(tmp_path, case):
    changes, message = REFUSED_EARLY[case]
    with pytest.raises(InvalidInput, match=message):
        run(tmp_path / "run", **changes)
    assert not (tmp_path / "run").exists()


AWKWARD = {
    "one document": {"text": ["".join(TEXT)]},
    "one line, nothing held out": {"text": ["x" * 500], "insertions": (1,), "held_out": 0},
    "a long line": {"text": ["yz " * 2_000 + "\n", *TEXT]},
    "characters far in the text": {"text": [*TEXT * 5, GREEK, *TEXT * 2]},
    "no prefix": {"canary": byrote.Canary("{digits:2}")},
    "two lines": {"canary": byrote.Canary("card\n{digits:2}\nends")},
    "a tiny held-out text": {"held_out": 0.001, "text": [*TEXT, "x"]},
}


@pytest.mark.parametrize("case", AWKWARD)
def test_awkward_texts_and_canaries_are_taken(tmp_path, case):
    found = run(tmp_path / "run", Ngram(order=3), **AWKWARD[case])
    assert np.isfinite(found.exposure.bits).all()
