"""Names from a stranger's file on the way to a terminal, a spreadsheet, a program."""

import csv
import io
import json
import sys

import numpy as np
import pytest
from sklearn.neighbors import KernelDensity

import byrote
from byrote.cli import app, exits, output
from byrote.data.formats.csv import escape_cell, unescape_cell

IDS = [
    "plain", "réc-☃-1", "\x1b[2J\x1b[31m", "=1+1", "'=1+1", "-2+3", "@a", "-5", "[red]", "[/]",
    "a,b\nc", "\u202egnp", "zero\u200bwidth", ":smile:", "\\x1b", "tab\there", "$x^$", "_hidden",
]  # fmt: skip
ENCODINGS = ("utf-8", "cp1252", "latin-1", "ascii")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("streams") / "run"
    x = np.random.default_rng(0).normal(size=(len(IDS), 2))
    labels = ["$x^$", "[red]", "\x1b[2J"] * (len(IDS) // 3)
    plan = byrote.KFold(3, repeats=2)
    byrote.score_memorization(
        KernelDensity(), x, ids=IDS, labels=labels, plan=plan, out=path, keep_models="none"
    )
    return path


@pytest.fixture
def said(monkeypatch):
    """Call the command with streams of an encoding: exit code, output and errors as read back."""

    def call(encoding, *arguments):
        both = [io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2)]
        monkeypatch.setattr(sys, "stdout", both[0])
        monkeypatch.setattr(sys, "stderr", both[1])
        output.prepare_streams()
        words = [str(argument) for argument in arguments]
        code = exits.run(lambda: app.app(words, standalone_mode=False), debug=False)
        texts = []
        for stream in both:
            stream.flush()
            texts.append(stream.buffer.getvalue().decode(encoding))
        monkeypatch.undo()
        return (code, *texts)

    return call


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_report_is_printed_in_any_encoding_and_nothing_in_it_is_obeyed(run, said, encoding):
    code, out, err = said(encoding, "show", run, "--top", len(IDS))
    assert (code, err) == (0, "")
    assert all(line.isprintable() for line in out.split("\n"))
    for shown in ("[red]", "[/]", ":smile:", r"\x1b[2J\x1b[31m", "=1+1", "$x^$", r"\u202egnp"):
        assert shown in out
    assert ("±" in out) == (encoding != "ascii")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_csv_gives_ids_back_and_holds_no_formula(run, said, encoding):
    code, out, _ = said(encoding, "show", run, "--csv")
    head, *rows = csv.reader(io.StringIO(out))
    assert code == 0
    assert [unescape_cell(row[0]) for row in rows] == IDS
    cells = [row[place] for row in rows for place in (0, head.index("label"))]
    assert all(each.isprintable() and each[0] not in "=+@" for each in cells)
    assert [each for each in cells if each.startswith("-")] == ["-5"]
    assert "plain" in cells


def test_json_is_exact_in_any_encoding(run, said):
    found = [said(encoding, "show", run, "--json", "--top", 99)[1] for encoding in ENCODINGS]
    assert len(set(found)) == 1
    assert found[0].isascii()
    assert {record["id"] for record in json.loads(found[0])["most_memorized"]} == set(IDS)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_records_that_csv_lists_are_found_again(run, said, encoding, tmp_path):
    _, out, _ = said(encoding, "show", run, "--csv")
    path = tmp_path / "some.csv"
    path.write_text("".join(out.splitlines(keepends=True)[:12]), encoding="utf-8")
    np.save(tmp_path / "x.npy", np.zeros((len(IDS), 2)))
    np.save(tmp_path / "ids.npy", np.array(IDS))
    found = byrote.load(tmp_path / "x.npy", ids=tmp_path / "ids.npy", only=path)
    assert found.ids.tolist() == IDS[:11]


@pytest.mark.parametrize("kind", [".csv", ".parquet"])
def test_records_that_prune_lists_are_found_again(run, tmp_path, kind):
    byrote.prune(run, top=0.2).save(tmp_path / f"kept{kind}")
    np.save(tmp_path / "x.npy", np.zeros((len(IDS), 2)))
    np.save(tmp_path / "ids.npy", np.array(IDS))
    found = byrote.load(tmp_path / "x.npy", ids=tmp_path / "ids.npy", only=tmp_path / f"kept{kind}")
    assert len(found) == len(IDS) - 4
    assert set(found.ids) <= set(IDS)


def test_cells_are_read_back_whatever_is_in_them():
    generator = np.random.default_rng(0)
    letters = list("\\xu05c1b=+-@'aé☃\x1b\t\n\u202e\udc80U\U000e0001＝ ")
    for _ in range(2000):
        text = "".join(generator.choice(letters, generator.integers(9)))
        for encoding in ENCODINGS:
            written = escape_cell(text, encoding)
            assert unescape_cell(written) == text
            assert written.encode(encoding).decode(encoding).isprintable()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_messages_spell_out_what_would_be_obeyed(said, encoding, tmp_path):
    for words in (("show", tmp_path / "\x1b[2J☃"), ("\x1b[31m",), ("show", "run", "--\x1b[2J")):
        code, out, err = said(encoding, *words)
        assert (code, out) == (2, "")
        assert all(line.isprintable() for line in err.split("\n"))
        assert r"\x1b[" in err


def test_an_error_is_printable_in_a_traceback_too():
    assert str(byrote.InvalidInput("no \x1b[2J\nhere")) == r"no \x1b[2J\nhere"


def test_names_are_drawn_as_they_are_written(run, said, tmp_path):
    code, out, err = said(
        "ascii", "figures", run, "--names", "$x^$ ☃", "--record", "$x^$", "--format", "svg"
    )
    assert code == 0, err
    drawn = out.split()
    assert len(drawn) > 3
    assert "unexpected" not in err


@pytest.mark.parametrize("name", ["collections:OrderedDict", "os:getcwd", "builtins:print", "a:b"])
def test_what_is_no_model_is_refused(said, name, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((9, 2)))
    code, out, err = said("utf-8", "score", tmp_path / "x.npy", "--model", name, "--dry-run")
    assert (code, out) == (2, "")
    *printed, sentence = err.splitlines()
    assert printed == ([""] if name == "builtins:print" else [])
    assert sentence.startswith("byrote: ")
