"""byrote study, end to end: of scores on a small set in MNIST's files, of others at tiny size."""

import json
import re
import shlex
import shutil
import tomllib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import byrote
import tiny_mitigations
import tiny_studies
from byrote.cli.verbs import figures
from byrote.models import VAE, CharLSTM
from byrote.studies import kinds

STUDY = ["study", "mnist-1e-3", "--data", "mnist"]
SMALL = ["--records", "40", "--repeats", "2", "--epochs", "2"]
RUN = [*STUDY, *SMALL, "--out", "run"]


def small_network(name):
    """A study of scores, whose small scale has 2 folds, 4 draws and a small network."""
    declared = tomllib.loads(files("byrote.studies").joinpath(f"{name}.toml").read_text("utf-8"))
    declared["run"][0]["model"] |= {"hidden": [16, 8], "latent_dim": 2}
    declared["small"]["settings"]["folds"] = 2
    declared["small"]["model"]["draws"] = 4
    return kinds.ScoreStudy(name=name, **declared)


@pytest.fixture
def data(coarse, monkeypatch, tmp_path):
    """60 training and 30 test images of 28 x 28 in MNIST's four files; figures of few pixels."""
    monkeypatch.setattr(kinds, "load_study", small_network)
    folder = tmp_path / "mnist"
    folder.mkdir()
    generator = np.random.default_rng(4)
    for name, n in (("train", 60), ("t10k", 30)):
        grey = generator.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        grey[generator.random(grey.shape) < 0.7] = 0
        head = bytes([0, 0, 8, 3]) + b"".join(k.to_bytes(4, "big") for k in grey.shape)
        (folder / f"{name}-images-idx3-ubyte").write_bytes(head + grey.tobytes())
        labels = bytes([0, 0, 8, 1]) + n.to_bytes(4, "big") + bytes(i % 3 for i in range(n))
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(labels)


@pytest.fixture
def without_figures(data, monkeypatch):
    """Nothing is drawn: these tests look elsewhere."""
    monkeypatch.setattr(figures, "draw", lambda runs, toys: iter(()))


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """Where the finished run is kept for the tests of this module."""
    return tmp_path_factory.mktemp("once") / "run"


@pytest.fixture
def finished(once, byrote_, data, monkeypatch, tmp_path):
    """A copy of the finished run, made by the command once for all tests."""
    if not once.exists():
        with monkeypatch.context() as patch:
            patch.setattr(figures, "draw", lambda runs, toys: iter(()))
            assert byrote_(*RUN)[0] == 0
        (tmp_path / "run").rename(once)
    shutil.copytree(once, tmp_path / "run")
    return tmp_path / "run"


def written_of_scores(folder):
    """When each file of the run's own was written."""
    parts = [folder / "run.json", *folder.glob("fits/*"), *folder.glob("models/*")]
    return {path.name: path.stat().st_mtime_ns for path in parts}


def cells(text, title):
    """The cells of the row of a Markdown table that starts with a title."""
    line = next(line for line in text.splitlines() if line.startswith(f"| {title} |"))
    return [cell.strip() for cell in line.strip("|").split("|")[1:]]


