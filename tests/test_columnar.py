"""Frozen tables of equal columns: rows selected, combined, and saved with their facts."""

from dataclasses import dataclass

import numpy as np
import pytest

from byrote.columnar import Columnar
from byrote.errors import CorruptFile, InvalidInput


@dataclass(frozen=True, eq=False, repr=False)
class Measured(Columnar):
    FORMAT = "byrote-measured-1"
    CONTENT = "measurements"

    value: np.ndarray
    method: np.ndarray
    level: float = 0.95


@dataclass(frozen=True, eq=False, repr=False)
class Another(Measured):
    FORMAT = "byrote-another-1"


TABLE = Measured(np.array(["a", "b", "c"]), np.array([1.0, np.nan, 3.0]), np.array(["x", "y", "x"]))


def same(first, second):
    return first.to_frame().equals(second.to_frame()) and first.facts() == second.facts()


def test_rows_are_taken_by_number_slice_and_mask():
    assert TABLE.take(np.array([2, 0])).ids.tolist() == ["c", "a"]
    assert same(TABLE.take(np.array([True, False, True])), TABLE.take(slice(None, None, 2)))
    assert (len(TABLE), list(TABLE.columns())) == (3, ["id", "value", "method"])


def test_where_replaces_rows_and_concat_appends_them():
    longer = Measured(TABLE.ids, np.arange(3.0), np.array(["longer word"] * 3), level=0.5)
    mixed = TABLE.where(np.array([True, False, False]), longer)
    assert mixed.value.tolist() == [1, 1, 2]
    assert (mixed.method.tolist(), mixed.level) == (["x", "longer word", "longer word"], 0.95)
    assert same(Measured.concat([TABLE, longer]).take(slice(3)), TABLE)
    assert len(Measured.concat([TABLE, longer, TABLE])) == 9


def test_a_file_gives_back_columns_and_facts_of_its_own_kind(tmp_path):
    TABLE.save(tmp_path / "t.parquet")
    assert same(Measured.load(tmp_path / "t.parquet"), TABLE)
    with pytest.raises(CorruptFile, match="holds no measurements"):
        Another.load(tmp_path / "t.parquet")
    with pytest.raises(InvalidInput, match="does not exist"):
        Measured.load(tmp_path / "u.parquet")
    with pytest.raises(InvalidInput, match="path must lie in a folder that exists"):
        TABLE.save(tmp_path / "none" / "t.parquet")
