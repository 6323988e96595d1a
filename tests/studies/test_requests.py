"""From studies to requests: every study asks for what can be done, on the data that it declares."""

import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

import byrote
from byrote.data import Corpus, Records
from byrote.data.id_lists import read_ids
from byrote.errors import IncompleteRun, InvalidInput
from byrote.models import CharLSTM
from byrote.plans import KFold
from byrote.runs.request import Request, Settings
from byrote.studies.audit_kind import Pruning
from byrote.studies.audited_records import remaining
from byrote.studies.execute import execute
from byrote.studies.kinds import FORMS, load_study
from byrote.studies.requests import (
    StudyImages,
    StudyText,
    count_reports,
    load_data,
    study_command,
)
from byrote.studies.study import at_scale
from tiny_mitigations import Kernel, tiny


def scales(kind):
    """Every study of a kind at every scale."""
    return [
        (name, scale) for name, form in FORMS.items() if form.kind == kind for scale in form.scales
    ]


def images(name, n=40):
    shape = (n, 32, 32) if name.startswith("mnist") else (n, 32, 32, 3)
    return Records(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))


@pytest.fixture(scope="module")
def corpus():
    return Corpus(["the cat sat on the mat, and the dog sat on the log\n" * 12_000])


@pytest.mark.parametrize(("name", "scale"), scales("scores"))
def test_every_study_of_scores_asks_for_what_can_be_done(name, scale):
    scaled = at_scale(load_study(name), scale)
    (run,) = scaled.runs
    data = StudyImages(scaled, images(name))
    request = data.requests(Settings())[name]
    request.check()
    assert request.keeps
    assert clone(request.model).get_params()["epochs"] == run.epochs
    assert request.model.get_params()["defensive"] == 0.0
    assert request.plan.spec() == KFold(run.folds, repeats=run.repeats).spec()
    assert request.track == run.track


@pytest.mark.parametrize(("name", "scale"), scales("exposure"))
def test_every_study_of_exposure_asks_for_what_can_be_done(name, scale, corpus):
    scaled = at_scale(load_study(name), scale)
    requests = StudyText(scaled, corpus).requests(Settings())
    assert list(requests) == [run.name for run in scaled.runs]
    for run in scaled.runs:
        request = requests[run.name]
        request.check()
        assert request.plan.draw(request.context()).fits == run.fits >= 2  # to see fits differ
        assert request.model.epochs == run.epochs
        assert bool(request.track) == run.track


@pytest.mark.parametrize(("name", "scale"), scales("mitigations"))
def test_every_study_of_mitigations_asks_for_what_can_be_done(name, scale, tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (3600, 8, 8), dtype=np.uint8)
    np.save(tmp_path / "images.npy", pictures)
    scaled = at_scale(load_study(name), scale)
    requests = load_data(scaled, str(tmp_path / "images.npy")).requests(Settings(seed=3))
    assert list(requests) == [run.name for run in scaled.runs]
    for run in scaled.runs:
        request = requests[run.name]
        assert isinstance(request, Request) == (run.pruned is None)
        if run.pruned is None:
            request.check()
            design = request.plan.draw(request.context())
            assert (design.fits, len(design.scored)) == (run.fits, run.probes or run.records)
            parameters = request.model.get_params()
            epochs = parameters.get("estimator__epochs", parameters.get("epochs", run.epochs))
            assert epochs == run.epochs
            assert request.settings.seed == 3 + run.seed


def test_the_score_command_names_everything(tmp_path):
    scaled = at_scale(load_study("mnist-1e-4"), epochs=3)
    records = Records(np.zeros((4, 32, 32)), source="a file.npz", options={"labels": "y"})
    command = StudyImages(scaled, records).score_command(Settings(seed=7), tmp_path)
    words = shlex.split(command)
    assert words[:5] == ["byrote", "score", "a file.npz", "--labels", "y"]
    sets = {word for word, before in zip(words[1:], words, strict=False) if before == "--set"}
    assert {"learning_rate=0.0001", "redraw=false", "hidden=[512, 256]", "epochs=3"} <= sets
    assert words[words.index("--track") + 1] == "3"
    assert words[words.index("--seed") + 1] == "7"


def test_reports_are_counted_with_the_canaries(corpus):
    scaled = at_scale(load_study("exposure-over-training"), epochs=1)
    by_epoch, by_batch = scaled.runs
    assert (by_epoch.name, by_batch.name) == ("by-epoch", "by-batch")
    request = StudyText(scaled, corpus).requests(Settings())["by-batch"]
    copies = 2 * (1 + 4)
    line = len("the random number is 123456789\n")
    text = "a" * (request.records.corpus.characters + copies * line - 1) + "\n"
    model = CharLSTM(**{**by_batch.model, "epochs": 1})
    assert count_reports(request) == model.reports([text]) == len(request.track)


def test_runs_are_compared_on_the_same_probes_with_the_same_seeds():
    requests = load_data(at_scale(load_study("mitigations"))).requests(Settings())
    plain, again, slow = (requests[name] for name in ("plain", "again", "rate-0.0001"))
    assert plain.plan.records == again.plan.records == slow.plan.records
    designs = [each.plan.draw(each.context()) for each in (plain, again, slow)]
    assert designs[2].begins_with(designs[0])
    assert not designs[1].begins_with(designs[0])


