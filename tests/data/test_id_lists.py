"""load(only=...): the records that a file lists, and no others."""

import numpy as np
import pandas as pd
import pytest

import byrote
from byrote.data.id_lists import encode_ids, read_ids
from byrote.errors import InvalidInput

NAMES = ["007", "7", "a,b", 'say "x"', " padded", "ünï", "two\nlines", "NA", "1e3", ""]


def write(path, content):
    if isinstance(content, pd.DataFrame):
        content.to_parquet(path, index=False) if path.suffix == ".parquet" else content.to_csv(
            path, index=False
        )
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


LISTS = {
    "csv": ("l.csv", "id\n30\n0\n12\n"),
    "csv beside scores, in any order": ("l.csv", "score,id,label\n1.5,12,a\n0.5,30,b\n0.1,0,c\n"),
    "csv with a byte order mark": ("l.csv", "\ufeffid\r\n30\r\n0\r\n12\r\n"),
    "txt": ("l.txt", "30\n\n0 \r\n12"),
    "parquet of numbers": ("l.parquet", pd.DataFrame({"id": [30, 0, 12]})),
    "parquet of text": ("l.parquet", pd.DataFrame({"id": ["30", "0", "12"]})),
}


@pytest.mark.parametrize("case", LISTS)
def test_the_listed_records_in_the_order_of_the_data(case, tmp_path, monkeypatch):
    name, content = LISTS[case]
    path = write(tmp_path / name, content)
    whole, some = byrote.load("digits"), byrote.load("digits", only=path)
    assert some.ids.tolist() == [0, 12, 30]
    np.testing.assert_array_equal(some.x, whole.x[[0, 12, 30]])
    assert some.labels.tolist() == whole.labels[[0, 12, 30]].tolist()
    monkeypatch.chdir(tmp_path)
    here = byrote.load("digits", only=name)
    monkeypatch.chdir("/")
    assert byrote.load(here.source, **here.options).fingerprint == some.fingerprint


def test_ids_of_text_are_compared_as_written(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.eye(len(NAMES)), names=np.array(NAMES))
    source = {"source": tmp_path / "x.npz", "key": "x", "ids": "names"}
    for kind, wanted in ((".csv", NAMES), (".parquet", NAMES), (".txt", [*NAMES[:6], "NA"])):
        path = write(tmp_path / f"l{kind}", encode_ids(np.array(wanted), kind))
        assert read_ids(path) == wanted
        assert byrote.load(**source, only=path).ids.tolist() == wanted
    one = write(tmp_path / "one.csv", "id\n007\n")
    assert byrote.load(**source, only=one).ids.tolist() == ["007"]


def test_an_id_with_a_line_break_does_not_go_into_a_list_of_lines():
    for name in ("two\nlines", "", " "):
        with pytest.raises(InvalidInput, match="blank or hold line breaks"):
            encode_ids(np.array([name]), ".txt")


def test_of_a_random_choice_those_that_are_listed(tmp_path):
    chosen = byrote.load("digits", records=20)
    listed = chosen.ids[::2]
    path = write(tmp_path / "l.csv", encode_ids(listed, ".csv"))
    some = byrote.load("digits", records=20, only=path)
    assert some.ids.tolist() == listed.tolist()
    assert some.options == {"records": "20", "only": str(path.resolve())}
    assert byrote.load("digits", only=path).fingerprint == some.fingerprint


def test_a_folder_of_images_keeps_paths_as_ids(tmp_path, encoded):
    (tmp_path / "images").mkdir()
    for i in range(4):
        image = np.full((4, 4), 40 * i, dtype=np.uint8)
        (tmp_path / "images" / f"{i}.png").write_bytes(encoded(image))
    path = write(tmp_path / "l.txt", "3.png\n1.png\n")
    some = byrote.load(tmp_path / "images", only=path)
    assert some.ids.tolist() == ["1.png", "3.png"]
    assert some.x[:, 0, 0].tolist() == [40, 120]


REFUSED = {
    "no file": ("l.csv", None, "does not exist"),
    "another kind": ("l.json", "[1]", "must name a .csv, .txt, .parquet file"),
    "no column": ("l.csv", "ids,score\n1,2\n", "a column 'id' must list.*did you mean ids"),
    "no column in parquet": ("l.parquet", pd.DataFrame({"x": [1]}), "no column has that name"),
    "no header": ("l.csv", "7.5\n1\n", "first line must name the columns"),
    "column twice": ("l.csv", "id,id\n1,1\n", "column names must differ"),
    "broken numbers": ("l.parquet", pd.DataFrame({"id": [1.5]}), "integers or strings"),
    "gaps": ("l.parquet", pd.DataFrame({"id": ["1", None]}), "must not be missing"),
    "no parquet": ("l.parquet", "id\n1\n", "damaged or not Parquet"),
    "no text": ("l.txt", b"\xff\xfe1\n", "must be UTF-8"),
    "nothing listed": ("l.csv", "id\n", "at least one id"),
    "empty lines": ("l.txt", "\n\n", "at least one id"),
    "twice": ("l.csv", "id\n5\n6\n5\n", "must all differ; 1 of 3"),
    "unknown": ("l.csv", "id\n5\n1797\nsecret\n", "2 of 3 listed ids belong to none of the 1797"),
    "numbers not plain": ("l.txt", "07\n", "1 of 1 listed ids belong to none"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_choose_is_refused_and_not_quoted(case, tmp_path):
    name, content, fragment = REFUSED[case]
    if content is not None:
        write(tmp_path / name, content)
    with pytest.raises(InvalidInput, match=fragment) as error:
        byrote.load("digits", only=tmp_path / name)
    assert "secret" not in str(error.value)
