"""``byrote score --groups``: the records of a person are held out together."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.neighbors import KernelDensity

import byrote

GENERATOR = np.random.default_rng(0)
PERSON = np.repeat(["ann", "bob", "cy", "di", "ed", "flo"], [1, 2, 3, 4, 5, 5])
X = GENERATOR.normal(size=(20, 2))
WORDS = ("--model", "kde", "--folds", "3", "--repeats", "2")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"a": X[:, 0], "person": PERSON, "b": X[:, 1]}).to_csv("t.csv", index=False)
    np.save("x.npy", X)
    np.save("person.npy", PERSON)
    np.savez("x.npz", x=X, person=PERSON)
    return tmp_path


@pytest.mark.parametrize(
    ("data", "groups"),
    [
        (("t.csv",), "person"),
        (("t.csv", "--labels", "person"), "person"),
        (("x.npy",), "person.npy"),
        (("x.npz", "--key", "x"), "person"),
    ],
)
def test_a_group_is_held_out_together_and_is_no_value(folder, byrote_, data, groups):
    code, _, err = byrote_("score", *data, *WORDS, "--groups", groups, "--out", "run")
    assert code == 0, err
    run = byrote.open_run("run")
    assert run.manifest.data.shape == (2,)
    assert run.manifest.plan.spec["kind"] == "grouped-kfold"
    assert all(not set(PERSON[rows]) & set(np.delete(PERSON, rows)) for rows in run.design.held_out)
    code, _, err = byrote_("score", *data, *WORDS, "--groups", groups, "--out", "run")
    assert code == 0, err  # finished


def test_sub_folders_are_groups(folder, byrote_):
    pixels = GENERATOR.integers(0, 256, size=(8, 4, 4), dtype=np.uint8)
    for number, image in enumerate(pixels):
        path = folder / "photos" / f"person-{number // 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    code, _, err = byrote_("score", "photos", *WORDS, "--groups", "labels", "--out", "run")
    assert code == 0, err
    for rows in byrote.open_run("run").design.held_out:
        assert {row ^ 1 for row in rows.tolist()} == set(rows.tolist())
    code, _, err = byrote_("score", "x.npy", *WORDS, "--groups", "labels", "--out", "none")
    assert (code, "the records must have labels" in err) == (2, True)


def test_groups_from_the_command_line_are_those_of_python(folder, byrote_):
    byrote_("score", "x.npy", *WORDS, "--groups", "person.npy", "--out", "run")
    plan = byrote.plans.Grouped(byrote.KFold(3, repeats=2), PERSON)
    result = byrote.score_memorization(KernelDensity(leaf_size=20), byrote.load("x.npy"), plan=plan)
    model = byrote.open_run("run").manifest.model.parameters
    assert model["bandwidth"] == 1.0
    np.testing.assert_allclose(byrote.open_run("run").memorization().score, result.score, rtol=1e-9)


@pytest.mark.parametrize(
    ("data", "groups", "said"),
    [
        ("t.csv", "persons", "--groups, which are read as --labels are: t.csv: labels must name"),
        ("x.npy", "none.npy", "--groups, which are read as --labels are: x.npy: "),
        ("digits", "person", "--groups, which are read as --labels are: digits: "),
    ],
)
def test_groups_that_are_not_there_are_named(folder, byrote_, data, groups, said):
    code, _, err = byrote_("score", data, *WORDS, "--groups", groups, "--out", "run")
    assert code == 2
    assert said in err
    assert not (folder / "run").exists()


def test_groups_and_near_duplicates_exclude_each_other(folder, byrote_):
    words = ("--groups", "person", "--group-duplicates", "--out", "run")
    code, _, err = byrote_("score", "t.csv", *WORDS, *words)
    assert (code, "exclude each other" in err) == (2, True)