def test_replications_of_the_onion_differ_in_seeds_and_probes():
    requests = load_data(at_scale(tiny("onion"))).requests(Settings(seed=7))
    first, second = requests["1-all"], requests["2-all"]
    assert (first.settings.seed, second.settings.seed) == (7, 8)
    assert set(first.plan.records) != set(second.plan.records)


def test_records_set_apart_are_others_and_the_audited_ones_those_of_load():
    data = load_data(at_scale(tiny("mitigations")))
    alone = byrote.load("digits", records=120)
    assert data.audited.fingerprint == alone.fingerprint
    assert data.audited.options == alone.options == {"records": "120"}
    assert len(data.validation) == 20
    assert not set(data.validation.ids) & set(alone.ids)
    everything = load_data(at_scale(load_study("mitigations")))
    both = {*everything.audited.ids, *everything.validation.ids}
    assert (len(everything.audited), len(both)) == (1500, 1797)
    validated = data.requests(Settings())["validated"].model
    assert np.array_equal(validated.validation, data.validation.x.reshape(20, -1))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished audit of 40 of 60 digits by a narrow kernel density."""
    folder = tmp_path_factory.mktemp("prune") / "plain"
    x = byrote.load("digits", records=60)
    probes = byrote.Probes(x.ids[:40].tolist(), 4)
    byrote.score_memorization(Kernel(0.4), x, plan=probes, out=folder)
    return byrote.open_run(folder)


def test_what_pruning_leaves(run):
    result = run.memorization()
    ids, probes = remaining(run, Pruning(after="plain", top=0.1), seed=0)
    gone = set(result.ids) - set(ids)
    assert gone == set(result.ids[result.order()[:4]])
    assert set(probes) == set(result.ids[~np.isnan(result.score)]) - gone
    chance = Pruning(after="plain", top=0.1, at="random")
    first, second, other = (remaining(run, chance, seed=seed) for seed in (0, 0, 1))
    assert first[0].tolist() == second[0].tolist() != other[0].tolist()
    for left, left_probes in (first, other):
        assert len(set(result.ids) - set(left)) == 4
        assert set(left_probes) < set(probes) | gone  # no other record goes


def test_scores_of_other_plans_are_pruned_too(tmp_path):
    x = byrote.load("digits", records=30)
    byrote.score_memorization(Kernel(0.4), x, plan=KFold(3, repeats=2), out=tmp_path / "run")
    run = byrote.open_run(tmp_path / "run")
    ids, probes = remaining(run, Pruning(after="run", top=0.1), seed=0)
    assert ids.tolist() == probes.tolist()
    assert len(ids) == 27


def test_what_is_pruned_after_a_run_with_failed_fits_is_left_undone(tmp_path, monkeypatch):
    scaled = at_scale(tiny("mitigations"))
    scaled = replace(
        scaled, runs=tuple(run for run in scaled.runs if run.name in ("plain", "pruned"))
    )
    data = load_data(scaled)
    pruned = data.requests(Settings())["pruned"]
    with pytest.raises(IncompleteRun, match="no fit of plain"):
        pruned(tmp_path, {})
    fit, calls, announced = Kernel.fit, [], []

    def failing(self, X, y=None):
        calls.append(1)
        if len(calls) == 4:
            raise ValueError
        return fit(self, X)

    def executed():
        runs = execute(data, Settings(), tmp_path, announce=announced.append)
        return [run.name for run in runs]

    monkeypatch.setattr(Kernel, "fit", failing)
    assert executed() == ["plain"]
    assert not (tmp_path / "pruned").exists()
    assert executed() == ["plain", "pruned"]
    assert announced == ["plain", "pruned"] * 2
    listed = {int(text) for text in read_ids(tmp_path / "pruned.csv")}
    result = byrote.open_run(tmp_path / "pruned").memorization()
    assert set(result.ids) == listed
    assert len(listed) == 117
    again = byrote.load("digits", **result.description["data"]["options"])
    assert again.fingerprint == result.description["data"]["fingerprint"]


def test_the_command_names_what_decides_the_runs():
    data = load_data(at_scale(tiny("mitigations"), records=60, fits=6))
    assert study_command(data, Settings(seed=2, workers=3), Path("run")) == (
        "byrote study mitigations --data digits --scale small --records 60 --fits 6 --seed 2"
        " --threads 1 --workers 3 --out run"
    )


REFUSED = {
    "odd fits": (
        lambda: load_data(at_scale(tiny("onion"), fits=3)).requests(Settings()),
        "fits must be even",
    ),
    "records": (
        lambda: load_data(at_scale(tiny("onion"), records=1778)),
        "--records must leave 20 of the 1797 records of digits for validation",
    ),
    "no records": (lambda: load_data(at_scale(tiny("onion"), records=1)), "be 2 or more; got 1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_requested_is_refused(case):
    ask, message = REFUSED[case]
    with pytest.raises(InvalidInput, match=message):
        ask()