@pytest.mark.usefixtures("unrendered")
def test_the_report_says_what_was_run_and_found(byrote_, finished, tmp_path):
    code, out, err = byrote_(*RUN, "--validation-part", "test")
    assert code == 0
    assert err.splitlines() == [
        "byrote: no figure of the records found: none was found (q ≤ 0.05)",
        "byrote: no quantiles over epochs: the run has scores of one epoch only (--track)",
    ]
    text = (tmp_path / "run" / "study.md").read_text()
    assert (tmp_path / "run" / "study.md").stat().st_mode & 0o777 == 0o600
    found = byrote.open_run("run").memorization().summary().distribution
    for title, published, key in (
        ("median", "4.4", "median"),
        ("lowest", "about -18", "minimum"),
        ("highest", "about 210", "maximum"),
        ("95th percentile", "–", "q0.95"),
    ):
        paper, *ours = cells(text, title)
        assert paper == published
        expected = [found[name][key].value for name in ("score", "matched", "mean_log")]
        numbers = [float(cell.replace(",", "")) for cell in ours]
        assert numbers == pytest.approx(expected, rel=6e-3, abs=6e-3)  # as printed
    for fact in (
        "records 40 in place of 10,000; repeats 2 in place of 4; epochs 2 in place of 25",
        "mnist: 40 records of shape 32 x 32",
        "2 folds, 2 repeats",
        "4 of 4, ",
        "numpy " + np.__version__,
        "compile False",
        "folds 2 (10); repeats 2 (10); epochs 2 (100); draws 4 (256); noise drawn once (at every",
        "records 40 (60,000)",
        "not comparable",
        "    byrote study mnist-1e-3 --data mnist --scale small --records 40 --repeats 2",
        "--validation-part test",
        "van den Burg & Williams",
        "## Nearest neighbours",
        "![figures/toy-memorization.png](figures/toy-memorization.png)",
        "![figures/gallery.png](figures/gallery.png)",
        "](figures/ratio-by-score.png)",
    ):
        assert fact in text
    for path in re.findall(r"\]\((figures/.*)\)$", text, re.MULTILINE):
        assert (tmp_path / "run" / path).is_file()
    for fact in ("about 210", "bits per dimension", "mean of rho", "are in run"):
        assert fact in out


def test_json_agrees_with_the_log_likelihoods(byrote_, without_figures, finished):
    code, out, err = byrote_(*RUN, "--json")
    assert (code, err) == (0, "")
    data = json.loads(out, parse_constant=pytest.fail)
    result = byrote.open_run("run").memorization()
    assert data["found"]["score"]["median"] == pytest.approx(np.median(result.score))
    assert data["found"]["matched"]["q95"] == pytest.approx(np.percentile(result.matched, 95))
    assert data["median_above_matched"] == pytest.approx(
        np.median(result.score) - np.median(result.matched)
    )
    top = np.argsort(result.score)[-2:]  # 5 % of 40
    low, high = np.percentile(result.log_prob_in, [5, 95])
    assert data["central_share"] == np.mean([low <= result.log_prob_in[i] <= high for i in top])
    import pandas as pd

    table = pd.concat(pd.read_parquet(path) for path in Path("run/fits").iterdir())
    means = table[table.included == 0].log_prob.mean()  # folds are of equal size
    assert data["bits_per_dimension"]["out"] == pytest.approx(-means / (1024 * np.log(2)))
    assert data["published"]["maximum"] == {"value": 210, "note": "about"}
    assert data["overridden"] == {"records": [40, 10000], "repeats": [2, 4], "epochs": [2, 25]}
    assert len(data["seconds"]) == 4
    assert data["neighbors"] is None
    assert data["summary"]["scored"] == 40


def test_a_study_resumes_extends_and_else_only_prints(byrote_, without_figures, finished, tmp_path):
    first = written_of_scores(tmp_path / "run")
    assert len(first) == 6  # run.json, four fits, the release model
    report = (tmp_path / "run" / "study.md").read_text()
    assert byrote_(*RUN)[0] == 0
    assert written_of_scores(tmp_path / "run") == first
    assert (tmp_path / "run" / "study.md").read_text() == report
    (tmp_path / "run" / "fits" / "fit-000003.parquet").unlink()
    scores = byrote.open_run("run").memorization(partial=True).missing
    assert scores == (3,)
    byrote_(*RUN)
    again = written_of_scores(tmp_path / "run")
    assert {name for name in first if first[name] != again[name]} == {"fit-000003.parquet"}
    more = [word if word != "2" or i != RUN.index("2") else "3" for i, word in enumerate(RUN)]
    assert "2 folds, 3 repeats" in byrote_(*more)[1]
    after = written_of_scores(tmp_path / "run")
    assert len(after) == 8
    assert all(after[name] == again[name] for name in again if name != "run.json")


