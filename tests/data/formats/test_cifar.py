"""CIFAR-10: what was put into the published layouts comes out, and no pickle is ever executed."""

import pickle
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from byrote.data import load
from byrote.data.formats.cifar import parse_pickle
from byrote.errors import InvalidInput

from published import (
    binary_batch,
    cifar_records,
    python_2_pickle,
    python_3_pickle,
    write_cifar,
)

LAYOUTS = {
    "as Python 2 pickled it": (python_2_pickle, ""),
    "pickled again by Python 3": (python_3_pickle, ""),
    "binary": (binary_batch, ".bin"),
}


def images(values):
    """Channels last, from red, green and blue planes, by loops alone."""
    planes = np.asarray(values, np.uint8).tolist()
    return [
        [[[v[c * 1024 + y * 32 + x] for c in range(3)] for x in range(32)] for y in range(32)]
        for v in planes
    ]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("part", [None, "train", "test"])
def test_what_was_written_is_loaded(layout, part, tmp_path):
    encode, suffix = LAYOUTS[layout]
    written = write_cifar(tmp_path / "cifar", encode, suffix=suffix)
    records = load(tmp_path / "cifar", part=part)
    values, labels, names = written[part or "train"]
    assert records.x.dtype == np.uint8
    assert records.x.tolist() == images(values)
    assert records.labels.tolist() == labels
    expected = list(range(len(labels))) if suffix else names
    assert records.ids.tolist() == expected
    assert records.options == ({} if part is None else {"part": part})


def test_the_hand_made_pickle_is_one_that_python_reads_as_such():
    values, labels, names = cifar_records(7)
    batch = pickle.loads(python_2_pickle(values, labels, names), encoding="bytes")
    np.testing.assert_array_equal(batch[b"data"], values)
    assert batch[b"labels"] == labels
    assert batch[b"filenames"] == [name.encode() for name in names]


@pytest.mark.parametrize("encode", [python_2_pickle, python_3_pickle])
def test_arrays_stored_by_columns(encode, tmp_path):
    values, labels, names = cifar_records(3)
    (tmp_path / "test_batch").write_bytes(encode(values, labels, names, by_columns=True))
    assert load(tmp_path, part="test").x.tolist() == images(values)


def test_file_names_that_repeat_are_no_ids(tmp_path):
    values, labels, _ = cifar_records(3)
    (tmp_path / "test_batch").write_bytes(python_2_pickle(values, labels, ["a", "b", "a"]))
    assert load(tmp_path, part="test").ids.tolist() == [0, 1, 2]


class Malicious:
    """Unpickled, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def hidden_in(place, path):
    values, labels, names = cifar_records(2)
    batch = {b"data": values, b"labels": labels, b"filenames": names}
    return Malicious(path) if place == "all" else batch | {place: Malicious(path)}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("place", ["all", b"data", b"labels", b"filenames"])
def test_a_malicious_pickle_is_refused_and_not_executed(place, protocol, tmp_path):
    marker = tmp_path / "executed"
    content = pickle.dumps(hidden_in(place, marker), protocol)
    pickle.loads(content)
    assert marker.exists()  # Python's own unpickler falls for it
    marker.unlink()
    (tmp_path / "cifar").mkdir()
    (tmp_path / "cifar" / "test_batch").write_bytes(content)
    with pytest.raises(InvalidInput, match="not a Python batch of CIFAR-10"):
        load(tmp_path / "cifar", part="test")
    assert not marker.exists()


def test_one_more_entry_with_malice_is_not_executed(tmp_path):
    content = {b"extra": Malicious(tmp_path / "executed")}
    values, labels, names = cifar_records(2)
    content |= {b"data": values, b"labels": labels, b"filenames": names}
    (tmp_path / "test_batch").write_bytes(pickle.dumps(content, 2))
    assert len(load(tmp_path, part="test")) == 2  # the entry is a note that nobody reads
    assert not (tmp_path / "executed").exists()


SHARED = [1]
SAME = {
    "nested": {"a": [1, [2, (3, (4, 5), (6, 7, 8, 9))]], "b": None, "c": (True, False), "d": ()},
    "numbers": [0, 255, 256, 65535, 65536, -1, -(2**31), 2**31 - 1],
    "texts": ["", "ä", "語", "x" * 300],
    "shared": [SHARED, SHARED],
    "one entry": {"a": "b"},
    "one item": [["x"]],
}


@pytest.mark.parametrize("case", SAME)
def test_plain_data_are_read_as_python_does(case):
    assert parse_pickle(pickle.dumps(SAME[case], 2)) == SAME[case]


def test_damage_is_always_refused_or_harmless():
    """A changed byte anywhere gives one of the documented errors, or other plain data."""
    values, labels, names = cifar_records(1)
    intact = python_2_pickle(values[:, :0], labels, names)
    for seed in range(300):
        generator = np.random.default_rng(seed)
        content = bytearray(intact)
        content[generator.integers(len(content))] = generator.integers(256)
        with suppress(ValueError, LookupError, TypeError):
            parse_pickle(bytes(content[: generator.integers(1, len(content) + 1)]))
