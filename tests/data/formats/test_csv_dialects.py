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


# options that only Python can give (tests/cli/test_bad_tables.py has the others), and the sentence
BAD = {
    "names as a number": ({"drop": 3}, "drop must be a list of names; got 3"),
    "a truth value": ({"standardize": "maybe"}, "standardize must be"),
    "separator of letters": ({"separator": "a"}, "separator must be one character"),
    "ids among categories": ({"ids": "job", "categories": "job"}, "categories must not name"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_options_are_refused_in_one_sentence(case, tmp_path):
    options, message = BAD[case]
    (tmp_path / "t.csv").write_text(WIDE)
    with pytest.raises(InvalidInput, match=message) as caught:
        load(tmp_path / "t.csv", **options)
    assert "\n" not in str(caught.value)
