"""byrote score on texts: what it prints, keeps to itself, and refuses."""

import json

import numpy as np
import pytest

import byrote

SECRET = "hunter2"
TEXTS = [f"the cat {n} sat on mat {n * n}" for n in range(23)] + [f"my password is {SECRET}"]
IDS = [f"m{n}" for n in range(len(TEXTS))]
COLUMNS = ["--column", "body", "--ids", "id"]
SMALL = {"hidden": 8, "layers": 1, "epochs": 2, "batch_size": 8}
MODEL = ["--model", "char-lstm", *(f"--set={name}={value}" for name, value in SMALL.items())]
PLAN = ["--folds", "3", "--repeats", "2"]


@pytest.fixture
def mails(byrote_, tmp_path):
    rows = ({"id": id_, "body": text} for id_, text in zip(IDS, TEXTS, strict=True))
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "mails.jsonl").write_text(lines)
    return byrote_


def test_texts_are_nowhere_unless_asked_for(mails, tmp_path):
    code, out, err = mails("score", "mails.jsonl", *MODEL, *COLUMNS, *PLAN, "--out", "run")
    assert code == 0
    tokens = sum(map(len, TEXTS))
    assert f"Bits per token, over {tokens} tokens" in " ".join(out.split())
    files = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert len(files) > 6
    assert not any(SECRET.encode() in path.read_bytes() for path in files)
    assert SECRET not in out + err
    for how in ([], ["--json"], ["--csv"]):
        for shown in ([], ["--show-records"]):
            code, out, _ = mails("show", "run", "--top", "24", *how, *shown)
            assert code == 0
            assert ("my password" in out) == bool(shown)
            assert "m23" in out
    code, out, _ = mails("neighbors", "run")
    assert (code, "training records" in out, SECRET in out) == (0, True, False)
    run = byrote.open_run("run")
    assert run.records.texts == tuple(TEXTS)
    with (tmp_path / "mails.jsonl").open("a") as file:
        file.write('{"id": "m99", "body": "one more"}\n')
    with pytest.raises(byrote.InvalidInput, match="has changed since the run"):
        _ = byrote.open_run("run").records


def test_a_text_file_is_scored_line_by_line(mails, tmp_path):
    (tmp_path / "lines.txt").write_text("\n".join(TEXTS))
    words = ["score", "lines.txt", *MODEL, *PLAN, "--records", "20", "--dry-run", "--json"]
    code, out, _ = mails(*words)
    assert (code, json.loads(out)["fits"]) == (0, 6)


REFUSED = {
    "a model of numbers": (["--model", "kde"], "model must be a language model"),
    "an option of tables": ([*MODEL, "--key", "x"], "--key does not apply to texts"),
    "no such column": ([*MODEL, "--column", "boddy"], "column must name a column; got 'boddy'"),
    "no such model": (["--model", "hf:nowhere"], "tokenizer must be a folder on this machine"),
    "no tokenizer": (["--model", "hf:."], "tokenizer must be a folder on this machine"),
}


@pytest.mark.parametrize(("words", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_scored_is_refused_before_any_fit(mails, tmp_path, words, message):
    code, _, err = mails("score", "mails.jsonl", *COLUMNS, *words, *PLAN, "--out", "run")
    assert code == 2
    assert message in " ".join(err.split())
    assert SECRET not in err
    assert not (tmp_path / "run").exists()


def test_numbers_have_no_text_to_show(byrote_):
    np.save("x.npy", np.random.default_rng(0).normal(size=(30, 2)))
    code, _, err = byrote_("score", "x.npy", "--model", "kde", "--out", "run", "--show-records")
    assert (code, "--show-records applies to texts" in err) == (2, True)


def test_a_user_class_is_trained_on_lists_of_texts(mails, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from sklearn.base import BaseEstimator\nimport numpy as np\n"
        "class Lengths(BaseEstimator):\n    takes_texts = True\n"
        "    def fit(self, X):\n        self.mean_ = np.mean([len(t) for t in X]); return self\n"
        "    def score_samples(self, X):\n"
        "        return np.array([-((len(t) - self.mean_) ** 2) for t in X])\n"
    )
    words = ["score", "mails.jsonl", "--model", "mine:Lengths", *COLUMNS, *PLAN]
    code, out, _ = mails(*words, "--out", "run", "--json")
    assert code == 0
    summary = json.loads(out)["summary"]
    assert (summary["scored"], summary["per_token"]) == (len(TEXTS), None)
