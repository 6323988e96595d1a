"""The studies as declared, with the published settings once more written out."""

from importlib.resources import files

import pytest

from byrote.errors import CorruptFile, InvalidInput
from byrote.models.vae.parameters import space_of
from byrote.studies.findings import FINDINGS
from byrote.studies.kinds import FORMS, NAMES, check_options, load_study
from byrote.studies.study import at_scale, parse_declaration
from tiny_mitigations import tiny

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


def of_kind(kind):
    return [name for name, form in FORMS.items() if form.kind == kind]


def scales(kind):
    """Every study of a kind at every scale."""
    return [(name, scale) for name in of_kind(kind) for scale in FORMS[name].scales]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_paper_scale_is_the_published_setting(name):
    study = load_study(name)
    (run,) = study.runs("paper")
    parameters = {"flips": False, **run.model, "epochs": run.epochs}
    expected = {**PUBLISHED[name], "batch_size": 64, "redraw": True}
    assert {key: parameters[key] for key in expected} == expected
    assert space_of(parameters["likelihood"], parameters.get("space", "auto")) == SPACES[name]
    assert (run.folds, run.repeats) == (10, 10)
    assert run.track == tuple(range(5, run.epochs + 1, 5))
    assert study.paper.records is None
    assert (study.images.image, study.images.records) == (IMAGE[name], SIZES[name])


@pytest.mark.parametrize("name", FIGURES)
def test_the_published_figures(name):
    published = load_study(name).published
    assert (
        tuple(map(str, (published.median, published.minimum, published.maximum))) == (FIGURES[name])
    )
    assert str(published.q95) == "–"
    assert str(published.central_share) == ("more than half" if name == "celeba" else "–")


def test_all_files_are_studies_and_all_studies_have_files_and_findings():
    folder = files("byrote.studies")
    found = {path.name for path in folder.iterdir() if path.name.endswith("toml")}
    assert found == {f"{name}.toml" for name in NAMES}
    assert set(of_kind("scores")) == set(PUBLISHED)
    declared = {finding for name in NAMES for finding in load_study(name).findings}
    assert declared == set(FINDINGS)


CHARACTERS_A_SECOND = 28_000  # of one core, two layers of 200 units


