"""``byrote score --groups``: the records of a person are held out together."""

import json
import shlex

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.neighbors import KernelDensity

import byrote
from byrote.plans.pilot_plan import pilot_plan, pilot_rows

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


# -- planning -------------------------------------------------------------------------------------


@pytest.fixture
def people(folder):
    """Two hundred records of fifty people, of whom each one's are alike."""
    person = np.random.default_rng(1).permutation(np.repeat(np.arange(50), 4))
    centres = np.random.default_rng(2).normal(size=(50, 2))
    x = centres[person] + 0.01 * np.random.default_rng(3).normal(size=(200, 2))
    columns = {"a": x[:, 0], "b": x[:, 1], "person": person}
    pd.DataFrame(columns).to_csv("people.csv", index=False)
    return person


GROUPED = ("people.csv", "--model", "kde", "--set", "bandwidth=0.3", "--groups", "person")


def test_the_command_that_a_plan_of_groups_recommends_is_the_run_it_predicts(people, byrote_):
    code, out, err = byrote_("plan", *GROUPED, "--for", "discover=2", "--json")
    assert (code, err) == (0, "")
    printed = json.loads(out)
    assert [proposal["name"] for proposal in printed["proposals"]] == ["kfold", "probes"]
    assert {proposal["plan"]["groups"] for proposal in printed["proposals"]} == {50}
    assert {proposal["epsilon"] for proposal in printed["proposals"]} == {0}
    best = printed["proposals"][printed["best"]]
    words = shlex.split(printed["command"])
    assert words[words.index("--groups") + 1] == "person"
    code, out, err = byrote_(*words[1:], "--json")
    assert code in (0, 4), err
    run = byrote.open_run(words[-1])
    assert run.design.fits == best["fits"]
    assert all(not set(people[o]) & set(np.delete(people, o)) for o in run.design.held_out)
    scores = run.memorization()
    shown = np.nanmedian(scores.standard_error["mean_log"])
    assert best["standard_error"] == pytest.approx(shown, rel=0.3)
    alone = json.loads(byrote_("plan", *GROUPED[:-2], "--drop", "person", "--json")[1])
    assert best["standard_error"] > 1.2 * alone["proposals"][0]["standard_error"]


def test_a_pilot_takes_whole_groups(people):
    plan = byrote.plans.Grouped(byrote.KFold(3, repeats=2), people)
    design = byrote.plans.design_of(plan, 200)
    few, more = (pilot_rows(plan, 200, n, np.random.default_rng(0)) for n in (10, 90))
    assert set(few) <= set(more)
    assert (len(few), len(more)) == (80, 92)  # twenty groups at least
    small = pilot_plan(plan, design, more)
    held_out = byrote.plans.design_of(small, len(more)).held_out
    of_pilot = people[more]
    assert all(not set(of_pilot[o]) & set(np.delete(of_pilot, o)) for o in held_out)
    assert sorted(map(len, held_out[:3])) == [28, 32, 32]


def test_a_chosen_plan_of_groups_is_written_for_fits_made_elsewhere(people, byrote_):
    words = ("--plan", "kfold", "--folds", "3", "--repeats", "1", "--out", "run")
    code, _, err = byrote_("plan", "people.csv", "--groups", "person", *words)
    assert code == 0, err
    run = byrote.open_run("run")
    assert run.manifest.plan.spec["groups"] == 50
    assert all(not set(people[o]) & set(np.delete(people, o)) for o in run.design.held_out)


def test_too_few_groups_are_counted(folder, byrote_):
    code, out, err = byrote_("plan", "t.csv", "--model", "kde", "--groups", "person")
    assert (code, out) == (2, "")
    assert "groups must be at least 40 to propose plans; got 6" in err
