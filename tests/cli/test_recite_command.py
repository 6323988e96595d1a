"""byrote recite: models and runs, what is printed, and what is not."""

import json
from pathlib import Path

import pytest

import byrote
from byrote.report.page import report

from languages import Ngram

TEXT = "".join(f"line {k} of a text about {k % 7} cats and {k % 11} dogs\n" for k in range(120))
OTHER = TEXT[::-1]
LENGTHS = ["--prefix", "20", "--suffix", "20"]
MODEL = ["--model", "languages:Ngram", "--set", "order=9", "--set", "alpha=1e-6"]


class Ready(Ngram):
    """A user's class whose instances need no training."""

    def __init__(self):
        super().__init__(order=9, alpha=1e-6)
        self.fit([TEXT])


@pytest.fixture(autouse=True)
def files(monkeypatch, byrote_):
    del byrote_  # whose folder comes first
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    Path("text.txt").write_text(TEXT)
    Path("other.txt").write_text(OTHER)


def test_a_class_of_ones_own_recites_and_prints_no_text(byrote_):
    words = ("recite", "test_recite_command:Ready", "text.txt", "--unseen", "other.txt", *LENGTHS)
    code, out, err = byrote_(*words)
    assert (code, err) == (0, "")
    assert "Greedy decoding recites" in out
    assert "cats" not in out
    shown = byrote_(*words, "--show-records")[1]
    assert "0, from token" in shown
    assert "cats" in shown


def test_json_and_csv_hold_the_windows(byrote_):
    words = ("recite", "test_recite_command:Ready", "text.txt", *LENGTHS)
    data = json.loads(
        byrote_(*words, "--n", "3", "--edits", "1", "--max-queries", "2", "--json")[1]
    )
    result = byrote.recite(Ready(), [TEXT], prefix=20, suffix=20, n=3)
    assert data["settings"]["n"] == [3]
    assert data["summary"]["windows"] == len(result.windows)
    assert data["summary"]["shares"][0]["windows"] == int(result.recited.sum())
    assert data["summary"]["near_at_most"] >= data["summary"]["near_at_least"]
    lines = byrote_(*words, "--csv")[1].splitlines()
    assert lines[0].startswith("id,text,start,matched,bits,bits_top_k,bits_temperature")
    assert len(lines) == 1 + len(result.windows)


def test_the_model_of_a_run_recites_its_text(byrote_):
    planted = ["--canary", "pin {digits:3}", *MODEL, "--insertions", "1,2", "--references", "5"]
    levels = ["--canaries-per-level", "1", "--controls", "1", "--keep-models", "release"]
    byrote_("expose", "text.txt", *planted, *levels, "--method", "sampled", "--out", "run")
    code, out, err = byrote_("recite", "run", "text.txt", *MODEL, *LENGTHS, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["summary"]["shares"][0]["windows"] > 0


WRONG = [
    (["char-lstm", "text.txt"], "MODEL must be hf:PATH, module:Class, or a run folder"),
    (["no:Such", "text.txt"], "cannot import no"),
    (["hf:nowhere", "text.txt"], "path must be a folder"),
    (["byrote.models:CharLSTM", "text.txt"], "CharLSTM is not fitted"),
    (["test_recite_command:Ready", "text.txt", "--n", "a"], "--n must be whole numbers"),
    (["test_recite_command:Ready", "text.txt", "--fit", "1"], "need a run folder"),
    (["test_recite_command:Ready", "text.txt", "--prefix", "99999"], "the longest that the model"),
    (["test_recite_command:Ready", "latin.txt"], "must be UTF-8 text"),
    (["test_recite_command:Ready", "empty.txt"], "the source must hold text"),
    (["model", "text.txt"], "write hf:model"),
    (["test_recite_command:Ready", "text.txt", "--json", "--csv"], "exclude each other"),
]


@pytest.mark.parametrize(("words", "fragment"), WRONG)
def test_what_cannot_be_used_is_one_sentence(byrote_, words, fragment):
    Path("latin.txt").write_bytes("naïve".encode("latin-1"))
    Path("empty.txt").write_text("")
    Path("model").mkdir()
    Path("model/config.json").write_text("{}")
    code, out, err = byrote_("recite", *words)
    assert (code, out) == (2, "")
    assert fragment in err
    assert len(err.splitlines()) == 1


def test_a_run_of_texts_tells_the_memorized_from_the_predictable(byrote_):
    rows = [{"id": f"m{k}", "text": TEXT[90 * k : 90 * k + 90]} for k in range(8)]
    Path("mails.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    plan = ["--folds", "2", "--repeats", "1", "--keep-models", "all", "--out", "run"]
    byrote_("score", "mails.jsonl", "--ids", "id", *MODEL, *plan)
    lengths = ["--prefix", "10", "--suffix", "10"]
    code, out, err = byrote_("recite", "run", *MODEL, *lengths)
    assert (code, err) == (0, "")
    assert "memorized" in out
    assert "m3" in out
    assert "cats" not in out
    data = json.loads(byrote_("recite", "run", *MODEL, *lengths, "--json")[1])
    cells = [data["tables"][0][name]["value"] for name in ("memorized", "predictable", "neither")]
    assert sum(cells) <= 1
    kept = Path("run/recitation.parquet")
    assert b"cats" not in kept.read_bytes()
    byrote_("report", "run", "--out", "page.html")
    page = report.make_page({"run": byrote.open_run("run")})
    sections = page.data["runs"]["run"]["sections"]
    assert sections["recitation"] == data
    assert sections["coverage"]["exfiltration"]["status"] == "run"
    assert "cats" not in Path("page.html").read_text()
    assert byrote_("verify", "page.html", "run")[0] == 0
    for words in (["--fit", "1"], ["--unseen", "text.txt"], ["--edits", "2"]):
        code, _, err = byrote_("recite", "run", *MODEL, *words)
        assert (code, "need" in err) == (2, True)
