"""The command as a user meets it: what it prints, where, and its exit codes."""

import csv
import io
import json
import linecache
import os
import re
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd
import pytest

import byrote
from byrote.cli import app, exits
from byrote.cli.options import shared, training
from byrote.cli.options.plans import PlanName
from byrote.cli.options.training import StudyName
from byrote.cli.verbs.score import _PLANS
from byrote.data.canaries.slot_kinds import NAMED_KINDS
from byrote.models import VAE
from byrote.models.registry import _BUILT_IN
from byrote.runs.executors.registry import EXECUTORS
from byrote.runs.job import KEEP_MODELS
from byrote.studies.kinds import NAMES

from forks import ended, forked, has_ended
from published import write_cifar

X = np.random.default_rng(0).normal(size=(40, 2))
KDE = ["--model", "kde", "--folds", "4", "--repeats", "2"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with some data in it."""
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", X)
    return tmp_path


def test_score_prints_a_summary_and_keeps_a_run(here, byrote_):
    code, out, err = byrote_("score", "x.npy", *KDE, "--out", "run")
    assert (code, err) == (0, "")
    assert "40 of 40 records scored in 8 fits" in out
    assert "95th percentile" in out
    result = byrote.open_run("run").memorization()
    assert f"{result.ids[result.order()[0]]}" in out
    again = byrote_("show", "run")
    assert again == (0, out, "")


def test_json_is_alone_on_standard_output(here, byrote_):
    code, out, _ = byrote_("score", "x.npy", *KDE, "--out", "run", "--json")
    assert code == 0
    data = json.loads(out, parse_constant=pytest.fail)
    assert data["summary"]["scored"] == 40
    assert data["summary"]["distribution"]["score"]["median"]["value"] == pytest.approx(
        np.median(byrote.open_run("run").memorization().score)
    )
    assert len(data["most_memorized"]) == 10
    assert json.loads(byrote_("show", "run", "--json")[1]) == data


def test_csv_has_a_row_per_record(here, byrote_, once):
    once("score", "x.npy", *KDE, "--out", "run")
    _, out, _ = byrote_("show", "run", "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [float(row["score"]) for row in rows] == byrote.open_run(
        "run"
    ).memorization().score.tolist()


ALWAYS = ["scores", "memorized-by-log-prob", "memorized-share-by-log-prob"]
OF_LABELS, OF_IMAGES = (
    ["scores-by-label", "thin-labels"],
    ["gallery", "gallery-grid", "memorized-examples"],
)


def drawn(out):
    return [Path(line).stem for line in out.splitlines()]


@pytest.mark.usefixtures("first_rendered")
def test_figures(here, byrote_):
    byrote_("score", "digits", "--model", "gmm", "--folds", "3", "--repeats", "1", "--out", "run")
    code, out, err = byrote_("figures", "run", "--record", "17", "--record", "3")
    assert code == 0
    assert drawn(out) == [*ALWAYS, *OF_LABELS, *OF_IMAGES, "record-000017", "record-000003"]
    for path in map(Path, out.splitlines()):
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_mode & 0o777 == 0o600
    assert err.splitlines() == [
        "byrote: no figure of the records found: none was found (q ≤ 0.05)",
        "byrote: no losses: the fits of the run reported none",
        "byrote: no quantiles over epochs: the run has scores of one epoch only (--track)",
        "byrote: no distance ratios: byrote neighbors has not been run",
        "byrote: no reproduced records: byrote neighbors has not been run",
    ]


@pytest.mark.usefixtures("first_rendered")
def test_figures_of_rows_of_numbers_beside_another_run(here, byrote_):
    for name in ("one", "two"):
        byrote_("score", "x.npy", *KDE, "--out", name)
    beside = ("--against", "two", "--names", "left, right", "--clusters", "3")
    code, out, err = byrote_("figures", "one", *beside, "--format", "svg")
    assert code == 0
    assert drawn(out) == [*ALWAYS[:1], "scores-compared", *ALWAYS[1:], "thin-clusters"]
    assert all(Path(line).read_bytes().startswith(b"<?xml") for line in out.splitlines())
    assert "no class figures: the records have no labels" in err
    assert "no gallery: the records are rows of numbers, not images" in err
    assert not Path("two/figures").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "gif"], "--format must be one of png, pdf, svg"),
        (["--names", "a,b"], "--names must be 1 name separated by commas; got 2"),
        (["--against", "run"], "--names must be different names"),
        (["--against", "run", "--names", "a,a"], "--names must be different names"),
        (["--against", "none"], "none holds no run"),
        (["--record", "secret"], "id must be the id of one of the 40 records"),
        (["--clusters", "0"], "--clusters must be an integer of at least 1"),
    ],
)
def test_figures_refuse(here, byrote_, once, arguments, message):
    once("score", "x.npy", *KDE, "--out", "run")
    code, out, err = byrote_("figures", "run", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert "secret" not in err
    assert not Path("run/figures").exists()


@pytest.mark.usefixtures("unrendered")
def test_part_and_image_are_options_and_belong_to_the_run(here, byrote_):
    """The figures load the data again, in the same part and geometry."""
    write_cifar(here / "cifar", each=5)
    plan = ["--model", "kde", "--folds", "4", "--repeats", "1", "--out", "run"]
    shape = ["--part", "test", "--image", "crop=0,0,8,8 pad=1"]
    code, out, err = byrote_("score", "cifar", *shape, *plan)
    assert (code, err) == (0, "")
    description = byrote.open_run("run").memorization().description["data"]
    assert (description["records"], description["shape"]) == (5, [10, 10, 3])
    assert description["options"] == {"part": "test", "image": "crop=0,0,8,8 pad=1"}
    code, out, err = byrote_("figures", "run")
    assert code == 0
    assert "gallery.png" in out
    code, out, err = byrote_("score", "cifar", "--part", "train", *plan)
    assert code == 2
    assert "holds another run" in err


def test_part_and_image_are_refused_in_a_sentence(here, byrote_):
    code, out, err = byrote_("score", "digits", "--image", "pat=2", *KDE, "--out", "run")
    assert (code, out) == (2, "")
    assert "did you mean pad?" in err
    assert not (here / "run").exists()


@pytest.mark.usefixtures("unrendered")
def test_figures_of_a_tracked_run(here, byrote_):
    Path("slow.py").write_text(
        "from sklearn.base import BaseEstimator\n"
        "class Slow(BaseEstimator):\n"
        "    def fit(self, X, on_epoch=None):\n"
        "        self.centre_ = 0 * X.mean(axis=0)\n"
        "        for epoch in range(1, 5):\n"
        "            self.centre_ = (self.centre_ + X.mean(axis=0)) / 2\n"
        "            if on_epoch:\n"
        "                on_epoch(epoch, {'train': -self.score_samples(X).mean()})\n"
        "        return self\n"
        "    def score_samples(self, X):\n"
        "        return -((X - self.centre_) ** 2).sum(axis=1)\n"
    )
    plan = ["--folds", "4", "--repeats", "2", "--track", "1,2"]
    assert byrote_("score", "x.npy", "--model", "slow:Slow", *plan, "--out", "run")[0] == 0
    code, out, err = byrote_("figures", "run", "--format", "svg")
    assert code == 0, err
    assert drawn(out)[-2:] == ["losses", "quantiles-over-epochs"]


@pytest.mark.usefixtures("unrendered")
def test_figures_of_data_that_changed(here, byrote_):
    np.save("images.npy", np.random.default_rng(0).random((30, 4, 4)))
    byrote_("score", "images.npy", *KDE, "--out", "run")
    np.save("images.npy", np.random.default_rng(1).random((30, 4, 4)))
    code, out, err = byrote_("figures", "run", "--format", "svg")
    assert code == 0
    assert "scores.svg" in out
    assert "no gallery: images.npy has changed since the run" in err


@pytest.mark.filterwarnings("default")
@pytest.mark.usefixtures("without_torch")
def test_own_estimator(here, byrote_):
    Path("mine.py").write_text(
        "import warnings\n"
        "from sklearn.base import BaseEstimator\n"
        "import numpy as np\n"
        "class Mine(BaseEstimator):\n"
        "    def __init__(self, scale=1.0, random_state=None):\n"
        "        self.scale, self.random_state = scale, random_state\n"
        "    def fit(self, X):\n"
        "        print('fitting', X[0])\n"
        "        warnings.warn(f'careful: {X[0]}')\n"
        "        noise = np.random.default_rng(self.random_state).normal()\n"
        "        self.centre_ = X.mean(axis=0) + noise\n"
        "        return self\n"
        "    def score_samples(self, X):\n"
        "        return -self.scale * ((X - self.centre_) ** 2).sum(axis=1)\n"
    )
    common = ["score", "x.npy", "--model", "mine:Mine", "--set", "scale=2.5", "--folds", "4"]
    code, out, _ = byrote_(*common, "--repeats", "2", "--out", "run")
    assert code == 0
    assert "Mine(scale=2.5)" in out
    workers = ["--repeats", "2", "--out", "run2", "--executor", "processes", "--csv"]
    code, err = ended(forked(*common, *workers, folder=here), here)
    assert code == 0
    assert Path("stdout").read_text() == byrote_("show", "run", "--csv")[1]
    assert not (here / "run2" / "work").exists()
    assert "8 of 8 fits warned: UserWarning at mine.py:" in err
    assert "careful" not in err


@pytest.mark.parametrize(
    "plan",
    [
        ["--plan", "leave-one-out"],
        ["--plan", "subset", "--fraction", "0.6", "--fits", "8"],
        ["--plan", "probes", "--probes", "6", "--fits", "8"],
        ["--plan", "probes", "--probes", "6", "--fits", "8", "--pairs"],
        ["--plan", "kfold", "--folds", "3"],
    ],
)
def test_plans(here, byrote_, plan):
    code, out, err = byrote_("score", "x.npy", "--model", "kde", *plan, "--out", "run")
    assert (code, err) == (0, "")
    assert plan[1] in out


def test_the_test_is_chosen_when_scoring_and_when_showing(here, byrote_):
    code, out, _ = byrote_("score", "x.npy", *KDE, "--out", "run", "--test", "exact")
    assert code == 0
    assert "p-values: exact (the exact test was asked for)." in out
    assert byrote_("show", "run", "--test", "exact") == (0, out, "")
    moderated = byrote_("show", "run")[1]
    assert "p-values: moderated t." in moderated
    assert byrote_("show", "run", "--test", "moderated")[1] == moderated
    data = json.loads(byrote_("show", "run", "--test", "exact", "--json")[1])
    assert data["summary"]["sensitivity"]["reason"] == "the exact test was asked for"
    code, _, err = byrote_("show", "run", "--test", "t")
    assert code == 2
    assert "moderated" in err


def test_bystanders_are_scored_and_are_the_control(here, byrote_):
    np.save("many.npy", np.random.default_rng(2).normal(size=(200, 2)))
    plan = ["--plan", "probes", "--probes", "20", "--fits", "8"]
    command = ["score", "many.npy", "--model", "kde", *plan, "--bystanders", "120"]
    code, out, _ = byrote_(*command, "--out", "run")
    assert code == 0
    assert "20 of 200 records scored in 8 fits; 180 not scored by the plan" in " ".join(out.split())
    assert "Negative control (bystanders)" in out
    assert len(byrote.open_run("run").design.bystanders) == 120
    code, _, err = byrote_(*command[:-1], "181", "--out", "other")
    assert (code, "bystanders must not exceed the 180 records" in err) == (2, True)
    code, _, err = byrote_("score", "x.npy", *KDE, "--bystanders", "5", "--out", "other")
    assert (code, "--bystanders is not an option of --plan kfold" in err) == (2, True)


def test_dry_run_forecasts_and_writes_nothing(here, byrote_):
    before = sorted(here.rglob("*"))
    code, out, _ = byrote_("score", "x.npy", *KDE, "--dry-run")
    assert code == 0
    assert "8 fits" in out
    assert "standard error of mean_log about" in out
    data = json.loads(byrote_("score", "x.npy", *KDE, "--dry-run", "--json")[1])
    assert data["fits"] == 8
    assert data["seconds"] > 0
    assert sorted(here.rglob("*")) == before


def test_a_run_is_extended_by_the_same_command_with_more(here, byrote_, once):
    once("score", "x.npy", *KDE, "--out", "run")
    code, out, _ = byrote_(
        "score", "x.npy", "--model", "kde", "--folds", "4", "--repeats", "3", "--out", "run"
    )
    assert code == 0
    assert "scored in 12 fits" in out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs an always full device")
def test_built_in_models_run_nothing_from_the_current_folder(here):
    """In a process of its own, which must not fail once more as it exits for a full output."""
    for name in ("torch", "sklearn", "numpy"):
        Path(f"{name}.py").write_text("raise SystemExit('executed')")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [Path(sys.executable).with_name("byrote"), "score", "x.npy", *KDE, "--out", "run"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment, check=False
        )
    assert done.stderr == "byrote: standard output: No space left on device\n"
    assert done.returncode == 4
    assert byrote.open_run("run").finished == tuple(range(8))


def test_version_and_help(byrote_):
    assert byrote_("--version")[1].strip() == f"byrote {byrote.__version__}"
    code, out, _ = byrote_("--help")
    assert code == 0
    assert "..." not in out.partition("Commands:")[2]  # each verb's line stands whole
    code, out, _ = byrote_("score", "--help")
    assert code == 0
    assert "--dry-run" in out


VERBS = [verb.name for verb in app.app.registered_commands]


def test_commands_import_what_they_need_alone(here):
    """What is slow waits until the options of a verb are accepted, torch until it trains."""
    model = VAE(2, hidden=[4], epochs=1)
    byrote.score_memorization(model, np.clip(X, 0, 1), plan=byrote.KFold(2, 2), out="run")
    slow = ["pandas", "sklearn", "scipy", "torch", "pyarrow", "matplotlib", "rich"]
    code = (
        "import sys\nfrom byrote.cli import app, exits\n"
        "for words in (['--help'], ['score', '--help'], ['score', 'x.npy', '--foldz', '3'],\n"
        "              ['score', 'x.npy', '--plan', 'kfolds'], ['shwo', 'run'],\n"
        "              ['show', 'nothing'], ['compare', 'nothing', 'nothing']):\n"
        "    exits.run(lambda: app.app(words, standalone_mode=False), debug=False)\n"
        f"loaded = {{name for name in sys.modules if name.split('.')[0] in {slow}}}\n"
        "verbs = {name for name in sys.modules if name.startswith('byrote.cli.verbs')}\n"
        "assert not loaded | verbs, loaded | verbs\n"
        "app.app(['show', 'run'], standalone_mode=False)\n"
        "assert 'torch' not in sys.modules\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert b"VAE(epochs=1, hidden=[4], latent_dim=2)" in shown.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_a_module_of_its_name(verb):
    assert callable(getattr(import_module(f"byrote.cli.verbs.{verb}"), verb))


@pytest.mark.parametrize("verb", VERBS)
def test_help_explains_each_option_in_words(byrote_, verb):
    assert "typing." not in byrote_(verb, "--help")[1]


def test_choices_are_those_of_the_library(byrote_):
    assert shared.KeptModels == Literal[KEEP_MODELS]
    assert shared.ExecutorName == Literal[EXECUTORS]
    assert get_args(PlanName) == tuple(_PLANS)
    assert set(get_args(StudyName)) == set(NAMES)
    assert "[none|release|all]" in byrote_("score", "--help")[1]


def test_help_names_every_slot_and_model():
    files = [Path(module.__file__) for module in (training, shared)]
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    assert [name for name in NAMED_KINDS if f"{{{name}" not in text] == []
    assert [name for name in _BUILT_IN if name not in text] == []


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_takes_the_option_that_its_errors_name(verb, byrote_):
    code, _, err = byrote_(verb, "--debug", "--help")
    assert (code, err) == (0, "")
    assert "--debug" in byrote_(verb, "--help")[1]


GOOD = ["--model", "kde", "--out", "run"]
BAD = {
    "nan": ("nan.npy", GOOD, "X must be finite; NaN in row 3"),
    "infinite": ("inf.npy", GOOD, "X must be finite; an infinite value in row 2"),
    "one dimension": ("flat.npy", GOOD, "one dimension"),
    "five dimensions": ("deep.npy", GOOD, "must have shape (n, d)"),
    "no records": ("none.npy", GOOD, "at least one record"),
    "channels first": ("first.npy", GOOD, "channels last"),
    "objects": ("object.npy", GOOD, "object"),
    "too few for the folds": ("x.npy", [*GOOD, "--folds", "50"], "got 50 folds for 40 records"),
    "no fold": ("x.npy", [*GOOD, "--folds", "0"], "folds must be an integer of at least 2; got 0"),
    "one fold": ("x.npy", [*GOOD, "--folds", "1"], "folds must be an integer of at least 2"),
    "repeated ids": (
        "ids.csv",
        [*GOOD, "--ids", "name"],
        "ids, column 'name', must all differ",
    ),
    "unknown type": ("x.xyz", GOOD, "x.xyz"),
    "no such file": ("y.npy", GOOD, "y.npy"),
    "truncated parquet": ("cut.parquet", GOOD, "cut.parquet"),
    "truncated idx": ("cut-images-idx3-ubyte", GOOD, "bytes"),
    "outside of [0, 1]": ("x.npy", ["--model", "vae", "--out", "run"], "X must lie in [0, 1]"),
    "no score_samples": (
        "x.npy",
        ["--model", "estimators:NoScore", "--out", "run"],
        "NoScore has no score_samples",
    ),
    "unknown setting": ("x.npy", [*GOOD, "--set", "bandwith=1"], "did you mean bandwidth?"),
    "refused setting": ("x.npy", [*GOOD, "--set", "bandwidth=-1"], "'bandwidth' parameter"),
    "setting without a value": ("x.npy", [*GOOD, "--set", "bandwidth"], "must be name=value"),
    "unknown model": ("x.npy", ["--model", "vea", "--out", "run"], "did you mean vae?"),
    "unknown module": (
        "x.npy",
        ["--model", "nothing:Here", "--out", "run"],
        "cannot import nothing",
    ),
    "unknown class": (
        "x.npy",
        ["--model", "estimators:Kernal", "--out", "run"],
        "did you mean Kernel?",
    ),
    "unknown plan": ("x.npy", [*GOOD, "--plan", "kfolds"], "did you mean kfold?"),
    "option of another plan": (
        "x.npy",
        [*GOOD, "--fits", "3"],
        "--fits is not an option of --plan kfold",
    ),
    "missing option": ("x.npy", [*GOOD, "--plan", "subset", "--fits", "3"], "needs --fraction"),
    "no folder": ("x.npy", ["--model", "kde"], "--out must name a folder"),
    "folder in a file": ("x.npy", ["--model", "kde", "--out", "x.npy/run"], "x.npy is a file"),
    "folder in use": ("x.npy", ["--model", "kde", "--out", "."], "not empty and holds no run"),
    "both formats": ("x.npy", [*GOOD, "--json", "--csv"], "exclude each other"),
    "executor": ("x.npy", [*GOOD, "--executor", "rya"], "did you mean ray?"),
    "threads": ("x.npy", [*GOOD, "--threads", "9999"], "threads must not exceed"),
    "labels": ("x.npy", [*GOOD, "--stratify"], "needs labels"),
    "no number": ("x.npy", [*GOOD, "--folds", "ten"], "--folds must be a whole number; got 'ten'"),
    "epochs": ("x.npy", ["--set", "epochs=-3", "--out", "run"], "epochs must be an integer"),
    "two sets": ("x.npy", [*GOOD, "y.npy"], "score --help lists what there is"),
    "unknown option": ("x.npy", [*GOOD, "--foldz", "3"], "no such option: --foldz"),
}


@pytest.fixture
def bad_data(here, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    broken = X.copy()
    broken[3, 1] = np.nan
    np.save("nan.npy", broken)
    broken[3, 1], broken[2, 0] = 0, np.inf
    np.save("inf.npy", broken)
    np.save("flat.npy", X[:, 0])
    np.save("deep.npy", np.zeros((2, 2, 2, 2, 2)))
    np.save("none.npy", np.zeros((0, 2)))
    np.save("first.npy", np.zeros((5, 3, 8, 8)))
    np.save("object.npy", np.array([{}, 1], dtype=object), allow_pickle=True)
    Path("ids.csv").write_text("name,value\nann,1\nbob,2\nann,3\n")
    Path("x.xyz").write_text("1 2 3")
    pd.DataFrame(X, columns=["a", "b"]).to_parquet("whole.parquet")
    Path("cut.parquet").write_bytes(Path("whole.parquet").read_bytes()[:-30])
    Path("cut-images-idx3-ubyte").write_bytes(
        bytes([0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 2, 0, 0, 0, 2, 7])
    )
    return here


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_nothing_is_written(bad_data, byrote_, case):
    source, arguments, message = BAD[case]
    before = sorted(bad_data.rglob("*"))
    code, out, err = byrote_("score", source, *arguments)
    assert code == 2
    assert out == ""
    assert message in err
    assert "Traceback" not in err
    if case != "unknown option":
        assert len(err.strip().splitlines()) == 1
    assert [
        path for path in sorted(bad_data.rglob("*")) if "__pycache__" not in str(path)
    ] == before


def test_another_run_is_refused(here, byrote_, once):
    once("score", "x.npy", *KDE, "--out", "run")
    code, out, err = byrote_("score", "x.npy", "--model", "kde", "--folds", "5", "--out", "run")
    assert (code, out) == (2, "")
    assert "plan folds 4 there, 5 here" in err


def test_show_without_a_run(here, byrote_):
    code, _, err = byrote_("show", "nowhere")
    assert code == 2
    assert "holds no run" in err


def test_a_run_without_a_single_fit_is_complained_of_once(here, byrote_, once):
    once("score", "x.npy", *KDE, "--out", "run")
    for path in (here / "run" / "fits").iterdir():
        path.unlink()
    code, out, err = byrote_("show", "run")
    assert (code, out) == (4, "")
    assert err.count("8 of 8 fits are missing") == 1


def test_failed_fits_are_named_and_the_exit_code_says_so(here, byrote_, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    x = np.concatenate([np.zeros((1, 1)), np.random.default_rng(0).normal(size=(179, 1))])
    np.save("x.npy", x)
    code, out, err = byrote_(
        "score",
        "x.npy",
        "--model",
        "estimators:Misbehaving",
        "--folds",
        "3",
        "--repeats",
        "2",
        "--out",
        "run",
    )
    assert code == 4
    assert "2 of 6 fits are missing from run (2 failed: 0, 4; fit 0 by ValueError" in err
    assert "ValueError at estimators.py" in err
    assert "secret" not in err + out
    assert "INCOMPLETE: 2 fits are missing" in out
    assert byrote_("show", "run")[0] == 4


@pytest.mark.filterwarnings("default")
def test_what_a_model_prints_or_warns_stays_out_of_the_result(here):
    model = ["--model", "estimators:Talks", "--folds", "4", "--repeats", "2", "--out", "run"]
    code, err = ended(forked("score", "x.npy", *model, "--json", folder=here), here)
    assert code == 0
    assert json.loads(Path("stdout").read_text())["summary"]["scored"] == 40
    assert "8 of 8 fits warned: UserWarning at estimators.py:" in err
    assert "careful" not in err


def test_a_model_that_ends_the_process_is_a_failed_fit(here, byrote_, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    np.save("x.npy", np.random.default_rng(0).normal(size=(120, 1)))
    code, _, err = byrote_(
        "score",
        "x.npy",
        "--model",
        "estimators:Leaves",
        "--folds",
        "3",
        "--repeats",
        "1",
        "--out",
        "run",
    )
    assert code == 4
    assert "SystemExit at estimators.py" in err


def test_control_characters_do_not_reach_the_terminal(here, byrote_):
    names = [f"\x1b[31mred{i}\nline\t" for i in range(40)]
    frame = pd.DataFrame({"id": names, "a": X[:, 0]})
    frame.to_parquet("x.parquet")
    _, out, _ = byrote_("score", "x.parquet", "--ids", "id", *KDE, "--out", "run")
    assert "\x1b" not in out
    assert "\\x1b[31mred" in out


STALL = ["--set", "how=stall", "--set", "marked=1000", "--set", "flag=stall"]
STALLING = ["score", "x.npy", "--model", "estimators:Misbehaving", "--out", "run", *STALL]
STALLING += ["--folds", "5", "--repeats", "4"]


def heed_ctrl_c():
    """Where tests run in the background, a shell may have told them to ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def kept(folder):
    """Finished fits and when they were written."""
    fits = (folder / "run" / "fits").glob("fit-*")
    return {path.name: path.stat().st_mtime_ns for path in fits}


@pytest.fixture
def stalling(here):
    """Records on which a worker stalls after a few fits."""
    x = np.random.default_rng(0).normal(size=(120, 2))
    x[0] = 1000
    np.save("x.npy", x)
    Path("stall").touch()


def wait_for_fits(folder, has_ended):
    until = time.monotonic() + 180  # workers start slowly on a busy machine
    while not kept(folder):
        assert time.monotonic() < until
        assert not has_ended()
        time.sleep(0.05)


FORKING = """
from functools import partial
from multiprocessing import get_context
from byrote.cli import main
from byrote.runs.executors import processes
forked = partial(processes.ProcessPoolExecutor, context=get_context("fork"))
processes.ProcessPoolExecutor = forked  # which has imported everything
main()
"""


@pytest.fixture
def under_way(here, stalling):
    """A command in a new interpreter, with a worker; it leads its own group."""
    process = subprocess.Popen(
        [sys.executable, "-c", FORKING, *STALLING, "--executor", "processes"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_ctrl_c,
    )
    try:
        wait_for_fits(here, lambda: process.poll() is not None)
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=180)


def test_interrupted_it_says_how_to_go_on(here, under_way, byrote_):
    os.killpg(under_way.pid, signal.SIGINT)  # as a terminal does: to every process of the group
    out, err = under_way.communicate(timeout=180)
    assert under_way.returncode == 130
    assert out == ""
    assert re.search(r"fits? (is|are) kept in run, and the same command resumes from there", err)
    assert "Traceback" not in err
    done = kept(here)
    Path("stall").unlink()
    assert byrote_(*STALLING)[0] == 0
    now = kept(here)
    assert len(now) == 20
    assert {name: now[name] for name in done} == done


@pytest.mark.usefixtures("stalling", "forked_workers")
def test_terminated_it_cleans_up(here):
    process = forked(*STALLING, "--executor", "processes", folder=here)
    wait_for_fits(here, lambda: has_ended(process))
    os.kill(process, signal.SIGTERM)
    code, err = ended(process, here)
    assert code == 130
    assert re.search(r"fits? (is|are) kept", err)
    assert not (here / "run" / "work").exists()


def test_another_code_of_the_same_class_is_another_model(here, byrote_, monkeypatch):
    source = Path("tests_own_code.py")
    text = (
        "from sklearn.base import BaseEstimator\n"
        "class Own(BaseEstimator):\n"
        "    def fit(self, X):\n"
        "        return self\n"
        "    def score_samples(self, X):\n"
        "        return -(X ** 2).sum(axis=1)\n"
    )
    command = ["score", "x.npy", "--model", "tests_own_code:Own", *KDE[2:], "--out", "run"]
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # whose time stamps are of seconds
    for expected, changed in (
        (0, text),
        (0, "# a comment\n" + text),
        (2, text.replace("** 2", "** 4")),
    ):
        source.write_text(changed)
        sys.modules.pop("tests_own_code", None)
        linecache.clearcache()
        code, _, err = byrote_(*command)
        assert code == expected, err
    assert "model code" in err


def test_an_unexpected_error_does_not_quote(byrote_, capfd, monkeypatch):
    def defect():
        raise KeyError("a private record")

    assert exits.run(defect, debug=False) == 1
    err = capfd.readouterr().err
    assert "unexpected KeyError" in err
    assert "private" not in err
    assert exits.run(defect, debug=True) == 1
    assert "private" in capfd.readouterr().err
