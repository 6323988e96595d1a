"""The studies as declared: the published settings, once more written out, and what they ask."""

import shlex
from importlib.resources import files

import numpy as np
import pytest
from sklearn.base import clone

from byrote.data import Records
from byrote.errors import CorruptFile, InvalidInput
from byrote.fits.request import Settings
from byrote.models.vae.parameters import space_of
from byrote.plans import KFold
from byrote.studies.chosen import choose
from byrote.studies.declaration import NAMES, load_study, parse_study

# Sections 4.1 and B, Table 1; N is that of eq. (9); the score was followed every five epochs.
MNIST = {
    "network": "fully-connected",
    "hidden": [512, 256],
    "latent_dim": 16,
    "likelihood": "bernoulli",
    "flips": False,
    "epochs": 100,
    "draws": 256,
}
CONVOLUTIONAL = {"network": "convolutional", "features": 32, "flips": True, "draws": 128}
PUBLISHED = {
    "mnist-1e-3": {**MNIST, "learning_rate": 1e-3},
    "mnist-1e-4": {**MNIST, "learning_rate": 1e-4},
    "cifar10": {
        **CONVOLUTIONAL,
        "likelihood": "gaussian",
        "latent_dim": 64,
        "epochs": 100,
        "learning_rate": 1e-3,
    },
    "celeba": {
        **CONVOLUTIONAL,
        "likelihood": "shared-gaussian",
        "latent_dim": 32,
        "epochs": 50,
        "learning_rate": 1e-3,
    },
}
SPACES = {"mnist-1e-3": "binary", "mnist-1e-4": "binary", "cifar10": "logit", "celeba": "logit"}
FIGURES = {  # captions of Figures 2, 4, 7, 8, 9: median, lowest, highest
    "mnist-1e-3": ("4.4", "about -18", "about 210"),
    "mnist-1e-4": ("3.5", "about -13", "about 80"),
    "cifar10": ("97", "about -180", "about 900"),
    "celeba": ("about 60", "about -450", "about 6,500"),
}
SIZES = {"mnist-1e-3": 60_000, "mnist-1e-4": 60_000, "cifar10": 50_000, "celeba": 162_770}
IMAGE = {"mnist-1e-3": "pad=2", "mnist-1e-4": "pad=2", "cifar10": None, "celeba": "celeba"}


