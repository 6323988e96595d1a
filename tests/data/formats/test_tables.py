"""Tables: what pandas and pyarrow write is what is loaded."""

import gzip
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from byrote.data import load
from byrote.errors import InvalidInput

RNG = np.random.default_rng(2)
FRAME = pd.DataFrame(RNG.normal(size=(7, 3)), columns=["a", "b.c", "d"])
NAMED = FRAME.assign(kind=list("uvuvuvu"), code=range(10, 17))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_numbers_labels_and_ids(suffix, tmp_path):
    path = tmp_path / f"t.{suffix}"
    NAMED.to_csv(path, index=False) if suffix == "csv" else NAMED.to_parquet(path, index=False)
    records = load(path, labels="kind", ids="code")
    np.testing.assert_array_equal(records.x, FRAME.to_numpy())  # every bit of the text is used
    assert records.x.dtype == np.float64
    assert records.labels.tolist() == list("uvuvuvu")
    assert records.ids.tolist() == list(range(10, 17))
    assert records.ids.dtype == np.int64


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_more_rows_than_a_batch(suffix, tmp_path):
    frame = pd.DataFrame({"a": np.arange(0, 20_000, 2) / 4, "b": np.arange(10_000) % 30})
    path = tmp_path / f"t.{suffix}"
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path, index=False)
    np.testing.assert_array_equal(load(path).x, frame.to_numpy().astype(float))


def test_more_lists_than_a_batch(tmp_path):
    values = np.arange(20_000).reshape(-1, 2)
    pq.write_table(pa.table({"v": values.tolist()}), tmp_path / "t.parquet")
    np.testing.assert_array_equal(load(tmp_path / "t.parquet").x, values)


