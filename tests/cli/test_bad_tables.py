"""Bad tables and files, as users have them: one sentence with the way out, nothing written."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

N = 40
GENERATOR = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "age": GENERATOR.integers(20, 60, N),
        "income": GENERATOR.normal(2000, 300, N).round(2),
        "job": GENERATOR.choice(["clerk", "nurse"], N),
    }
)
GOOD = FRAME.to_csv(index=False)
NAMES, FIRST, *_ = GOOD.splitlines()
GAPS = FRAME.assign(income=FRAME["income"].where(FRAME.index % 9 > 0)).drop(columns="job")
NO_TEXT = FRAME.drop(columns="job")


def table(**columns):
    """The good table with other columns, as CSV."""
    return FRAME.assign(**columns).to_csv(index=False)


# the text of a table, options, the sentence and, in it, the way out
TABLES = {
    "ids by name": (table(patient_id=range(900, 900 - 3 * N, -3)), [],
        "column 'patient_id' looks like ids, which a model would learn", "--ids patient_id"),
    "row numbers": (table(n=range(N)), [], "column 'n' looks like ids", "--drop n"),
    "ids twice": (table(n=range(N), id=range(0, 7 * N, 7)), [],
        "columns 'n', 'id' look like ids", "(--columns)"),
    "free text": (table(note=[f"person {i}" for i in range(N)]), [],
        "column 'note' holds 40 different texts in 40 rows", "--drop note"),
    "numbers and a word": (table(rate=[*map(str, range(N - 1)), "unknown"]), [],
        "column 'rate' holds 40 different texts in 40 rows, 39 of them numbers", "cells without"),
    "numbers with marks": (table(paid=[f"1.{i:03},50 €" for i in range(N)]), [],
        "column 'paid' holds 40 different texts in 40 rows, 40 of them numbers", "like 1234.5"),
    "a spreadsheet by another name": (b"PK\3\4" + bytes(range(256)), [],
        "must be CSV; it is a spreadsheet or an archive", "save the table as .csv"),
    "Parquet by another name": (b"PAR1" + bytes(range(256)), [],
        "must be CSV; it is Parquet", "let its name end in .parquet"),
    "JSON by another name": ('[\n {"age": 1}]', [], "must be CSV; it is JSON", "save the table"),
    "a page by another name": ("<!doctype html>\n<table>", [], "must be CSV; it is a page", "save"),
    "a comment": (f"# exported\n{GOOD}", [],
        "must have 1 cell, as the first has; row 2 has 3", "the line of names must be the first"),
    "dates": (table(born="1970-01-02"), [], "column 'born' must hold numbers", "--drop born"),
    "times": (table(seen="1970-01-02 10:00:00"), [], "column 'seen' must hold", "such as days"),
    "an empty column": (table(note=""), [],
        "column 'note' must hold values; all are", "--drop note"),
    "infinite": (table(age=[np.inf, *range(N - 1)]), [],
        "column 'age' must be finite", "--drop age"),
    "thousands": (table(paid="1,000"), [],
        "column 'paid' holds numbers with commas", "--decimal ,"),
    "a short row": (f"{GOOD}1,2\n", [],
        "must have 3 cells, as the first has; row 42 has 2", "quotes"),
    "names twice": (GOOD.replace("income", "age", 1), [], "repeated: 'age'", "rename all but one"),
    "no names": (GOOD.removeprefix(NAMES).lstrip().replace("clerk", "1").replace("nurse", "2"), [],
        "the first line must name the columns", "put a line of names before it"),
    "no name": (GOOD.replace("income", "", 1), [], "column 2 of 3 has none", "index=False"),
    "nothing": ("", [],
        "the file is empty", "it must have a line of names and one for each record"),
    "names alone": (f"{NAMES}\n", [], "must have rows of records", "it has names of columns alone"),
    "one record": (f"{NAMES}\n{FIRST}\n", [], "got 10 folds for 1 record", "folds must not exceed"),
    "an open quote": (GOOD.replace("nurse", '"nurse', 1), [], "one in row", "quote must be closed"),
    "no text": (bytes(range(256)), [],
        "line 2 is not, byte 128 counted from 0", "--encoding names"),
    "drop": (GOOD, ["--drop", "agee"], "drop must name columns", "got 'agee', did you mean age?"),
    "columns": (GOOD, ["--columns", "incme"],
        "columns must name", "got 'incme', did you mean inco"),
    "categories": (GOOD, ["--categories", "jobs"], "categories must name", "did you mean job?"),
    "contradiction": (GOOD, ["--columns", "age", "--drop", "age"],
        "columns must not name what drop, labels or ids name", "got 'age'"),
    "a label": (GOOD, ["--columns", "job", "--labels", "job"], "must not name what", "got 'job'"),
    "nothing left": (GOOD, ["--drop", "age,income,job"],
        "must have a column of values", "addition"),
    "a blank name": (GOOD, ["--drop", "age,,job"], "drop must be names separated by commas", "got"),
    "a long separator": (GOOD, ["--separator", "::"],
        "separator must be one character", "';' or tab"),
    "a wrong separator": (GOOD, ["--separator", ";"], "divide the first line, which has commas",
        "without --separator it is recognized"),
    "decimal": (GOOD, ["--decimal", ";"], "decimal must be '.' or ','", "got ';'"),
    "no encoding": (GOOD, ["--encoding", "klingon"],
        "encoding must be one that Python knows", "utf-8"),
    "a wrong encoding": (GOOD.replace("nurse", "nürse"), ["--encoding", "ascii"],
        "encoding must be that of the file, which is not ascii at byte", "without --encoding"),
    "ids that repeat": (GOOD, ["--ids", "job"], "ids, column 'job', must all differ", "38 of 40"),
    "ids with gaps": (table(k=["", *"ab" * (N // 2)][:N]), ["--ids", "k"],
        "ids must not be missing", "column 'k' lacks 1"),
    "no ids": (GOOD, ["--ids", "person"], "ids must name a column", "got 'person'"),
    "no labels": (GOOD, ["--labels", "jobs"], "labels must name a column", "did you mean job?"),
    "labels with gaps": (table(k=["", *"u" * (N - 1)]), ["--labels", "k"],
        "labels must not be missing", "column 'k' lacks 1"),
    "strata without labels": (GOOD, ["--stratify"], "stratify=True needs labels", "--labels"),
    "an option of images": (GOOD, ["--image", "resize=8"], "image does not apply to .csv", "takes"),
    "an option of archives": (GOOD, ["--key", "age"],
        "key does not apply to .csv", "which takes lab"),
    "a part": (GOOD, ["--part", "test"], "part does not apply to .csv", "which takes labels, ids"),
    "too many": (GOOD, ["--records", "400"], "records must be at most 40", "the number of records"),
    "a list of others": (GOOD, ["--only", "only.txt"],
        "only must list ids", "belong to none of the 40"),
    "categories of kde": (GOOD, ["--model", "kde"], "column 'job' holds categories", "--model vae"),
    "gaps": (GAPS.to_csv(index=False), ["--model", "gmm"],
        "column 'income' lacks", "--drop income"),
    "units": (NO_TEXT.to_csv(index=False), ["--no-standardize", "--set", "likelihood=gaussian"],
        "X must lie in [0, 1] for a model in logit space", "space='real' takes any numbers"),
    "a range in units": (NO_TEXT.to_csv(index=False),
        ["--standardize", "--model", "laplace-histogram", "--set", "range=[[0,99],[0,9999]]"],
        "standardize must be left out for LaplaceHistogram", "takes columns in their own units"),
}  # fmt: skip


def parquet(**columns):
    """A Parquet file of these columns beside ages."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"age": FRAME["age"], **columns}), sink)
    return sink.getvalue().to_pybytes()