@pytest.mark.parametrize(("name", "scale"), scales("exposure"))
def test_training_on_two_cores_fits_into_the_declared_minutes(name, scale):
    study = load_study(name)
    size = study.scale(scale)
    characters = 0.9 * (size.characters or 465_000)
    rounds = sum(-(-run.fits // 2) * run.epochs for run in study.runs(scale))
    minutes = rounds * characters / CHARACTERS_A_SECOND / 60
    assert minutes <= 0.95 * size.minutes
    assert size.minutes <= (40 if name == "dp-exposure" else 30)


SECONDS_A_FIT = {"small": 1.5, "full": 4.5, "start": 6.0}  # on one core; DP takes longer


@pytest.mark.parametrize(("name", "scale"), scales("mitigations"))
def test_fits_on_two_cores_go_into_the_declared_minutes(name, scale):
    study = load_study(name)
    seconds = sum(
        run.fits / 2 * SECONDS_A_FIT[scale] + SECONDS_A_FIT["start"] for run in study.runs(scale)
    )
    assert seconds / 60 <= study.scale(scale).minutes <= 40


TEXT_CHARACTERS_A_SECOND = 55_000  # of one core, texts by themselves, one layer of 128 units


@pytest.mark.parametrize(("name", "scale"), scales("recitation"))
def test_texts_and_their_copies_are_read_in_the_declared_minutes(name, scale):
    study = load_study(name)
    size = study.scale(scale)
    texts = [size.records + run.planted * sum(run.copies) / 2 for run in study.runs(scale)]
    fits = [run.epochs * run.fits / 2 for run in study.runs(scale)]  # on two cores
    characters = 150 * sum(n * epochs for n, epochs in zip(texts, fits, strict=True))
    assert characters / TEXT_CHARACTERS_A_SECOND / 60 <= size.minutes <= 30


TOKENS, TOKENS_A_SECOND = 71_000, 9_000  # of the help of all classes; of one core


@pytest.mark.parametrize(("name", "scale"), scales("counterfactual"))
def test_texts_that_are_not_held_out_are_read_in_the_declared_minutes(name, scale):
    study = load_study(name)
    (run,) = study.runs(scale)
    read = TOKENS * (run.folds - 1) * run.repeats * run.epochs
    assert read / TOKENS_A_SECOND / 60 / 2 <= study.scale(scale).minutes <= 30


def test_what_the_studies_of_exposure_vary():
    def runs(name):
        return {run.name: run for run in load_study(name).runs("full")}

    over = runs("exposure-over-training")
    assert over["by-epoch"].track
    assert over["by-batch"].track
    assert over["by-batch"].model["shuffle"] is False
    assert over["by-batch"].within == 0.001
    levels = runs("exposure-by-insertions")
    assert levels["number-9"].insertions == (1, 2, 4, 8, 16, 32)
    assert {run.keep_models for run in levels.values()} == {"release"}
    pareto = runs("exposure-pareto")
    varied = {name for run in pareto.values() for name in run.model}
    assert varied >= {"layers", "hidden", "dropout", "learning_rate", "optimizer", "batch_size"}
    assert "weight_decay" in varied
    assert len(pareto) >= 12
    assert runs("skew-normal-fit")["model"].references == 100_000


def test_rounds_of_pruning_follow_each_other_in_each_replication():
    runs = tiny("onion").runs("small")
    assert [run.name for run in runs[:5]] == [
        "1-all", "1-pruned-1", "1-pruned-2", "1-random-1", "1-random-2"
    ]  # fmt: skip
    assert [run.pruned.after for run in runs[1:5]] == ["1-all", "1-pruned-1", "1-all", "1-random-1"]
    assert {(run.seed, run.probe_seed) for run in runs[:5]} == {(0, 0)}
    assert {(run.seed, run.probe_seed) for run in runs[5:]} == {(1, 1)}


OVERRIDES = {  # study, scale, what is asked; then tracked epochs, and what counts as overridden
    "nothing": ("cifar10", "small", {}, (2, 4, 6, 8, 10), {}),
    "the same": ("cifar10", "small", {"epochs": 10, "repeats": 2}, (2, 4, 6, 8, 10), {}),
    "fewer epochs": ("cifar10", "small", {"epochs": 5}, (2, 4, 5), {"epochs": (5, 10)}),
    "one epoch": ("cifar10", "small", {"epochs": 1}, (1,), {"epochs": (1, 10)}),
    "more epochs": (
        "cifar10", "small", {"epochs": 30}, (2, 4, 6, 8, 10, 30), {"epochs": (30, 10)},
    ),
    "both": (
        "cifar10", "small", {"repeats": 7, "records": 90}, (2, 4, 6, 8, 10),
        {"repeats": (7, 2), "records": (90, 2000)},
    ),
    "no exposure": ("exposure-over-training", "small", {}, True, {}),
    "the same text": ("exposure-over-training", "small", {"characters": 100_000}, True, {}),
    "fits": ("exposure-over-training", "small", {"fits": 3}, True, {"fits": (3, 2)}),
    "epochs of several": (
        "exposure-over-training", "small", {"epochs": 2}, True, {"epochs": (2, [5, 20])},
    ),
    "characters": (
        "exposure-over-training", "small", {"characters": 9}, True, {"characters": (9, 100_000)},
    ),
    "no mitigation": ("mitigations", "full", {}, None, {}),
    "the same records": ("mitigations", "full", {"epochs": 10, "records": 3000}, None, {}),
    "all": (
        "mitigations", "full", {"records": 500, "fits": 4, "epochs": 2}, None,
        {"records": (500, 3000), "fits": (4, 12), "epochs": (2, 10)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", OVERRIDES)
def test_overrides(case):
    name, scale, asked, track, overridden = OVERRIDES[case]
    scaled = at_scale(load_study(name), scale, **asked)
    assert scaled.overridden == overridden
    assert {getattr(run, "track", None) for run in scaled.runs} == {track}
    for setting, value in asked.items():
        of_size = setting in ("records", "characters")
        places = [scaled.size] if of_size else scaled.runs
        assert {getattr(place, setting) for place in places} == {value}


def toml(name):
    return files("byrote.studies").joinpath(f"{name}.toml").read_text("utf-8")


CELEBA, PARETO, MITIGATIONS = map(toml, ("celeba", "exposure-pareto", "mitigations"))
BAD = {
    "no toml": ("celeba", "title = ", "celeba.toml is not TOML"),
    "missing": ("celeba", CELEBA.replace("[published]", "[publish]"), "published"),
    "more": ("celeba", CELEBA.replace("[small]", "[small]\nworkers = 2"), "small.workers"),
    "number as text": (
        "celeba",
        CELEBA.replace("folds = 10", 'folds = "10"'),
        "at scale paper: folds",
    ),
    "fraction": (
        "celeba",
        CELEBA.replace("epochs = 50", "epochs = 50.0"),
        "at scale paper: epochs",
    ),
    "one fold": ("celeba", CELEBA.replace("folds = 3", "folds = 1"), "at scale small: folds"),
    "late track": ("celeba", CELEBA.replace("8, 10]", "8, 11]"), "track must be increasing"),
    "falling track": ("celeba", CELEBA.replace("[2, 4,", "[4, 2,"), "track must be increasing"),
    "no word": ("celeba", CELEBA.replace('"release"', '"some"'), "keep_models"),
    "figure": ("celeba", CELEBA.replace("value = 60", 'value = "60"'), "published.median.value"),
    "no scale": ("exposure-pareto", PARETO.replace("[full]", "[fuller]"), "full"),
    "more of a text": ("exposure-pareto", PARETO + "\nworkers = 2", "small.workers"),
    "no levels": (
        "exposure-pareto",
        PARETO.replace("insertions = [8]", "insertions = []"),
        "insertions",
    ),
    "word": ("exposure-pareto", PARETO.replace('method = "auto"', 'method = "guess"'), "method"),
    "twice": ("exposure-pareto", PARETO.replace('"layers-3"', '"layers-1"'), "different names"),
    "path": ("exposure-pareto", PARETO.replace('"layers-3"', '"../layers"'), "name"),
    "none": (
        "exposure-pareto",
        PARETO[: PARETO.index("[[")] + PARETO[PARETO.index("[full]") :],
        "run",
    ),
    "more of records": ("mitigations", MITIGATIONS + "\nworkers = 2", "small.workers"),
    "share": ("mitigations", MITIGATIONS.replace("top = 0.05", "top = 5"), "top"),
    "order": (
        "mitigations",
        MITIGATIONS.replace('after = "plain"', 'after = "pruned"'),
        "pruned must come after pruned",
    ),
    "lost": (
        "mitigations",
        MITIGATIONS.replace('baseline = "again"', 'baseline = "agin"'),
        "baseline must name a run; got agin",
    ),
    "twice in another": (
        "mitigations",
        MITIGATIONS.replace('"latent-4"', '"plain"'),
        "different names",
    ),
    "validation": (
        "mitigations",
        MITIGATIONS.replace("validation = 297", ""),
        "small.validation",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_declares_no_study_is_named(case):
    name, text, message = BAD[case]
    with pytest.raises(CorruptFile, match=message.replace(".", r"\.")) as caught:
        parse_declaration(FORMS[name], name, text)
    assert "\n" not in str(caught.value)


REFUSED = {
    "study": (lambda: load_study("mnist"), "study must be one of .*did you mean mnist-1e-"),
    "of exposure": (lambda: load_study("exposure"), "did you mean dp-exposure"),
    "of mitigations": (lambda: load_study("onions"), "did you mean onion"),
    "path": (lambda: load_study("../celeba"), "did you mean celeba"),
    "scale": (
        lambda: at_scale(load_study("celeba"), "full"), "--scale must be one of small, paper",
    ),
    "scale of a text": (
        lambda: at_scale(load_study("dp-exposure"), "paper"), "one of small, full",
    ),
    "epochs": (
        lambda: at_scale(load_study("celeba"), epochs=0), "--epochs must be an integer of",
    ),
    "records": (lambda: at_scale(load_study("celeba"), records=-1), "--records must be"),
    "fits": (lambda: at_scale(load_study("onion"), fits=0), "--fits must be an integer"),
    "options of another": (lambda: check_options("minst-1e-3", {}), "did you mean mnist-1e-3"),
    "records of a text": (
        lambda: check_options("exposure-over-training", {"records": 5}),
        "--records does not apply to the study exposure-over-training; use --fits",
    ),
    "dry run": (
        lambda: check_options("skew-normal-fit", {"dry_run": True}), "--dry-run does not",
    ),
    "validation": (
        lambda: check_options("skew-normal-fit", {"validation_part": "test"}),
        "--validation-part does not apply",
    ),
    "fits of scores": (
        lambda: check_options("celeba", {"fits": 2, "data": "x"}),
        "--fits does not apply to the study celeba",
    ),
    "no data": (lambda: check_options("celeba", {"data": None}), "--data must name"),
    "repeats": (
        lambda: check_options("onion", {"repeats": 2}),
        "--repeats does not apply to the study onion; use --records, --fits",
    ),
    "characters": (lambda: check_options("onion", {"characters": 2}), "--characters does"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_apply_is_refused(case):
    ask, message = REFUSED[case]
    with pytest.raises(InvalidInput, match=message):
        ask()
