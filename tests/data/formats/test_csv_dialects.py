"""CSV files as programs write them: what is recognized is said, and options overrule it."""

import warnings

import numpy as np
import pandas as pd
import pytest

from byrote.data import load
from byrote.errors import InvalidInput

ROWS = 30
FRAME = pd.DataFrame(
    {
        "größe": np.random.default_rng(0).normal(1.7, 0.1, ROWS).round(3),
        "stadt": np.random.default_rng(1).choice(["Köln", "Bonn"], ROWS),
    }
)
SEMICOLONS = "cells are separated by semicolons"
COMMAS = "decimals are marked by commas"

# how pandas writes the file, and what is said of it
DIALECTS = {
    "as usual": ({}, []),
    "byte order mark": ({"encoding": "utf-8-sig"}, []),
    "German spreadsheet": (
        {"sep": ";", "decimal": ",", "encoding": "cp1252"},
        ["not UTF-8, and read as Windows-1252", SEMICOLONS, COMMAS],
    ),
    "semicolons and points": ({"sep": ";"}, [SEMICOLONS]),
    "tabs": ({"sep": "\t"}, ["cells are separated by tabs"]),
    "bars": ({"sep": "|"}, ["cells are separated by bars"]),
    "UTF-16 of Windows": (
        {"sep": "\t", "encoding": "utf-16"}, ["read as UTF-16", "cells are separated by tabs"],
    ),
}  # fmt: skip


def check(path, **options):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        frame = load(path, **options).frame()
    pd.testing.assert_frame_equal(frame, FRAME, check_dtype=False)
    return [str(warning.message) for warning in said]


@pytest.mark.parametrize("case", DIALECTS)
def test_a_dialect_is_recognized_and_said_unless_it_is_given(case, tmp_path):
    written, expected = DIALECTS[case]
    path = tmp_path / "t.csv"
    FRAME.to_csv(path, index=False, **written)
    said = check(path)
    assert len(said) == len(expected)
    assert all(part in text for part, text in zip(expected, said, strict=True))
    given = {
        "separator": written.get("sep"),
        "decimal": written.get("decimal"),
        "encoding": written.get("encoding"),
    }
    assert check(path, **given) == []