# cells of a column of labels, and what they become
WRITTEN = {
    "integers": (["1", "-20", "0"], [1, -20, 0]),
    "integers with blanks": ([" 1", "2 ", "3"], [1, 2, 3]),
    "codes with leading zeros": (["007", "42", "1"], ["007", "42", "1"]),
    "more digits than an int64": (["1" * 30, "2", "3"], ["1" * 30, "2", "3"]),
    "words": (["NA", "null", "true"], ["NA", "null", "true"]),
    "dates": (["2024-01-01", "2024-01-02", "x"], ["2024-01-01", "2024-01-02", "x"]),
    "quoted": (['"a,b"', '"c"', "d"], ["a,b", "c", "d"]),
    "fractions": (["0.5", "1", "1.5"], ["0.5", "1", "1.5"]),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_csv_labels_as_written(case, tmp_path):
    cells, expected = WRITTEN[case]
    lines = ["x,y", *(f"{row},{cell}" for row, cell in enumerate(cells))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    assert load(tmp_path / "t.csv", labels="y").labels.tolist() == expected


# text of a CSV file and the matrix it holds
TEXTS = {
    "byte order mark": ("\ufeffa,b\n1,2\n", [[1, 2]]),
    "line ends of Windows": ("a,b\r\n1,2\r\n3,4\r\n", [[1, 2], [3, 4]]),
    "blank lines": ("a,b\n1,2\n\n3,4\n\n", [[1, 2], [3, 4]]),
    "blanks around cells": ("a,b\n 1, 2.5\n", [[1, 2.5]]),
    "exponents": ("a,b\n1e3,-2E-1\n", [[1000, -0.2]]),
    "integers, then fractions": ("a\n1\n2.5\n", [[1], [2.5]]),
    "true and false": ("a,b\ntrue,1\nfalse,2\n", [[0, 1], [1, 2]]),
}


@pytest.mark.parametrize("case", TEXTS)
def test_csv_texts(case, tmp_path):
    text, expected = TEXTS[case]
    (tmp_path / "t.csv").write_bytes(text.encode())
    assert load(tmp_path / "t.csv").x.tolist() == expected


# the first line, and whether its numbers are names beside it
HEADERS = {"as pandas names columns": "0,1,2", "years beside a name": "place,2019,2020"}


@pytest.mark.parametrize("case", HEADERS)
def test_numbers_taken_for_names_are_said(case, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(f"{HEADERS[case]}\n7,8,9\n")
    with pytest.warns(UserWarning, match="first line") as said:
        assert load(path).x.tolist() == [[7, 8, 9]]
    assert [str(warning.message) for warning in said] == [
        f"{path}: the first line, though it holds numbers, is taken for the names of the columns,"
        " not for a record"
    ]


def test_gzipped_csv_and_cells_of_several_lines(tmp_path):
    text = 'a,"of\ntwo lines"\n1,"2"\n\n3,4\n'
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(text.encode()))
    assert load(tmp_path / "t.csv.gz").x.tolist() == [[1, 2], [3, 4]]


# a table, and its columns that look like ids
IDS = {
    "row numbers": ({"a": [2, 0, 1, 5], "n": [1, 2, 3, 4]}, ["n"]),
    "from 1000 on, as fractions": ({"a": [2, 0, 1, 5], "n": [1e3, 1001, 1002, 1003]}, ["n"]),
    "named id": ({"a": [0.5, 1, 2, 3], "customer_id": [70, 12, 99, 3]}, ["customer_id"]),
    "named as pandas does": ({"Unnamed: 0": [3, 1, 0, 2], "a": [1, 1, 2, 2]}, ["Unnamed: 0"]),
    "two": ({"id": [3, 1, 0, 2], "n": [0, 1, 2, 3], "a": [1, 1, 2, 2]}, ["id", "n"]),
    "named id, but repeated": ({"a": [0.5, 1, 2, 3], "id": [70, 12, 70, 3]}, []),
    "named id, but fractions": ({"a": [0.5, 1, 2, 3], "id": [0.5, 1, 2, 3]}, []),
    "integers as others": ({"a": [0.5, 1, 2, 3], "width": [70, 12, 99, 3]}, []),
    "a word that ends so": ({"a": [0.5, 1, 2, 3], "acid": [70, 12, 99, 3]}, []),
    "the only column": ({"id": [1, 2, 3, 4]}, []),
}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("case", IDS)
def test_columns_that_look_like_ids_are_asked_about(case, suffix, tmp_path):
    table, expected = IDS[case]
    path = tmp_path / f"t.{suffix}"
    frame = pd.DataFrame(table)
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path, index=False)
    if not expected:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            np.testing.assert_array_equal(load(path).x, frame.to_numpy())
        return
    noun = "columns 'id', 'n' look" if len(expected) > 1 else f"column {expected[0]!r} looks"
    with pytest.raises(InvalidInput, match=f"{noun} like ids, which a model would learn"):
        load(path)
    rest = [name for name in table if name not in expected]
    np.testing.assert_array_equal(load(path, drop=expected).x, frame[rest].to_numpy())
    np.testing.assert_array_equal(load(path, columns=[*table]).x, frame.to_numpy())
    if table[expected[0]][0] != 1e3:  # ids are integers or text
        records = load(path, ids=expected[0], drop=expected[1:])
        assert records.ids.tolist() == table[expected[0]]
        np.testing.assert_array_equal(records.x, frame[rest].to_numpy())


@pytest.mark.parametrize(
    "written",
    [b"", b"{", b"[]", b"null", b"3", b"\xff", b"[" * 99_999, b'{"index_columns": 3}',
     b'{"index_columns": [["a"], {"kind": "range"}, null]}', b'{"index_columns": {"a": 1}}'],
)  # fmt: skip
def test_odd_metadata_of_pandas_are_ignored(written, tmp_path):
    table = pa.table({"b": [1.0, 2.0], "c": [3.0, 5.0]}).replace_schema_metadata(
        {b"pandas": written}
    )
    pq.write_table(table, tmp_path / "t.parquet")
    assert load(tmp_path / "t.parquet").x.tolist() == [[1, 3], [2, 5]]


# columns of a Parquet file, the matrix it holds, and its type
COLUMNS = {
    "float32": ({"a": pa.array([1, 2], pa.float32())}, [[1], [2]], np.float32),
    "float16": ({"a": pa.array([1, 2], pa.float16())}, [[1], [2]], np.float64),
    "mixed": ({"a": pa.array([1, 2], pa.float32()), "b": [3, 4]}, [[1, 3], [2, 4]], np.float64),
    "booleans": ({"a": [True, False, False]}, [[1], [0], [0]], np.float64),
    "decimals": ({"a": [Decimal("1.25"), Decimal("2.50")]}, [[1.25], [2.5]], np.float64),
    "huge integers": ({"a": [2**53 + 1, 0]}, [[2.0**53], [0]], np.float64),
    "lists": ({"a": [[1, 2], [3, 4]]}, [[1, 2], [3, 4]], np.float64),
    "large lists": (
        {"a": pa.array([[1, 2], [3, 4]], pa.large_list(pa.float32()))},
        [[1, 2], [3, 4]],
        np.float32,
    ),
    "fixed-size lists": (
        {"a": pa.array([[1, 2], [3, 4]], pa.list_(pa.uint8(), 2))},
        [[1, 2], [3, 4]],
        np.float64,
    ),
}


@pytest.mark.parametrize("case", COLUMNS)
def test_parquet_types(case, tmp_path):
    columns, expected, dtype = COLUMNS[case]
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    records = load(tmp_path / "t.parquet")
    assert records.x.tolist() == expected
    assert records.x.dtype == dtype


def test_a_list_column_beside_others_by_key(tmp_path):
    table = pa.table({"vector": [[1.0, 2.0], [3.0, 4.0]], "age": [5, 6], "who": ["u", "v"]})
    pq.write_table(table, tmp_path / "t.parquet")
    records = load(tmp_path / "t.parquet", key="vector", labels="age", ids="who")
    assert records.x.tolist() == [[1, 2], [3, 4]]
    assert records.labels.tolist() == [5, 6]
    assert records.ids.tolist() == ["u", "v"]


@pytest.mark.parametrize("name", [None, "patient"])
def test_the_index_of_a_frame_is_no_column_of_values(name, tmp_path):
    codes = [31, 41, 59, 26, 53, 58, 97]
    frame = FRAME.set_index(pd.Index(codes, name=name))
    frame.to_parquet(tmp_path / "t.parquet")
    np.testing.assert_array_equal(load(tmp_path / "t.parquet").x, FRAME.to_numpy())
    records = load(tmp_path / "t.parquet", ids=name or "__index_level_0__")
    assert records.ids.tolist() == codes


def test_categories_are_labels(tmp_path):
    FRAME.assign(kind=pd.Categorical(list("uvuvuvu"))).to_parquet(tmp_path / "t.parquet")
    assert load(tmp_path / "t.parquet", labels="kind").labels.tolist() == list("uvuvuvu")