def images(study, n=40):
    shape = (n, 32, 32) if study.name.startswith("mnist") else (n, 32, 32, 3)
    return Records(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_paper_scale_is_the_published_setting(name):
    study = load_study(name)
    request = choose(study, "paper").request(images(study), Settings())
    parameters = request.model.get_params()
    expected = {**PUBLISHED[name], "batch_size": 64, "redraw": True, "defensive": 0.0}
    assert {key: parameters[key] for key in expected} == expected
    assert space_of(parameters["likelihood"], parameters["space"]) == SPACES[name]
    assert request.plan.spec() == KFold(10, repeats=10).spec()
    assert request.track == tuple(range(5, expected["epochs"] + 1, 5))
    assert study.paper.records is None
    assert (study.data.image, study.data.records) == (IMAGE[name], SIZES[name])


@pytest.mark.parametrize("name", FIGURES)
def test_the_published_figures(name):
    published = load_study(name).published
    assert (
        tuple(map(str, (published.median, published.minimum, published.maximum))) == (FIGURES[name])
    )
    assert str(published.q95) == "–"
    assert str(published.central_share) == ("more than half" if name == "celeba" else "–")


@pytest.mark.parametrize("scale", ["small", "paper"])
@pytest.mark.parametrize("name", NAMES)
def test_every_study_asks_for_what_can_be_done(name, scale):
    study = load_study(name)
    chosen = choose(study, scale)
    request = chosen.request(images(study), Settings(keep_models=chosen.setting.keep_models))
    request.check()
    assert request.keeps
    assert clone(request.model).get_params()["epochs"] == chosen.setting.epochs


def test_all_files_are_studies_and_all_studies_have_files():
    found = {path.name for path in files("byrote.studies").iterdir() if path.name.endswith("toml")}
    assert found == {f"{name}.toml" for name in NAMES} == {f"{name}.toml" for name in PUBLISHED}


OVERRIDES = {  # asked; then tracked epochs, and what counts as overridden
    "nothing": ({}, (2, 4, 6, 8, 10), {}),
    "the same": ({"epochs": 10, "repeats": 2}, (2, 4, 6, 8, 10), {}),
    "fewer epochs": ({"epochs": 5}, (2, 4, 5), {"epochs": (5, 10)}),
    "one epoch": ({"epochs": 1}, (1,), {"epochs": (1, 10)}),
    "more epochs": ({"epochs": 30}, (2, 4, 6, 8, 10, 30), {"epochs": (30, 10)}),
    "both": (
        {"repeats": 7, "records": 90},
        (2, 4, 6, 8, 10),
        {"repeats": (7, 2), "records": (90, 2000)},
    ),
}


@pytest.mark.parametrize("case", OVERRIDES)
def test_overrides(case):
    given, track, overridden = OVERRIDES[case]
    chosen = choose(load_study("cifar10"), "small", **given)
    assert chosen.setting.track == track
    assert chosen.overridden == overridden
    assert {name: getattr(chosen.setting, name) for name in given} == given


def test_departures_are_from_the_paper_whatever_the_scale():
    paper = choose(load_study("mnist-1e-3"), "paper", epochs=20)
    assert paper.departures(60_000) == {"epochs": (20, 100)}
    assert choose(load_study("mnist-1e-3"), "paper").departures(60_000) == {}
    small = choose(load_study("mnist-1e-3")).departures(10_000)
    assert small["records"] == (10_000, 60_000)
    assert small["redraw"] == (False, True)


def test_the_score_command_names_everything(tmp_path):
    chosen = choose(load_study("mnist-1e-4"), epochs=3)
    records = Records(np.zeros((4, 32, 32)), source="a file.npz", options={"labels": "y"})
    words = shlex.split(chosen.score_command(records, Settings(seed=7), tmp_path))
    assert words[:5] == ["byrote", "score", "a file.npz", "--labels", "y"]
    sets = {word for word, before in zip(words[1:], words, strict=False) if before == "--set"}
    assert {"learning_rate=0.0001", "redraw=false", "hidden=[512, 256]", "epochs=3"} <= sets
    assert words[words.index("--track") + 1] == "3"
    assert words[words.index("--seed") + 1] == "7"


TEXT = files("byrote.studies").joinpath("celeba.toml").read_text("utf-8")
BAD = {
    "no toml": ("title = ", "celeba.toml is no TOML"),
    "missing": (TEXT.replace("[published]", "[publish]"), "published"),
    "more": (TEXT + "\nworkers = 2", "small.workers"),
    "number as text": (TEXT.replace("folds = 10", 'folds = "10"'), "paper.folds"),
    "fraction": (TEXT.replace("epochs = 50", "epochs = 50.0"), "paper.epochs"),
    "one fold": (TEXT.replace("folds = 3", "folds = 1"), "small.folds"),
    "late track": (TEXT.replace("8, 10]", "8, 11]"), "track must rise"),
    "falling track": (TEXT.replace("[2, 4,", "[4, 2,"), "track must rise"),
    "no word": (TEXT.replace('"release"', '"some"'), "keep_models"),
    "figure": (TEXT.replace("value = 60", 'value = "60"'), "published.median.value"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_declares_no_study_is_named(case):
    text, message = BAD[case]
    with pytest.raises(CorruptFile, match=message.replace(".", r"\.")):
        parse_study("celeba", text)


REFUSED = {
    "study": (lambda: load_study("mnist"), "study must be one of .*did you mean mnist-1e-"),
    "path": (lambda: load_study("../celeba"), "did you mean celeba"),
    "scale": (lambda: choose(load_study("celeba"), "large"), "--scale must be one of small, paper"),
    "epochs": (lambda: choose(load_study("celeba"), epochs=0), "--epochs must be an integer of"),
    "records": (lambda: choose(load_study("celeba"), records=-1), "--records must be"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_chosen_is_refused(case):
    ask, message = REFUSED[case]
    with pytest.raises(InvalidInput, match=message):
        ask()
