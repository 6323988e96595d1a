"""byrote extract of runs on rows and images: which training records come out of a kept model."""

import csv
import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import byrote

from estimators import Copying

COPYING = ["--model", "estimators:Copying"]
GENERATOR = np.random.default_rng(0)
ROWS, FRESH = GENERATOR.normal(size=(2, 160, 12))
IMAGES = GENERATOR.random(size=(120, 5, 5)).astype(np.float32)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run that keeps its release model."""
    folder = tmp_path_factory.mktemp("release")
    np.save(folder / "rows.npy", ROWS)
    records, plan = byrote.load(folder / "rows.npy"), byrote.KFold(2, repeats=2)
    kept = {"keep_models": "release", "out": folder / "run"}
    byrote.score_memorization(Copying(), records, plan=plan, **kept)
    return folder / "run"


@pytest.fixture
def release(trained, tmp_path):
    """A copy, for what comes out is kept in the run."""
    return shutil.copytree(trained, tmp_path / "run")


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    np.save(tmp_path / "rows.npy", ROWS)
    np.save(tmp_path / "fresh.npy", FRESH)
    np.save(tmp_path / "images.npy", IMAGES)


def score(byrote_, *options, data="rows.npy", keep="all", model=COPYING):
    plan = ["--folds", "2", "--repeats", "2", "--keep-models", keep, "--out", "run"]
    assert byrote_("score", data, *model, *plan, *options)[0] == 0
    return byrote.open_run("run")


def extracted(byrote_, *options, run="run"):
    code, out, err = byrote_("extract", run, *options, "--json")
    assert (code, err) == (0, "")
    return json.loads(out, parse_constant=pytest.fail)


@pytest.mark.parametrize("data", ["rows.npy", "images.npy"])
def test_a_model_of_copies_gives_out_what_its_fit_trained_on_and_nothing_held_out(byrote_, data):
    run = score(byrote_, data=data)
    found = extracted(byrote_, *COPYING, "--fit", "1", "--top", "999")
    trained = set(np.flatnonzero(run.design.trained_on(1)).tolist())
    names = {record["id"] for record in found["records"]}
    assert names <= trained
    assert found["extracted"] == len(names) > 0.5 * len(trained)
    assert found["train"] == found["samples"] == found["held_out"] == len(trained)
    for measure in (found, found["memorization_ratio"]):
        assert (measure["rate"]["value"], measure["control"]["value"]) == (1, 0)
    inside = found["inside"]
    assert inside["low"] < len(trained) == inside["high"]
    assert all(record["distance"] < 0.5 for record in found["records"])
    scores = run.memorization().score
    assert all(r["score"] == pytest.approx(scores[r["id"]]) for r in found["records"])


def test_a_model_of_other_records_gives_out_none(byrote_):
    score(byrote_, "--set", "others=80")
    model = [*COPYING, "--set", "others=80"]
    found = extracted(byrote_, *model, "--fit", "0", "--samples", "300")
    assert (found["extracted"], found["rate"]["value"], found["records"]) == (0, 0, [])
    assert found["rate"]["high"] > 0
    out = byrote_("extract", "run", *model, "--fit", "0")[1]
    assert "0 of 80 training records come out in 80 samples" in out
    assert "what stays in can be memorized" in out
    assert "Ratio 1/3: 0.00% [0.00%, 4.58%] of the samples" in out


def test_the_release_model_is_held_against_unseen_records_where_given(byrote_, release):
    code, out, _ = byrote_("extract", release, *COPYING, "--samples", "400", "--top", "3")
    assert code == 0
    assert "of 160 training records come out in 400 samples" in out
    assert "without a control: the release model trained on all records" in " ".join(out.split())
    assert "score M" in out
    assert "more" in out.splitlines()[-1]
    fresh = [*COPYING, "--validation", "fresh.npy"]
    found = extracted(byrote_, *fresh, run=release)
    assert (found["fit"], found["control"]["value"], found["held_out"]) == (None, 0, 160)
    assert found == extracted(byrote_, *fresh, "--seed", "0", run=release)
    assert found != extracted(byrote_, *fresh, "--seed", "1", run=release)


@pytest.mark.usefixtures("release")
def test_what_came_out_is_kept_and_shown(byrote_):
    covered = page_data(byrote_)["sections"]["coverage"]["regurgitation"]
    assert covered["status"] == "not run"
    assert "byrote extract has not been run" in covered["evidence"]
    found = extracted(byrote_, *COPYING, "--validation", "fresh.npy", "--samples", "60")
    data = page_data(byrote_)
    assert data["sections"]["extraction"] == found
    assert page_data(byrote_, "again.html") == data
    assert Path("page.html").read_bytes() == Path("again.html").read_bytes()
    assert byrote_("verify", "page.html", "run")[0] == 0
    assert json.loads(byrote_("show", "run", "--json")[1])["extract"] == found
    sentence = f"{found['extracted']} of 160 training records come out in 60 samples"
    card, covered = byrote_("card", "run")[1], data["sections"]["coverage"]["regurgitation"]
    for text in (byrote_("show", "run")[1], card):
        assert sentence in " ".join(text.split())
    assert covered["status"] == "run"
    assert "60 samples of the release model" in covered["evidence"]
    [rate] = [n["estimate"] for n in data["numbers"] if n["metric"] == "extracted_share"]
    assert rate == found["rate"]
    kept = byrote.open_run("run").extraction()
    assert kept.samples.sum() == round(60 * kept.rate.value)
    assert (kept.ids.tolist(), kept.drawn, kept.fit) == (list(range(160)), 60, None)
    extracted(byrote_, *COPYING, "--samples", "20")
    assert byrote.open_run("run").extraction().drawn == 20
    file = Path("run/extraction.parquet")
    file.write_bytes(file.read_bytes()[:-9])
    covered = page_data(byrote_)["sections"]["coverage"]["regurgitation"]
    assert covered["status"] == "not run"
    assert "what byrote extract left cannot be read" in covered["evidence"]


def page_data(byrote_, name="page.html"):
    """Write the page of the run: its data."""
    assert byrote_("report", "run", "--out", name, "--show-records")[0] == 0
    [text] = re.findall(r'id="data">(.*?)</script>', Path(name).read_text())
    return json.loads(text)["runs"]["run"]


def test_a_table_is_compared_in_standard_deviations_and_printed_as_csv(byrote_):
    text = "a,b,kind\n" + "".join(f"{a!r},{1e6 * b!r},{i % 2}\n" for i, (a, b) in enumerate(
        ROWS[:, :2].tolist()
    ))  # fmt: skip
    Path("table.csv").write_text(text)
    score(byrote_, "--labels", "kind", data="table.csv", keep="release")
    code, out, err = byrote_("extract", "run", *COPYING, "--samples", "50", "--csv")
    assert (code, err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [*rows[0]] == ["id", "samples", "distance", "score"]
    assert len(rows) == 160
    assert 40 <= sum(int(row["samples"]) for row in rows) <= 50
    assert all(row["distance"] == "" for row in rows if row["samples"] == "0")


def test_few_held_out_records_are_no_control_and_fewer_than_trained_are_named(byrote_):
    plan = ["--folds", "4", "--repeats", "1", "--keep-models", "all"]
    byrote_("score", "rows.npy", *COPYING, *plan, "--out", "run")
    out = " ".join(byrote_("extract", "run", *COPYING, "--fit", "0")[1].split())
    assert "without a control: fit 0 held out 40 records, and 50 are needed" in out
    np.save("few.npy", FRESH[:60])
    out = byrote_("extract", "run", *COPYING, "--fit", "0", "--validation", "few.npy")[1]
    assert "The control has 60 records beside 120: by chance alone fewer come out." in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--canary", "a"], "--canary applies to runs of byrote expose"),
        (["--max-queries", "3"], "--max-queries applies to runs of byrote expose"),
        (["--show-secrets"], "--show-secrets applies to runs of byrote expose"),
        (["--json", "--csv"], "--json and --csv exclude each other"),
        (["--samples", "0"], "--samples must be an integer of at least 1"),
        (["--seed", "-1"], "--seed must be an integer of at least 0"),
        (["--top", "-1"], "--top must be an integer of at least 0"),
        ([*COPYING, "--fit", "4"], "fit must be below 4, the run's number; got 4"),
        ([*COPYING, "--fit", "1"], "does not keep fit 1; start the same run again"),
        ([*COPYING, "--validation", "rows.npy"], "--validation must be records other than"),
        ([*COPYING, "--validation", "few.npy"], "validation records must be at least 50"),
        ([], "model must be given, unfitted"),
    ],
)
def test_bad_input_is_one_sentence(byrote_, release, options, message):
    np.save("few.npy", FRESH[:9])
    code, out, err = byrote_("extract", release, *options)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_runs_that_cannot_be_sampled_name_what_to_use(byrote_):
    score(byrote_, keep="none")
    assert "does not keep the release model" in byrote_("extract", "run", *COPYING)[2]
    np.save("rows.npy", ROWS[:40])
    plan = ["--folds", "2", "--repeats", "2", "--keep-models", "release"]
    byrote_("score", "rows.npy", *COPYING, *plan, "--out", "small")
    assert "records must be at least 50" in byrote_("extract", "small", *COPYING)[2]
    Path("texts.csv").write_text("text\n" + "".join(f"line {k} of it\n" for k in range(40)))
    plan = ["--folds", "2", "--repeats", "2", "--model", "languages:Ngram", "--out", "texts"]
    assert byrote_("score", "texts.csv", *plan)[0] == 0
    code, out, err = byrote_("extract", "texts")
    assert (code, out) == (2, "")
    assert "byrote recite texts prints what its models continue word for word" in err