def test_commas_in_text_do_not_separate(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('a;b\n1;"x, y"\n2;"z"\n')
    with pytest.warns(UserWarning, match="semicolons"):
        assert load(path).columns.columns[1].categories == ("x, y", "z")


GAPS = "a,kind\n1, ?\n?, x\nNA, x\n4,\n"


def test_gaps_are_values_whether_empty_or_written(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(GAPS)
    records = load(path)
    assert records.columns.kinds == ("number?", 2)
    assert records.frame()["a"].isna().tolist() == [False, True, True, False]
    assert records.frame()["kind"].isna().tolist() == [True, False, False, True]


ROW = "{},{},{},{}\n"
WIDE = ROW.format("age", "income", "job", "smokes") + "".join(
    ROW.format(20 + i, 1000.5 + i, "ab"[i % 2], i % 2) for i in range(40)
)

# options, and what they leave: names of columns and their kinds
CHOICES = {
    "drop": ({"drop": "age,income"}, {"job": 2, "smokes": "number"}),
    "list": ({"drop": ["age", "income", "smokes"]}, {"job": 2}),
    "columns": ({"columns": ["income", "age"]}, {"age": "number", "income": "number"}),
    "categories": (
        {"drop": "age", "categories": "smokes"}, {"income": "number", "job": 2, "smokes": 2},
    ),
    "ids": ({"ids": "age", "drop": "smokes"}, {"income": "number", "job": 2}),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CHOICES)
def test_columns_are_chosen_by_name(case, tmp_path):
    options, expected = CHOICES[case]
    (tmp_path / "t.csv").write_text(WIDE)
    table = load(tmp_path / "t.csv", **options)
    assert dict(zip(table.columns.names, table.columns.kinds, strict=True)) == expected
    frame = pd.read_csv(tmp_path / "t.csv")
    assert load(frame, **options).columns.kinds == table.columns.kinds


def test_few_numbers_are_said(tmp_path):
    (tmp_path / "t.csv").write_text(WIDE)
    with pytest.warns(UserWarning, match="column 'smokes' holds few different numbers"):
        load(tmp_path / "t.csv", drop="age")


LONG = "age,name\n" + "\n".join(f"{20 + i % 7},person {i}" for i in range(40))
IDS = "age,Patient_ID\n" + "\n".join(f"{20 + i % 7},{900 - 3 * i}" for i in range(40))

# text of a file, options, and the sentence
BAD = {
    "ids by name": (IDS, {}, "column 'Patient_ID' looks like ids"),
    "ids in any order": (IDS.replace("Patient_ID", "n").replace(",9", ",1"), {"drop": "age"}, None),
    "names": (LONG, {}, "column 'name' holds 40 different texts in 40 rows, too many"),
    "unknown to drop": (WIDE, {"drop": "agee"}, "drop must name columns .* did you mean age"),
    "unknown columns": (
        WIDE,
        {"columns": ["x"]},
        "columns must name columns of the table; got 'x'",
    ),
    "unknown categories": (WIDE, {"categories": "x"}, "categories must name columns of the table"),
    "both": (WIDE, {"columns": "age", "drop": "age"}, "columns must not name what drop"),
    "ids among categories": (WIDE, {"ids": "job", "categories": "job"}, "categories must not name"),
    "all dropped": (WIDE, {"drop": "age,income,job,smokes"}, "must have a column of values"),
    "blank names": (WIDE, {"drop": "age,,job"}, "drop must be names separated by commas"),
    "names as a number": (WIDE, {"drop": 3}, "drop must be a list of names; got 3"),
    "separator": (WIDE, {"separator": "::"}, "separator must be one character"),
    "separator of letters": (WIDE, {"separator": "a"}, "separator must be one character"),
    "decimal": (WIDE, {"decimal": ";"}, "decimal must be '.' or ','; got ';'"),
    "encoding": (WIDE, {"encoding": "klingon"}, "encoding must be one that Python knows"),
    "other encoding": (
        "größe\n1\n",
        {"encoding": "ascii"},
        "encoding: the file is not ascii, byte",
    ),
    "standardize": (WIDE, {"standardize": "maybe"}, "standardize must be"),
    "repeated ids": (WIDE, {"ids": "job", "drop": "age"}, "ids must"),
    "gaps in ids": (
        "a,k\n1,\n2,u\n",
        {"ids": "k"},
        "values must not be missing; column 'k' lacks 1",
    ),
    "a date": ("a,day\n1,2024-01-01\n", {}, "column 'day' must hold numbers or categories"),
    "empty": ("a,b\n1,\n2,?\n", {}, "column 'b' must hold values; all are missing"),
    "thousands": ('a,b\n"1,000",x\n"2,000,000",y\n', {}, "column 'a' holds numbers with commas"),
    "infinite": ("a,b\n1,x\n-inf,y\n", {}, "column 'a' must be finite"),
    "ragged": ("a;b\n1;2\n1;2;3\n", {}, "every row must have 2 cells"),
    "names twice": ("a;a\n1;2\n", {}, "names"),
    "no names": ("1;2\n3;4\n", {}, "first line must name the columns"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", BAD)
def test_a_bad_table_is_refused_in_one_sentence(case, tmp_path):
    text, options, message = BAD[case]
    (tmp_path / "t.csv").write_text(text)
    if message is None:
        load(tmp_path / "t.csv", **options)
        return
    with pytest.raises(InvalidInput, match=message) as caught:
        load(tmp_path / "t.csv", **options)
    assert "\n" not in str(caught.value)
    assert "person 1" not in str(caught.value)
