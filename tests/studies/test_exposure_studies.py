"""The studies of exposure: what they declare, and what they ask for."""

from importlib.resources import files

import pytest

from byrote.data.corpus import Corpus
from byrote.errors import CorruptFile, InvalidInput
from byrote.fits.request import Settings
from byrote.models import CharLSTM
from byrote.studies import kinds
from byrote.studies.configured import SCALES
from byrote.studies.declaration import NAMES as OF_SCORES
from byrote.studies.exposure.carrying import FINDINGS
from byrote.studies.exposure.chosen import choose, reports_of
from byrote.studies.exposure.declaration import (
    NAMES,
    load_exposure_study,
    parse_exposure_study,
)
from byrote.studies.mitigations.declaration import NAMES as OF_MITIGATIONS

CHARACTERS_A_SECOND = 28_000  # of one core, two layers of 200 units


@pytest.fixture(scope="module")
def corpus():
    return Corpus(["the cat sat on the mat, and the dog sat on the log\n" * 12_000])


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", NAMES)
def test_every_study_asks_for_what_can_be_done(name, scale, corpus):
    chosen = choose(load_exposure_study(name), scale)
    requests = chosen.requests(corpus, Settings())
    assert list(requests) == [one.name for one in chosen.configurations]
    for one in chosen.configurations:
        request = requests[one.name]
        request.check()
        assert request.plan.draw(request.context()).fits == one.fits >= 2  # to see fits differ
        assert request.model.epochs == one.epochs
        assert bool(request.track) == one.track


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", NAMES)
def test_training_on_two_cores_fits_into_the_declared_minutes(name, scale):
    study = load_exposure_study(name)
    size = study.scale(scale)
    characters = 0.9 * (size.characters or 465_000)
    rounds = sum(-(-one.fits // 2) * one.epochs for one in study.configurations(scale))
    minutes = rounds * characters / CHARACTERS_A_SECOND / 60
    assert minutes <= 0.95 * size.minutes
    assert size.minutes <= (40 if name == "dp-exposure" else 30)


def test_all_files_are_studies_and_all_studies_have_files_and_findings():
    folder = files("byrote.studies.exposure")
    found = {path.name for path in folder.iterdir() if path.name.endswith("toml")}
    assert found == {f"{name}.toml" for name in NAMES}
    assert set(FINDINGS) == set(NAMES)
    assert set(kinds.NAMES) == {*NAMES, *OF_SCORES, *OF_MITIGATIONS}


def test_the_studies_of_the_issue():
    def configurations(name):
        return {one.name: one for one in load_exposure_study(name).configurations("full")}

    over = configurations("exposure-over-training")
    assert over["by-epoch"].track
    assert over["by-batch"].track
    assert over["by-batch"].model["shuffle"] is False
    assert over["by-batch"].within == 0.001
    levels = configurations("exposure-by-insertions")
    assert levels["number-9"].insertions == (1, 2, 4, 8, 16, 32)
    assert {one.keep_models for one in levels.values()} == {"release"}
    pareto = configurations("exposure-pareto")
    varied = {name for one in pareto.values() for name in one.model}
    assert varied >= {"layers", "hidden", "dropout", "learning_rate", "optimizer", "batch_size"}
    assert "weight_decay" in varied
    assert len(pareto) >= 12
    assert configurations("skew-normal-fit")["model"].references == 100_000


def test_reports_are_counted_with_the_canaries(corpus):
    (by_epoch, by_batch) = choose(load_exposure_study("exposure-over-training")).configurations
    chosen = choose(load_exposure_study("exposure-over-training"), epochs=1)
    request = chosen.requests(corpus, Settings())["by-batch"]
    copies = 2 * (1 + 4)
    line = len("the random number is 123456789\n")
    text = "a" * (request.records.corpus.characters + copies * line - 1) + "\n"
    model = CharLSTM(**{**by_batch.model, "epochs": 1})
    assert reports_of(request) == model.reports([text]) == len(request.track)
    assert (by_epoch.name, by_batch.name) == ("by-epoch", "by-batch")


OVERRIDES = {
    "nothing": ({}, {}),
    "the same": ({"characters": 100_000}, {}),
    "fits": ({"fits": 3}, {"fits": (3, 2)}),
    "epochs of several": ({"epochs": 2}, {"epochs": (2, [5, 20])}),
    "characters": ({"characters": 9}, {"characters": (9, 100_000)}),
}


@pytest.mark.parametrize("case", OVERRIDES)
def test_overrides(case):
    given, overridden = OVERRIDES[case]
    chosen = choose(load_exposure_study("exposure-over-training"), **given)
    assert chosen.overridden == overridden
    for name in ("fits", "epochs"):
        if name in given:
            assert {getattr(one, name) for one in chosen.configurations} == {given[name]}
    assert chosen.characters == given.get("characters", 100_000)


TEXT = files("byrote.studies.exposure").joinpath("exposure-pareto.toml").read_text("utf-8")
BAD = {
    "no toml": ("title = ", "exposure-pareto.toml is no TOML"),
    "missing": (TEXT.replace("[full]", "[fuller]"), "full"),
    "more": (TEXT + "\nworkers = 2", "small.workers"),
    "no levels": (TEXT.replace("insertions = [8]", "insertions = []"), "insertions"),
    "word": (TEXT.replace('method = "auto"', 'method = "guess"'), "method"),
    "twice": (TEXT.replace('"layers-3"', '"layers-1"'), "different names"),
    "path": (TEXT.replace('"layers-3"', '"../layers"'), "name"),
    "none": (TEXT[: TEXT.index("[[")] + TEXT[TEXT.index("[full]") :], "configuration"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_declares_no_study_is_named(case):
    text, message = BAD[case]
    with pytest.raises(CorruptFile, match=message):
        parse_exposure_study("exposure-pareto", text)


REFUSED = {
    "study": (
        lambda: load_exposure_study("exposure"),
        "study must be one of .*did you mean dp-exposure",
    ),
    "scale": (lambda: choose(load_exposure_study(NAMES[0]), "paper"), "one of small, full"),
    "fits": (lambda: choose(load_exposure_study(NAMES[0]), fits=0), "--fits must be an integer"),
    "any": (lambda: kinds.kind_of("minst-1e-3"), "did you mean mnist-1e-3"),
    "records": (
        lambda: kinds.check_options(NAMES[0], {"records": 5}),
        "--records does not apply to the study exposure-over-training; those that do are --fits",
    ),
    "dry run": (lambda: kinds.check_options(NAMES[0], {"dry_run": True}), "--dry-run does not"),
    "validation": (
        lambda: kinds.check_options(NAMES[0], {"validation_part": "test"}),
        "--validation-part does not apply",
    ),
    "fits of scores": (
        lambda: kinds.check_options("celeba", {"fits": 2, "data": "x"}),
        "--fits does not apply to the study celeba",
    ),
    "no data": (lambda: kinds.check_options("celeba", {"data": None}), "--data must name"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_chosen_is_refused(case):
    ask, message = REFUSED[case]
    with pytest.raises(InvalidInput, match=message):
        ask()