def test_the_score_command_makes_the_same_run(byrote_, without_figures, finished, tmp_path):
    command = json.loads(byrote_(*RUN, "--json")[1])["score_command"]
    words = shlex.split(command.replace("--out run", "--out other"))
    assert words[0] == "byrote"
    assert byrote_(*words[1:])[0] == 0
    one, other = (byrote.open_run(run).memorization() for run in ("run", "other"))
    assert np.array_equal(one.score, other.score)
    before = written_of_scores(tmp_path / "other")
    code, out, _ = byrote_(*RUN[:-1], "other")
    assert code == 0
    assert "about 210" in out
    assert written_of_scores(tmp_path / "other") == before


def test_dry_run_forecasts_and_writes_nothing(byrote_, data, tmp_path):
    code, out, _ = byrote_(*STUDY, *SMALL, "--dry-run", "--json")
    assert code == 0
    assert json.loads(out)["fits"] == 4
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "runs").exists()


def upset(monkeypatch, error, at):
    """Let the VAE raise an error when it scores for the time given."""
    score_samples, calls = VAE.score_samples, []

    def counted(self, x):
        calls.append(len(x))
        if len(calls) == at:
            raise error
        return score_samples(self, x)

    monkeypatch.setattr(VAE, "score_samples", counted)
    return calls


def test_an_interrupted_study_keeps_its_fits_and_a_fit_that_fails_is_said(
    byrote_, data, monkeypatch, tmp_path
):
    upset(monkeypatch, KeyboardInterrupt(), at=4)  # a rehearsal and a fit before
    code, out, err = byrote_(*RUN)
    assert (code, out) == (130, "")
    assert re.search(r"fits? (is|are) kept in run, and the same command resumes", err)
    assert 0 < len(list((tmp_path / "run" / "fits").iterdir())) < 4
    first = written_of_scores(tmp_path / "run")
    upset(monkeypatch, ValueError("secret"), at=4)
    code, out, err = byrote_(*RUN, "--validation-part", "test")
    assert code == 4
    assert "1 of 4 fits are missing" in err
    assert "no figures: fits are missing" in err
    assert "INCOMPLETE: 1 of 4 fits of" in out
    text = (tmp_path / "run" / "study.md").read_text()
    assert "INCOMPLETE" in text
    assert cells(text, "fits")[0].startswith("3 of 4")
    assert "secret" not in err + out + text
    monkeypatch.setattr(figures, "draw", lambda runs, toys: iter(()))
    assert byrote_(*RUN)[0] == 0
    assert "INCOMPLETE" not in (tmp_path / "run" / "study.md").read_text()
    assert first.items() <= written_of_scores(tmp_path / "run").items()


def test_the_run_folder_has_the_studys_name(byrote_, without_figures, finished, tmp_path):
    named = tmp_path / "runs" / "mnist-1e-3-small"
    named.parent.mkdir()
    finished.rename(named)
    (named / "study.md").unlink()
    assert byrote_(*STUDY, *SMALL)[0] == 0
    assert (named / "study.md").is_file()
    assert list(tmp_path.glob("run*")) == [named.parent]
    assert list(named.parent.iterdir()) == [named]


