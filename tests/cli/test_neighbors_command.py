"""byrote neighbors, against distances by brute force and correlations by scipy."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr

import byrote
from byrote.cli import validation
from byrote.scores.neighbors.neighbor_result import NeighborResult

RUN = ["score", "x.csv", "--labels", "kind", "--model", "gmm", "--folds", "4", "--repeats", "2"]
RUN += ["--out", "run", "--keep-models", "release"]
FRESH = ["neighbors", "run", "--validation", "fresh.csv"]


def table(x):
    names = [*(f"x{column}" for column in range(x.shape[1])), "kind"]
    rows = [",".join([*map(repr, row.tolist()), str(i % 2)]) for i, row in enumerate(x)]
    return "\n".join([",".join(names), *rows]) + "\n"


@pytest.fixture(autouse=True)
def data(tmp_path):
    generator = np.random.default_rng(0)
    (tmp_path / "x.csv").write_text(table(generator.normal(size=(60, 3))))
    (tmp_path / "fresh.csv").write_text(table(generator.normal(size=(45, 3))))


def test_ratios_are_those_of_the_release_models_samples(byrote_, once, tmp_path):
    assert once(*RUN)[0] == 0
    code, out, err = byrote_(*FRESH)
    assert (code, err) == (0, "")
    found = NeighborResult.load(tmp_path / "run" / "neighbors.parquet")
    x, fresh = (byrote.load(f"{name}.csv", labels="kind").x for name in ("x", "fresh"))
    samples = byrote.open_run("run").sample(len(fresh)).to_numpy()
    metric = {"metric": "seuclidean", "V": x.var(axis=0)}  # no column counts by its unit
    expected = cdist(x, fresh, **metric).min(axis=1) / cdist(x, samples, **metric).min(axis=1)
    assert np.allclose(found.ratio, expected, rtol=1e-9)
    scores = byrote.open_run("run").memorization()
    assert np.array_equal(found.score, scores.score)
    assert found.correlation == pytest.approx(spearmanr(expected, scores.score).statistic)
    assert f"{found.mean:.2f}" in out
    assert (tmp_path / "run" / "neighbors.parquet").stat().st_mode & 0o777 == 0o600


def test_json_alone_and_repeatable_and_another_seed_another_draw(byrote_, once):
    once(*RUN)
    code, out, err = byrote_(*FRESH, "--json")
    assert (code, err) == (0, "")
    data = json.loads(out, parse_constant=pytest.fail)
    assert len(data["nearly_reproduced"]) == 10
    assert byrote_(*FRESH, "--json")[1] == out
    assert byrote_(*FRESH, "--json", "--seed", "1")[1] != out
    assert data == json.loads(out)


def test_the_file_names_its_run_and_settings(byrote_, once, tmp_path):
    once(*RUN)
    byrote_(*FRESH, "--samples", "30", "--seed", "3")
    metadata = pq.read_schema(tmp_path / "run" / "neighbors.parquet").metadata
    facts = json.loads(metadata[b"byrote"])["description"]
    run_id = json.loads((tmp_path / "run" / "run.json").read_text())["run_id"]
    assert facts["run_id"] == run_id
    assert (facts["samples"], facts["validation"], facts["seed"]) == (30, 45, 3)


def test_a_run_with_fits_missing_says_so(byrote_, once, tmp_path):
    once(*RUN)
    (tmp_path / "run" / "fits" / "fit-000002.parquet").unlink()
    code, out, err = byrote_(*FRESH)
    assert code == 4
    assert "1 of 8 fits are missing" in err
    assert out


def test_a_class_of_the_users_is_named(byrote_, monkeypatch):
    monkeypatch.syspath_prepend(__file__.rsplit("/", 2)[0])
    run = [word if word != "gmm" else "estimators:Keepable" for word in RUN]
    assert byrote_(*run, "--set", "noise=0.2")[0] == 0
    assert "model must be given" in byrote_(*FRESH)[2]
    own = [*FRESH, "--model", "estimators:Keepable"]
    assert "model noise 0.2 there, 0.1 here" in byrote_(*own)[2]
    assert byrote_(*own, "--set", "noise=0.2")[0] == 0


BAD = {
    "samples of nothing": (["neighbors", "run", "--samples", "9"], "--samples needs validation"),
    "its own": (["neighbors", "run", "--validation", "x.csv"], "must be records other than"),
    "shape": (["neighbors", "run", "--validation", "wide.npy"], "of shape (3,); got (4,)"),
    "missing": (["neighbors", "run", "--validation", "none.csv"], "none.csv does not exist"),
    "no run": (["neighbors", "elsewhere", "--validation", "fresh.csv"], "holds no run"),
    "samples": ([*FRESH, "--samples", "0"], "--samples must be"),
    "seed": ([*FRESH, "--seed", "-1"], "--seed must be"),
    "settings of no model": ([*FRESH, "--set", "n_components=3"], "--set needs --model"),
    "cells": ([*FRESH, "--cells", "0"], "cells must be"),
    "changed": (FRESH, "x.csv has changed since the run"),
    "no model": (FRESH, "does not keep the release model"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_compared_is_refused(case, byrote_, once, tmp_path):
    arguments, message = BAD[case]
    make = byrote_ if case == "changed" else once
    make(*RUN)
    np.save("wide.npy", np.zeros((9, 4)))
    if case == "changed":
        (tmp_path / "x.csv").write_text(table(np.random.default_rng(9).normal(size=(60, 3))))
    if case == "no model":
        (tmp_path / "run" / "models" / "release.safetensors").unlink()
    code, out, err = byrote_(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert not (tmp_path / "run" / "neighbors.parquet").exists()


def near_copies(once, tmp_path):
    """The run on records two of which are copies, and two near copies."""
    x = np.random.default_rng(0).normal(size=(60, 3))
    x[20], x[41] = x[10], x[40] + 1e-7
    (tmp_path / "x.csv").write_text(table(x))
    assert once(*RUN[:-2])[0] == 0
    return x


def test_near_duplicates_need_neither_validation_nor_a_model(byrote_, once, tmp_path):
    x = near_copies(once, tmp_path)
    code, out, err = byrote_("neighbors", "run")
    assert (code, err) == (0, "")
    assert "a copy or near copy among the others: 4 (copies: 2, near copies: 2)" in out
    assert "mean of rho" not in out
    found = byrote.neighbors.NearDuplicates.load(tmp_path / "run" / "near-duplicates.parquet")
    assert np.flatnonzero(found.hidden).tolist() == [10, 20, 40, 41]
    x = (x - x.mean(axis=0)) / x.std(axis=0)  # the file is a table
    distances = cdist(x, x)
    np.fill_diagonal(distances, np.inf)
    assert np.allclose(found.distance, distances.min(axis=1))
    assert np.array_equal(found.score, byrote.open_run("run").memorization().score)
    assert (tmp_path / "run" / "near-duplicates.parquet").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "run" / "neighbors.parquet").exists()
    data = json.loads(byrote_("neighbors", "run", "--json", "--top", "3")[1])
    assert [row["id"] for row in data["near_duplicates"]["near_duplicates"]] == [10, 20, 40]
    assert data["near_duplicates"]["summary"]["hidden"] == 4


def test_show_has_a_line_and_a_column_of_them(byrote_, once, tmp_path):
    near_copies(once, tmp_path)
    before = byrote_("show", "run", "--top", "60")[1]
    assert "copy" not in before
    byrote_("neighbors", "run")
    out = byrote_("show", "run", "--top", "60")[1]
    assert len(out.splitlines()) <= len(before.splitlines()) + 2
    assert "Records with a copy or near copy among the others: 4" in out
    for id_, cell in ((10, "= 20"), (20, "= 10"), (40, "≈ 41"), (41, "≈ 40")):
        row = next(line for line in out.splitlines() if line.startswith(f"{id_} "))
        assert row.rstrip().endswith(cell)
    top = (
        byrote.open_run("run").memorization().ids[byrote.open_run("run").memorization().order()[0]]
    )
    if top not in (10, 20, 40, 41):
        assert "copy of" not in byrote_("show", "run", "--top", "1")[1]
    rows = byrote_("show", "run", "--csv")[1].splitlines()
    assert rows[0].endswith(",near_nearest,near_distance,near_q_value,near_kind")
    assert rows[11].endswith(",20,0.0,0.0,copy")
    data = json.loads(byrote_("show", "run", "--json")[1])
    assert data["near_duplicates"]["copies"] == 2


def test_with_validation_records_there_are_both(byrote_, once, tmp_path):
    once(*RUN)
    out = byrote_(*FRESH)[1]
    assert "mean of rho" in out
    assert "No copy or near copy of a record was found among the others;" in out
    data = json.loads(byrote_(*FRESH, "--json")[1])
    assert data["near_duplicates"]["summary"]["hidden"] == 0
    assert len(data["nearly_reproduced"]) == 10


def test_near_duplicates_of_another_run_are_not_shown(byrote_, once, tmp_path):
    near_copies(once, tmp_path)
    byrote_("neighbors", "run")
    byrote_(*RUN[:-4], "--out", "other")
    there = tmp_path / "other" / "near-duplicates.parquet"
    there.write_bytes((tmp_path / "run" / "near-duplicates.parquet").read_bytes())
    code, out, err = byrote_("show", "other")
    assert code == 0
    assert "near copy" not in out
    assert "belongs to another run; byrote neighbors replaces it; it is not shown" in err


def test_what_goes_while_its_copy_stays_is_said(byrote_, once, tmp_path):
    near_copies(once, tmp_path)
    byrote_("neighbors", "run")
    scores = byrote.open_run("run").memorization()
    order = scores.ids[scores.order()].tolist()
    count = 1 + min(order.index(10), order.index(20))  # one of the two goes, the other stays
    gone = set(order[:count])
    left = sum(a in gone and b not in gone for a, b in ((10, 20), (20, 10), (40, 41), (41, 40)))
    assert left > 0
    out = byrote_("prune", "run", "--top", count / 60)[1]
    assert f"{left} of those removed have a copy or near copy that is kept" in out
    assert (
        json.loads(byrote_("prune", "run", "--top", count / 60, "--json")[1])["copies_left"] == left
    )


NAMED = {"labels": "y", "ids": "i"}
ARRAYS = {"key": "x", "labels": "y"}
PADDED = {"image": "pad=2"}
INHERITED = {  # the run's source and options; what is asked; what is loaded
    "part": ("mnist", PADDED, (None, "test"), ("mnist", {**PADDED, "part": "test"})),
    "own part": ("cifar", {"part": "train"}, (None, "test"), ("cifar", {"part": "test"})),
    "column": ("x.csv", NAMED, ("v.csv", None), ("v.csv", NAMED)),
    "array": ("x.npz", ARRAYS, ("v.npz", None), ("v.npz", ARRAYS)),
    "another kind": ("x.npz", ARRAYS, ("v.npy", None), ("v.npy", {})),
    "file of labels": ("x.npy", {"labels": "y.npy"}, ("v.npy", None), ("v.npy", {})),
    "image": ("x.npy", PADDED, ("v", None), ("v", PADDED)),
}


@pytest.mark.parametrize("case", INHERITED)
def test_validation_records_inherit_the_runs_options_except_names_of_files(case, monkeypatch):
    location, options, (path, part), expected = INHERITED[case]
    asked = []

    def load(source, **given):
        asked.append((source, given))
        return byrote.Records(np.zeros((2, 3)))

    monkeypatch.setattr(validation, "load", load)
    data = {"location": location, "options": options, "shape": (3,), "fingerprint": ""}
    assert len(validation.load_validation(data, path, part)) == 2
    assert asked == [expected]


def test_a_run_from_memory_is_refused(byrote_, tmp_path):
    x = byrote.load("x.csv", labels="kind").x
    from sklearn.mixture import GaussianMixture

    plan = byrote.KFold(2, repeats=2)
    byrote.score_memorization(GaussianMixture(), x, plan=plan, out="run", keep_models="release")
    code, _, err = byrote_(*FRESH)
    assert code == 2
    assert "array or data frame in memory, which no command can load" in err


def test_the_test_part_of_a_published_set_serves_for_validation(byrote_, tmp_path):
    folder = tmp_path / "mnist"
    folder.mkdir()
    generator = np.random.default_rng(4)
    for name, n in (("train", 60), ("t10k", 30)):
        images = generator.integers(0, 256, (n, 4, 4), dtype=np.uint8)
        head = bytes([0, 0, 8, 3]) + b"".join(k.to_bytes(4, "big") for k in images.shape)
        (folder / f"{name}-images-idx3-ubyte").write_bytes(head + images.tobytes())
        labels = bytes([0, 0, 8, 1]) + n.to_bytes(4, "big") + bytes(n)
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(labels)
    run = ["score", "mnist", *RUN[4:]]
    assert byrote_(*run)[0] == 0
    assert byrote_("neighbors", "run", "--validation-part", "test", "--no-downsample")[0] == 0
    found = NeighborResult.load(tmp_path / "run" / "neighbors.parquet")
    x, fresh = (byrote.load("mnist", part=part).x / 255 for part in ("train", "test"))
    samples = byrote.open_run("run").sample(30)
    x, fresh, samples = (images.reshape(len(images), -1) for images in (x, fresh, samples))
    expected = cdist(x, fresh).min(axis=1) / cdist(x, samples).min(axis=1)
    assert np.allclose(found.ratio, expected, rtol=1e-5)  # stored pixels are scaled in float32
    code, _, err = byrote_("neighbors", "run", "--validation-part", "train")
    assert (code, "must be records other than" in err) == (2, True)


def test_validation_records_of_a_mixed_table_are_compared_in_units_that_count_alike(
    byrote_, tmp_path
):
    frames = write_tables()
    model = ["--model", "vae", "--set", "epochs=1", "--set", "hidden=[4]", "--set", "draws=2"]
    score = ["score", "t.csv", "--ids", "key", *model, "--folds", "2", "--repeats", "1"]
    assert byrote_(*score, "--keep-models", "release", "--out", "run")[0] == 0
    assert byrote_("neighbors", "run", "--validation", "s.csv")[::2] == (0, "")
    found = NeighborResult.load(tmp_path / "run" / "neighbors.parquet")
    assert (found.distance_validation[:20] == 0).all()  # copies
    train, samples = frames["t"], byrote.open_run("run").sample(40)
    mean, deviation = train["age"].mean(), train["age"].std(ddof=0)
    squared = 0.0
    for of_pair in (
        lambda frame: ((frame["age"] - mean) / deviation).fillna(0).to_numpy(),
        lambda frame: frame["age"].isna().to_numpy(dtype=float),
    ):
        squared += (of_pair(train)[:, None] - of_pair(samples)[None]) ** 2
    towns = [
        frame["town"].replace("?", None).fillna("").to_numpy(str) for frame in (train, samples)
    ]
    squared += towns[0][:, None] != towns[1][None]
    assert np.allclose(found.distance_sample, np.sqrt(squared.min(axis=1)), atol=1e-6)


# -- one synthetic table ---------------------------------------------------------------------------

TABLES = ["neighbors", "--train", "t.csv", "--holdout", "h.csv", "--synthetic", "s.csv"]


def write_tables(copies=20):
    """Tables of ages and towns, with gaps; some synthetic rows are training rows."""
    generator = np.random.default_rng(5)
    frames = {
        name: pd.DataFrame(
            {
                "key": [f"{name}{i}" for i in range(n)],
                "age": np.where(generator.random(n) < 0.1, np.nan, generator.normal(40, 9, n)),
                "town": generator.choice(["Ely", "Rye", "?"], n),
            }
        )
        for name, n in (("t", 60), ("h", 50), ("s", 40))
    }
    frames["s"].iloc[:copies, 1:] = frames["t"].iloc[:copies, 1:].to_numpy()
    frames["s"]["age"] = frames["s"]["age"].astype(float)
    for name, frame in frames.items():
        frame.to_csv(f"{name}.csv", index=False)
    frames["h"].replace("?", None).to_parquet("h.parquet")  # in CSV files "?" is missing
    return frames


def test_a_synthetic_table_is_compared_with_training_and_holdout(byrote_):
    frames = write_tables()
    code, out, err = byrote_(*TABLES, "--drop", "key")
    assert (code, err) == (0, "")
    expected = byrote.neighbors.compare_synthetic(*(f.drop(columns="key") for f in frames.values()))
    share = expected.attributions["nearest"]
    assert f"A training row is nearest to {share.share:.1%} of synthetic rows" in out
    assert (
        "60 training rows, 50 holdout rows, 40 synthetic rows · Gower's distance, 2 columns" in out
    )
    data = json.loads(byrote_(*TABLES, "--drop", "key", "--json", "--top", "3")[1])
    assert len(data["records"]) == 3
    assert data["summary"]["nearest"]["p_value"] == share.p_value
    other = [word if word != "h.csv" else "h.parquet" for word in TABLES]
    assert json.loads(byrote_(*other, "--drop", "key", "--json", "--top", "3")[1]) == data


def test_columns_of_the_tables_are_read_as_those_of_other_verbs(byrote_):
    frames = write_tables()
    code, out, err = byrote_(*TABLES)
    assert (code, out) == (2, "")
    assert "t.csv: column 'key' holds 60 different texts in 60 rows" in err
    frames["s"].drop(columns="key").to_csv("s.csv", index=False)
    expected = json.loads(byrote_(*TABLES, "--drop", "key", "--json", "--top", "3")[1])
    named = json.loads(byrote_(*TABLES, "--ids", "key", "--json", "--top", "3")[1])
    assert named["summary"] == expected["summary"]
    assert [row["id"] for row in named["records"]] == [
        f"t{row['id']}" for row in expected["records"]
    ]
    code, _, err = byrote_("score", "t.csv", "--out", "run")
    assert "t.csv: column 'key' holds 60 different texts in 60 rows" in err


BAD_TABLES = {
    "alone": (["neighbors", "--train", "t.csv"], "a run, or --train, --holdout and --synthetic"),
    "nothing": (["neighbors"], "a run, or --train, --holdout and --synthetic must be given"),
    "with a run": (["neighbors", "run", "--drop", "key"], "--drop is for synthetic tables"),
    "cells": ([*TABLES, "--cells", "5"], "--cells is for runs; leave it out to test a synthetic"),
    "model": ([*TABLES, "--model", "kde"], "--model is for runs; leave it out"),
    "twice": ([*TABLES[:-1], "./t.csv"], "--synthetic must be another file than --train; both are"),
    "missing": ([*TABLES[:-1], "none.csv"], "none.csv: --synthetic must be a .csv"),
    "kind": ([*TABLES[:-1], "s.txt"], "--synthetic must be a .csv (also gzipped) or .parquet file"),
    "drop": (
        [*TABLES, "--drop", "kei"],
        "t.csv: drop must name columns of the table; got 'kei', did",
    ),
    "columns": ([*TABLES[:-1], "other.csv"], "synthetic must have the columns of train; it lacks"),
    "ragged": ([*TABLES[:-1], "ragged.csv"], "ragged.csv: every row must have 2 cells"),
    "text": ([*TABLES[:-1], "text.csv"], "column 'age' must hold numbers in all tables or in none"),
    "empty": ([*TABLES[:-1], "empty.csv"], "synthetic must have rows"),
    "seed": ([*TABLES, "--seed", "-1"], "--seed must be"),
    "top": ([*TABLES, "--top", "-1"], "--top must be"),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_tables_that_cannot_be_compared_are_refused_in_one_sentence(case, byrote_, tmp_path):
    write_tables()
    (tmp_path / "other.csv").write_text("key,age\na,1\nb,2\n")
    (tmp_path / "ragged.csv").write_text("key,age\na,1\nb\n")
    (tmp_path / "text.csv").write_text("key,age,town\na,old,Ely\nb,young,Rye\n")
    (tmp_path / "empty.csv").write_text("key,age,town\n")
    (tmp_path / "s.txt").write_text("key,age,town\n")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    before = {path.name for path in tmp_path.iterdir()}
    arguments, message = BAD_TABLES[case]
    named = ["--ids", "key"] if "--train" in arguments else []
    code, out, err = byrote_(*arguments, *named)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert {path.name for path in tmp_path.iterdir()} == before
