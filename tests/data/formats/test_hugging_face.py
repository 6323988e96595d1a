"""Data sets that Hugging Face saved: read in memory, checked in full, and nothing beside them."""

import json

import pyarrow as pa
import pytest

from byrote.data import load_corpus
from byrote.errors import InvalidInput

NAME = "data-00000-of-00001.arrow"
TABLE = pa.table({"text": ["one", "two", None, "three € four"], "n": [1, 2, 3, 4]})
TEXTS = ("one", "two", "three € four")


@pytest.fixture
def saved(tmp_path):
    """The folder of a data set in two batches."""
    folder = tmp_path / "saved"
    folder.mkdir()
    with pa.ipc.new_stream(folder / NAME, TABLE.schema) as writer:
        writer.write_table(TABLE, max_chunksize=2)
    write_state(folder, _data_files=[{"filename": NAME}])
    (folder / "dataset_info.json").write_text("{}")
    return folder


def write_state(folder, **state):
    (folder / "state.json").write_text(json.dumps(state))


def test_what_datasets_saves_is_read_without_it(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets")
    made = datasets.Dataset(TABLE)
    made.save_to_disk(tmp_path / "one", num_shards=2)
    chosen = made.select([3, 0])
    datasets.DatasetDict(train=made, test=chosen).save_to_disk(tmp_path / "parts")
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    assert load_corpus(tmp_path / "one").documents == TEXTS
    assert load_corpus(tmp_path / "parts").documents == TEXTS
    assert load_corpus(tmp_path / "parts", part="test").documents == ("three € four", "one")


@pytest.mark.parametrize(
    "name",
    ["../elsewhere.arrow", "/etc/passwd", "..", ".", "", "a/b", "a\\b", "C:a", "a\0b", 3, None],
)
def test_only_files_of_its_own_folder_are_read(name, saved):
    (saved / NAME).rename(saved.parent / "elsewhere.arrow")
    write_state(saved, _data_files=[{"filename": name}])
    with pytest.raises(InvalidInput, match="must name files within its folder; it names others"):
        load_corpus(saved)


def test_parts_are_folders_of_its_own(saved):
    outer = saved.parent / "parts" / "inner"
    outer.mkdir(parents=True)
    (outer / "dataset_dict.json").write_text('{"splits": ["../../saved"]}')
    with pytest.raises(InvalidInput, match="must name files within its folder; it names others"):
        load_corpus(outer, part="../../saved")


STATES = {
    "no JSON": "{",
    "a list": "[]",
    "without files": "{}",
    "of no files": '{"_data_files": []}',
    "of no names": '{"_data_files": [3]}',
    "files as text": '{"_data_files": "ab"}',
    "deep": "[" * 100_000,
    "a missing file": '{"_data_files": [{"filename": "other.arrow"}]}',
}


@pytest.mark.parametrize("case", STATES)
def test_odd_descriptions_are_refused(case, saved):
    (saved / "state.json").write_text(STATES[case])
    with pytest.raises(InvalidInput, match="the saved data set"):
        load_corpus(saved)


def test_a_choice_of_rows_is_refused(saved):
    write_state(
        saved, _data_files=[{"filename": NAME}], _indices_data_files=[{"filename": "i.arrow"}]
    )
    with pytest.raises(InvalidInput, match="a selection of rows"):
        load_corpus(saved)


def test_cut_anywhere_it_is_refused(saved):
    data = (saved / NAME).read_bytes()
    for length in range(0, len(data), 3):
        (saved / NAME).write_bytes(data[:length])
        with pytest.raises(InvalidInput, match=r"damaged or incomplete"):
            load_corpus(saved)


def test_any_byte_changed_it_is_read_or_refused(saved):
    """An offset that points anywhere ends the process if it is believed."""
    data = (saved / NAME).read_bytes()
    refused = 0
    for place in range(len(data)):
        for change in (0x01, 0x80, 0xFF):
            changed = bytearray(data)
            changed[place] ^= change
            (saved / NAME).write_bytes(changed)
            try:
                load_corpus(saved, column="text")
            except InvalidInput as error:
                refused += 1
                assert "\n" not in str(error)  # noqa: PT017 (of each of thousands)
    assert refused > len(data) / 2