BAD = {
    "study": (["study", "mnist-1e3", "--data", "mnist"], "did you mean mnist-1e-3?"),
    "scale": ([*STUDY, "--scale", "papers"], "--scale must be one of small, paper"),
    "none there": (["study", "celeba", "--data", "nowhere/x"], "nowhere/x does not exist"),
    "too few": (STUDY, "records must be at most 60, the number of records; got 10000"),
    "records": ([*STUDY, "--records", "0"], "--records must be an integer of at least 1"),
    "epochs": ([*STUDY, "--epochs", "-1"], "--epochs must be an integer of at least 1"),
    "grey": (
        ["study", "cifar10", "--data", "wide.npy", "--records", "4"],
        "must hold colour images of 32 x 32 pixels for the study cifar10; got grey images of"
        " 32 x 32 pixels",
    ),
    "colour": (
        ["study", "mnist-1e-3", "--data", "colour.npy", "--records", "4"],
        "grey images of 32 x 32 pixels after --image pad=2 for the study mnist-1e-3; got colour"
        " images of 32 x 32 pixels",
    ),
    "size": (
        ["study", "mnist-1e-3", "--data", "wide.npy", "--records", "4"],
        "got grey images of 36 x 36 pixels",
    ),
    "rows": (
        ["study", "cifar10", "--data", "rows.npy", "--records", "4"],
        "got rows of 3072 numbers",
    ),
    "itself": (
        [*RUN, "--validation-part", "train"],
        "--validation must be records other than those of the run",
    ),
    "itself by name": ([*RUN, "--validation", "mnist"], "--validation must be records other than"),
    "no validation": ([*RUN, "--validation", "none.npy"], "none.npy does not exist"),
    "workers": ([*RUN, "--workers", "0"], "workers must be"),
    "a fold without a record": ([*STUDY, "--records", "1"], "fold"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_studied_is_refused(case, byrote_, data, tmp_path):
    arguments, message = BAD[case]
    np.save("wide.npy", np.zeros((9, 32, 32)))
    np.save("colour.npy", np.zeros((9, 28, 28, 3)))
    np.save("rows.npy", np.zeros((9, 3072)))
    code, out, err = byrote_(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "runs").exists()


PARETO = ["study", "exposure-pareto", "--out", "run"]
ONION = ["study", "onion", "--out", "run", "--records", "60"]


@pytest.fixture
def small(coarse, monkeypatch):
    """Studies are tiny, their figures of few pixels."""

    def load(name):
        if kinds.FORMS[name].kind == "exposure":
            study = tiny_studies.tiny(name)
            settings = {**study.small.settings, "references": 50}
            model = {**study.small.model, "batch_size": 16}
            shorter = {"settings": settings, "model": model, "characters": 4_000}
            return study.model_copy(update={"small": study.small.model_copy(update=shorter)})
        return tiny_mitigations.tiny(name, rounds=1, replications=2)

    monkeypatch.setattr(kinds, "load_study", load)


def written(folder):
    """When each file of the runs was written."""
    paths = [*folder.glob("*/fits/*"), *folder.glob("*/run.json")]
    return {path.relative_to(folder).as_posix(): path.stat().st_mtime_ns for path in paths}


def test_a_study_of_exposure_goes_on_is_reported_and_only_printed_the_next_time(
    byrote_, small, monkeypatch, tmp_path
):
    fit, calls = CharLSTM.fit, []

    def upset(error, at):
        calls.clear()

        def counted(self, x, y=None, *, on_epoch=None):
            calls.append(1)
            if len(calls) == at:
                raise error
            return fit(self, x, y, on_epoch=on_epoch)

        monkeypatch.setattr(CharLSTM, "fit", counted)

    upset(KeyboardInterrupt(), at=5)  # two rehearsals and two fits before
    code, out, err = byrote_(*PARETO)
    assert (code, out) == (130, "")
    assert "the same command resumes" in err
    done = {path for path in written(tmp_path / "run") if "fits/" in path}
    assert done == {"base/fits/fit-000000.parquet", "base/fits/fit-000001.parquet"}
    upset(ValueError("a secret"), at=3)  # the second fit of the second configuration
    with monkeypatch.context() as patch:
        patch.setattr(figures, "_render", unrendered)
        code, out, err = byrote_(*PARETO)
    assert code == 4
    assert "fits are missing" in err
    assert "a secret" not in err + out
    assert "INCOMPLETE: 1 of 2 fits of layers-1 are missing" in " ".join(out.split())
    monkeypatch.setattr(CharLSTM, "fit", fit)
    code, out, _ = byrote_(*PARETO)
    assert code == 0
    assert "Usefulness against exposure" in out
    assert "1 figures and this report" not in out
    assert "1 figure and this report, study.md, are in run" in out
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700
    first = written(tmp_path / "run")
    assert {"base/fits/fit-000000.parquet", "layers-1/fits/fit-000001.parquet"} <= set(first)
    report = (tmp_path / "run" / "study.md").read_text()
    assert (tmp_path / "run" / "study.md").stat().st_mode & 0o777 == 0o600
    assert "INCOMPLETE" not in report
    assert "    byrote study exposure-pareto --data python-help --scale small" in report
    assert "On the Pareto frontier" in report
    assert (tmp_path / "run" / "figures" / "exposure-pareto.png").read_bytes()[1:4] == b"PNG"
    monkeypatch.setattr(figures, "_render", unrendered)
    code, out, _ = byrote_(*PARETO, "--json")
    assert code == 0
    data = json.loads(out, parse_constant=pytest.fail)
    assert data["study"] == "exposure-pareto"
    assert data["figures"] == ["figures/exposure-pareto.png"]
    assert written(tmp_path / "run") == first
    assert (tmp_path / "run" / "study.md").read_text() == report


def unrendered(figure, format_):
    """A file in place of a figure, where another call looks at it."""
    return memoryview(b"a figure"), False


def test_a_study_of_mitigations_that_fails_goes_on(byrote_, small, monkeypatch, tmp_path):
    fit, calls = tiny_mitigations.Kernel.fit, []

    def failing(self, X, y=None):
        calls.append(1)
        if len(calls) == 3:  # the second fit of the first audit, after a rehearsal
            raise ValueError("a secret")
        return fit(self, X)

    monkeypatch.setattr(tiny_mitigations.Kernel, "fit", failing)
    with monkeypatch.context() as patch:
        patch.setattr(figures, "_render", unrendered)
        code, out, err = byrote_(*ONION)
    assert code == 4
    assert "a secret" not in out + err
    said = " ".join(out.split())
    assert "INCOMPLETE: 1 of 4 fits of 1-all are missing" in said
    assert "INCOMPLETE: no fit of 1-pruned-1 is finished" in said
    first = written(tmp_path / "run")
    assert any(name.startswith("2-random-1/fits") for name in first)
    assert not any(name.startswith("1-pruned-1") for name in first)
    code, out, _ = byrote_(*ONION)
    assert code == 0
    assert "INCOMPLETE" not in out
    last = written(tmp_path / "run")
    assert first.items() <= last.items()
    report = (tmp_path / "run" / "study.md").read_text()
    assert "    byrote study onion --data digits --scale small --records 60" in report
    assert "over 2 replications" in report
    assert (tmp_path / "run" / "figures" / "onion.png").read_bytes()[1:4] == b"PNG"
    monkeypatch.setattr(figures, "_render", unrendered)
    code, out, _ = byrote_(*ONION, "--json")
    assert code == 0
    data = json.loads(out, parse_constant=pytest.fail)
    assert (data["study"], data["figures"]) == ("onion", ["figures/onion.png"])
    assert written(tmp_path / "run") == last


REFUSED = {
    "repeats of mitigations": (
        ["study", "onion", "--repeats", "5"],
        "--repeats does not apply to the study",
    ),
    "scale of mitigations": (
        ["study", "mitigations", "--scale", "paper"],
        "--scale must be one of small, full",
    ),
    "no records": (["study", "onion", "--data", "nowhere.npz"], "nowhere.npz"),
    "too many records": (["study", "onion", "--records", "1700"], "--records must leave 297"),
    "odd": (["study", "onion", "--fits", "3"], "fits must be even for probes"),
    "records": (["study", "exposure-pareto", "--records", "5"], "--records does not apply"),
    "dry run": (["study", "skew-normal-fit", "--dry-run"], "--dry-run does not apply"),
    "scale": (
        ["study", "skew-normal-fit", "--scale", "paper"],
        "--scale must be one of small, full",
    ),
    "characters": (
        ["study", "celeba", "--data", "x", "--characters", "5"],
        "--characters does not apply to the study celeba",
    ),
    "no data": (["study", "celeba"], "--data must name the data set for the study celeba"),
    "nowhere": (
        ["study", "skew-normal-fit", "--data", "nowhere.txt"],
        "nowhere.txt does not exist",
    ),
    "too short": (
        ["study", "exposure-pareto", "--characters", "400"],
        "insertions must fit into the text",
    ),
    "name": (["study", "exposure-paret"], "did you mean exposure-pareto?"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_a_sentence_before_any_work(byrote_, tmp_path, case):
    arguments, message = REFUSED[case]
    code, out, err = byrote_(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert not (tmp_path / "runs").exists()