# the name of a file, its content, options, the sentence and, in it, the way out
FILES = {
    "cut off": ("t.parquet", parquet()[:200], [], "truncated, damaged or not Parquet", "t.parquet"),
    "another kind": ("t.parquet", GOOD, [], "truncated, damaged or not Parquet", "t.parquet"),
    "records in records": ("t.parquet", parquet(at=[{"x": 1}] * N), [],
        "column 'at' must hold numbers or categories", "--drop at"),
    "lists": ("t.parquet", parquet(v=[[1.0, 2.0]] * N), [],
        "key must name the column", "'v' could"),
    "durations": ("t.parquet", parquet(stay=[timedelta(days=2)] * N), [],
        "column 'stay' must hold numbers or categories", "--drop stay"),
    "ids that are fractions": ("t.parquet", parquet(f=np.arange(N) / 2), ["--ids", "f"],
        "ids must be integers or strings", "'f' holds double"),
    "a spreadsheet": ("t.xlsx", b"PK\3\4", [],
        "spreadsheets are not read", "save the table as .csv"),
    "no file": ("t.parquet", None, [],
        "source must be a file, a folder or", "t.parquet does not exist"),
}  # fmt: skip


def refusal(byrote_, tmp_path, source, *options):
    """Return the one line that ``byrote score`` prints, having written nothing."""
    before = {path.name for path in tmp_path.iterdir()}
    code, out, err = byrote_("score", source, *options, "--out", "run")
    assert (code, out) == (2, "")
    assert len(err.strip().splitlines()) == 1
    assert "person 1" not in err  # no record is quoted
    assert {path.name for path in tmp_path.iterdir()} == before
    return err


@pytest.mark.parametrize("case", TABLES)
def test_a_bad_table_is_refused_in_one_sentence_with_the_way_out(case, byrote_, tmp_path):
    content, options, sentence, way_out = TABLES[case]
    (tmp_path / "only.txt").write_text("999\n")
    (tmp_path / "t.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    err = refusal(byrote_, tmp_path, "t.csv", *options)
    assert sentence in err
    assert way_out in err


@pytest.mark.parametrize("case", FILES)
def test_a_bad_file_is_refused_in_one_sentence_with_the_way_out(case, byrote_, tmp_path):
    name, content, options, sentence, way_out = FILES[case]
    if content is not None:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    err = refusal(byrote_, tmp_path, name, *options)
    assert sentence in err
    assert way_out in err
