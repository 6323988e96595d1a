"""byrote expose and what serves its runs: show, figures, and refusals by the other verbs."""

import csv
import io
import json
import os
import re
import signal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import byrote

TESTS = str(Path(__file__).parents[1])
TEXT = "".join(f"line {k} of a text about {k % 7} cats and {k % 11} dogs\n" for k in range(400))
CANARY = "the code is {digits:4}"
FEW = ["--insertions", "1,8", "--canaries-per-level", "2", "--controls", "3"]
NGRAM = ["--model", "languages:Ngram", "--set", "order=5"]
PLANTED = ["text.txt", "--canary", CANARY, *NGRAM, *FEW, "--references", "60"]
RUN = [*PLANTED, "--out", "run"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(TESTS)
    Path("text.txt").write_text(TEXT)
    return tmp_path


def secrets_of(run):
    return pq.read_table(f"{run}/canaries.parquet").column("completion").to_pylist()


def check_keeps_secrets(run, *texts):
    """No secret stands in what was printed, nor in any readable file of the run."""
    texts = [*texts, *(path.read_text() for path in Path(run).glob("*.json"))]
    found = [secret for secret in secrets_of(run) for text in texts if secret in text.split()]
    found += [s for s in secrets_of(run) for text in texts if re.search(f'"{s}"|is {s}', text)]
    assert not found


def test_expose_prints_exposures_and_keeps_a_run(byrote_):
    code, out, err = byrote_("expose", *RUN)
    assert (code, err) == (0, "")
    assert "4 canaries, 3 controls" in out
    assert "The run is in run" in out
    check_keeps_secrets("run", out)
    assert byrote_("show", "run") == (0, out, "")
    found = byrote.open_run("run").exposure()
    assert found.exposure.bits[found.inserted == 8].min() > np.log2(10**4) - 2  # rank 4 at most


def test_json_and_csv_are_alone_on_standard_output(byrote_):
    code, out, _ = byrote_("expose", *RUN, "--json")
    data = json.loads(out, parse_constant=pytest.fail)
    assert code == 0
    found = byrote.open_run("run").exposure()
    assert [one["bits"] for one in data["canaries"]] == pytest.approx(found.exposure.bits.tolist())
    assert [one["inserted"] for one in data["canaries"]] == [1, 1, 8, 8, 0, 0, 0]
    assert data["facts"]["corpus"] == found.facts["corpus"]
    rows = list(csv.DictReader(io.StringIO(byrote_("show", "run", "--csv")[1])))
    assert [float(row["bits"]) for row in rows] == found.exposure.bits.tolist()
    assert json.loads(byrote_("show", "run", "--json")[1]) == data
    sampled = json.loads(byrote_("show", "run", "--json", "--method", "sampled")[1])
    assert {one["method"] for one in sampled["canaries"]} == {"sampled"}
    check_keeps_secrets("run", out)


def test_more_fits_and_epochs_extend_it(byrote_):
    run = [*RUN, "--epochs", "3"]
    byrote_("expose", *run)
    first = Path("run/fits/fit-000000.parquet").stat().st_mtime_ns
    code, out, _ = byrote_("expose", *run, "--fits", "2")
    assert (code, "2 of 2 fits" in out, "canary-0, fit 1" in out) == (0, True, True)
    assert Path("run/fits/fit-000000.parquet").stat().st_mtime_ns == first
    code, out, _ = byrote_("expose", *run, "--fits", "2", "--track", "epoch")
    assert code == 0
    assert re.search(r"epoch +train loss +test loss +never +once +8 times", out)
    assert byrote.open_run("run").trajectory().steps.tolist() == [1, 2, 3]
    data = json.loads(byrote_("show", "run", "--json", "--epoch", "1")[1])
    assert data["run"]["epoch"] == 1
    assert "epoch must be one of the scored epochs" in byrote_("show", "run", "--epoch", "4")[2]


def test_a_chosen_secret_several_slots_words_and_an_alphabet(byrote_):
    Path("names.txt").write_text("ann\nbob\ncleo\n")
    slots = ["--canary", "{who} has code {}", "--words", "who=names.txt"]
    slots += ["--alphabet", "abcdef", "--length", "4", "--secret", "bob", "--secret", "fade"]
    command = ["text.txt", *slots, *NGRAM, *FEW, "--references", "60", "--out", "run"]
    code, out, _ = byrote_("expose", *command)
    assert code == 0
    assert secrets_of("run")[0] == "bob has code fade"
    assert byrote.open_run("run").exposure().inserted[0] == 8
    check_keeps_secrets("run", out)
    two = ["--canary", "pin {digits:4}", "--canary", "{} it is", "--alphabet", "xyz"]
    code, out, _ = byrote_(
        "expose", "text.txt", *two, "--length", "6", *NGRAM, *FEW, "--method", "sampled",
        "--references", "60", "--out", "two",
    )  # fmt: skip
    assert (code, "2 patterns" in out, "14 sampled" in out) == (0, True, True)


def test_the_character_model_by_batches(byrote_):
    tiny = ["hidden=8", "layers=1", "batch_size=32", "window=20"]
    command = ["text.txt", "--canary", CANARY, *FEW, "--references", "60", "--out", "run"]
    command += [word for value in tiny for word in ("--set", value)]
    command += ["--epochs", "2", "--keep-models", "release", "--track", "every=15"]
    code, out, err = byrote_("expose", *command)
    assert (code, err) == (0, "")
    assert re.search(r"Model [\d.]+ kB", out)
    course = byrote.open_run("run").trajectory()
    assert course.unit == "batch"
    assert course.steps.tolist() == course.loss_steps.tolist() == [15, 30, 45, 60]
    assert np.isfinite(course.test_loss).all()
    assert 0 < course.cost < 1
    assert byrote_("expose", *command) == (0, out, "")
    assert byrote_("extract", "run")[0] == 0
    assert "inserted secrets extracted" in byrote_("expose", *command)[1]


@pytest.mark.usefixtures("first_rendered")
def test_figures(byrote_):
    byrote_("expose", *RUN, "--epochs", "2", "--track", "1")
    code, out, err = byrote_("figures", "run")
    names = ["exposure-by-insertions", "exposure-over-training", "exposure-by-estimator"]
    assert code == 0
    assert [Path(line).stem for line in out.splitlines()] == names
    assert all(Path(line).read_bytes().startswith(b"\x89PNG") for line in out.splitlines())
    assert err == "byrote: no skew-normal fit: a curve needs 1,000 references or more" + (
        " (--references); got 60\n"
    )
    byrote_("expose", *PLANTED[:-2], "--references", "1200", "--out", "many")
    code, out, err = byrote_("figures", "many", "--format", "svg")
    assert [Path(line).stem for line in out.splitlines()] == [
        "exposure-by-insertions",
        "skew-normal-fit",
        "exposure-by-estimator",
    ]
    assert err == (
        "byrote: no exposure over training: the run has exposures after training only (--track)\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["neighbors", "run", "--validation", "x.npy"], "run is an exposure run"),
        (["figures", "run", "--record", "3"], "--record applies to runs of byrote score"),
        (["figures", "scores", "--against", "run"], "run is an exposure run"),
        (["show", "scores", "--method", "rank"], "--method applies to runs of byrote expose"),
        (["extract", "scores", "--prefix", "a"], "--prefix applies to runs of byrote expose"),
        (["extract", "run", "--samples", "9"], "--samples applies to runs of byrote score"),
    ],
)
def test_verbs_that_cannot_serve_a_run_say_so(byrote_, once, arguments, message):
    once("expose", *RUN)
    np.save("x.npy", np.random.default_rng(0).normal(size=(20, 2)))
    byrote_("score", "x.npy", "--model", "kde", "--folds", "2", "--repeats", "1", "--out", "scores")
    code, out, err = byrote_(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    with pytest.raises(byrote.InvalidInput, match="exposure run"):
        byrote.open_run("run").memorization()


def test_dry_run_forecasts_and_writes_nothing(byrote_, here):
    before = sorted(here.rglob("*"))
    code, out, _ = byrote_("expose", *PLANTED, "--epochs", "4", "--track", "epoch", "--dry-run")
    assert code == 0
    assert re.match(
        r"1 fit about .*: training .*, measuring .* during training and .* after it", out
    )
    assert "7 canaries with controls, 18 copies inserted before 360 lines" in out
    asked = ("--fits", "3", "--keep-models", "all", "--dry-run", "--json")
    data = json.loads(byrote_("expose", *PLANTED, *asked)[1])
    assert (data["fits"], data["times"], data["references"]) == (3, 0, 60)
    assert data["seconds"] - data["overhead"] == pytest.approx(3 * data["seconds_per_fit"])
    assert min(data["training"], data["measuring"], data["disk"], data["memory"]) > 0
    assert [p for p in sorted(here.rglob("*")) if "__pycache__" not in str(p)] == before


OUT = ["--out", "run"]
GOOD = ["--canary", CANARY, *NGRAM, *FEW, *OUT]
BAD = {
    "no slot": (["text.txt", "--canary", "no slot", *OUT], "--canary: text must have a slot"),
    "no canary": (["text.txt", *OUT], "--canary must give a text with a slot"),
    "alphabet repeats": (
        ["text.txt", "--canary", "x {}", "--alphabet", "aba", "--length", "3", *OUT],
        "alphabet must have each character once; 'a' is repeated",
    ),
    "alphabet without a slot": (
        ["text.txt", *GOOD, "--alphabet", "ab", "--length", "3"],
        "--alphabet needs a slot {} in a --canary",
    ),
    "alphabet without a length": (
        ["text.txt", "--canary", "x {}", "--alphabet", "ab", *OUT],
        "the slot {} needs --alphabet and --length",
    ),
    "length without a slot": (
        ["text.txt", *GOOD, "--length", "3"],
        "--length needs a slot {} in a --canary",
    ),
    "length of nothing": (
        ["text.txt", "--canary", "x {}", "--alphabet", "ab", "--length", "0", *OUT],
        "byrote: --length must be",
    ),
    "a slot of words without words": (
        ["text.txt", "--canary", "dear {name}", *OUT],
        "the slot {name} needs --words name=FILE",
    ),
    "a slot mistyped": (
        ["text.txt", "--canary", "pin {digit}", *OUT],
        "did you mean digits?",
    ),
    "no such words": (
        ["text.txt", "--canary", "{who}", "--words", "who=none.txt", *OUT],
        "none.txt cannot be read",
    ),
    "words without a file": (
        ["text.txt", "--canary", "{who}", "--words", "who", *OUT],
        "--words must be NAME=FILE",
    ),
    "secret of another form": (
        ["text.txt", *GOOD, "--secret", "99x9"],
        "byrote: --secret must fit the slot {digits:4}",
    ),
    "secret of two canaries": (
        ["text.txt", *GOOD, "--canary", "pin {digits:3}", "--secret", "1234"],
        "--secret needs a single --canary; got 2",
    ),
    "the same pattern twice": (["text.txt", *GOOD, "--canary", CANARY], "each given once"),
    "a character that the vocabulary lacks": (
        ["text.txt", "--canary", "x {}", "--alphabet", "aé", "--length", "6", *NGRAM, *FEW, *OUT],
        "U+00E9",
    ),
    "more copies than lines": (["text.txt", *GOOD, "--insertions", "300"], "has 360 lines"),
    "more candidates than a float can count": (
        ["text.txt", "--canary", "x {digits:400}", "--references", "9", *NGRAM, *FEW, *OUT],
        "at most 2^1000 completions",
    ),
    "fewer candidates than canaries": (
        ["text.txt", "--canary", "x {digits:1}", *NGRAM, *OUT],
        "the pattern has 10 completions; got 28 canaries",
    ),
    "insertions that fall": (
        ["text.txt", *GOOD, "--insertions", "4,1"],
        "insertions must be ascending",
    ),
    "insertions in words": (["text.txt", *GOOD, "--insertions", "few"], "--insertions must be"),
    "empty text": (["empty.txt", *GOOD], "empty.txt: "),
    "not UTF-8": (["latin.txt", *GOOD], "byte 5"),
    "no such text": (["none.txt", *GOOD], "none.txt"),
    "option of another source": (["text.txt", *GOOD, "--column", "text"], "column"),
    "unknown model": (["text.txt", *GOOD, "--model", "char-lsmt"], "did you mean char-lstm?"),
    "a model of numbers": (
        ["text.txt", *GOOD[:2], *FEW, *OUT, "--model", "kde"],
        "--model must be char",
    ),
    "unknown setting": (["text.txt", *GOOD, "--set", "ordre=1"], "did you mean order?"),
    "epochs twice": (
        ["text.txt", *GOOD, "--epochs", "2", "--set", "epochs=3"],
        "--epochs and --set epochs exclude each other",
    ),
    "unknown method": (["text.txt", *GOOD, "--method", "sampel"], "did you mean sampled?"),
    "exact on too large a space": (
        ["text.txt", "--canary", "x {digits:9}", *NGRAM, *FEW, *OUT, "--method", "exact"],
        "1,000,000,000",
    ),
    "no references": (["text.txt", *GOOD, "--references", "0"], "references must be an integer"),
    "track in words": (["text.txt", *GOOD, "--track", "often"], "epoch, or every=BATCHES"),
    "track no batches": (["text.txt", *GOOD, "--track", "every=0"], "like every=50"),
    "track batches of a model without": (
        ["text.txt", *GOOD, "--track", "every=9"],
        "Ngram has no report_every",
    ),
    "track beyond the end": (["text.txt", *GOOD, "--track", "7"], "within the 1 epochs"),
    "held out too much": (["text.txt", *GOOD, "--held-out", "1.5"], "held_out must be"),
    "within nothing": (["text.txt", *GOOD, "--within", "0"], "within must be"),
    "no folder": (["text.txt", *GOOD[:-2]], "--out must name a folder"),
    "folder in use": (["text.txt", *GOOD[:-1], "."], "not empty and holds no run"),
    "no text": (OUT, "CORPUS must name a text"),
    "space of a canary": (["text.txt", *GOOD, "--space-size", "9"], "--space-size needs"),
    "both formats": (["text.txt", *GOOD, "--json", "--csv"], "exclude each other"),
    "scores and a text": (["text.txt", "--score-only", "s.csv"], "CORPUS does not apply"),
    "scores and a model": (["--score-only", "s.csv", "--model", "x"], "--model does not apply"),
    "NaN": (["--score-only", "nan.csv"], "row 1 (counted from 0) holds NaN"),
    "unknown role": (["--score-only", "role.csv"], "role must be one of"),
    "too few for a curve": (
        ["--score-only", "s.csv", "--method", "skew_normal"],
        "1,000 references or more",
    ),
    "not the whole space": (
        ["--score-only", "s.csv", "--method", "exact", "--space-size", "9"],
        "must be the whole space",
    ),
    "more references than the space has": (
        ["--score-only", "s.csv", "--space-size", "1"],
        "space_size must be at least the number of references",
    ),
    "a method of runs": (["--score-only", "s.csv", "--method", "auto"], "--method must be one of"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_nothing_is_written(byrote_, here, case):
    arguments, message = BAD[case]
    Path("empty.txt").write_text("")
    Path("latin.txt").write_bytes("caf\nh\xe9 no".encode("latin-1"))
    Path("s.csv").write_text(TABLE)
    Path("nan.csv").write_text("id,bits,role\na,3,canary\nb,nan,reference\n")
    Path("role.csv").write_text("id,bits,role\na,3,canaries\nb,4,reference\n")
    before = sorted(here.rglob("*"))
    code, out, err = byrote_("expose", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert "99x9" not in err
    assert [p for p in sorted(here.rglob("*")) if "__pycache__" not in str(p)] == before


TABLE = "id,bits,role,group\nb,2,canary,y\na,30,control,x\nc,9,canary,x\n" + "".join(
    f"r{k},{20 + k},reference,{'xy'[k % 2]}\n" for k in range(20)
)


def test_log_perplexities_computed_elsewhere(byrote_, here):
    Path("s.csv").write_text(TABLE)
    before = sorted(here.rglob("*"))
    code, out, err = byrote_("expose", "--score-only", "s.csv", "--space-size", "1000")
    assert (code, err) == (0, "")
    assert "2 canaries, 1 control" in out
    data = json.loads(byrote_("expose", "--score-only", "s.csv", "--json")[1])
    # Each among the ten references of its own group, in the table's order.
    assert [one["id"] for one in data["canaries"]] == ["b", "a", "c"]
    assert [one["rank"] for one in data["canaries"]] == [1, 7, 1]
    assert [one["role"] for one in data["canaries"]] == ["canary", "control", "canary"]
    rows = list(csv.DictReader(io.StringIO(byrote_("expose", "--score-only", "s.csv", "--csv")[1])))
    assert [float(row["bits"]) for row in rows] == [one["bits"] for one in data["canaries"]]
    assert sorted(here.rglob("*")) == before


def test_failed_fits_are_named_and_the_exit_code_says_so(byrote_):
    byrote_("expose", *RUN, "--fits", "2")
    Path("run/fits/fit-000001.parquet").unlink()
    code, out, err = byrote_("show", "run")
    assert code == 4
    assert "1 of 2 fits are missing from run" in err
    assert "INCOMPLETE: 1 fit is missing" in out


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of fork in a process with threads
def test_killed_it_goes_on_where_it_stopped(here, byrote_, monkeypatch):
    rename = os.replace

    def killing(source, target, **how):
        rename(source, target, **how)
        if "fit-000002" in str(target):
            os.kill(os.getpid(), signal.SIGKILL)

    words = ["expose", *RUN, "--fits", "6"]
    child = os.fork()
    if child == 0:
        try:
            os.replace = killing
            byrote_(*words)
        finally:
            os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    done = kept(here)
    assert len(done) == 3
    assert byrote_(*words)[0] == 0
    assert len(kept(here)) == 6
    assert done.items() <= kept(here).items()


def kept(folder):
    """Finished fits and when they were written."""
    return {p.name: p.stat().st_mtime_ns for p in (folder / "run" / "fits").glob("fit-*")}
