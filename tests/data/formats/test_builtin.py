"""Built-in sets, and what a name stands for."""

import gzip
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import byrote.data
from byrote.data import load
from byrote.data.formats import builtin
from byrote.errors import InvalidInput


def test_digits_are_those_of_scikit_learn():
    records, bunch = load("digits"), load_digits()
    np.testing.assert_array_equal(records.x * 16, bunch.images)
    np.testing.assert_array_equal(records.labels, bunch.target)
    assert records.x.dtype == np.float32
    assert records.source == "digits"


def test_fashion_mnist_is_read_from_the_package(tmp_path, monkeypatch, idx_bytes, pixels):
    for name, array in (("images-idx3", pixels), ("labels-idx1", [9, 0, 3])):
        (tmp_path / f"train-{name}-ubyte.gz").write_bytes(gzip.compress(idx_bytes(array)))
    monkeypatch.setattr(builtin, "_FASHION_MNIST", tmp_path)
    records = load("fashion-mnist")
    np.testing.assert_array_equal(records.x, pixels)
    assert records.x.dtype == np.uint8
    assert records.labels.tolist() == [9, 0, 3]
    assert records.source == "fashion-mnist"


def test_an_absent_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(builtin, "_FASHION_MNIST", tmp_path)
    with pytest.raises(InvalidInput, match="install Debian's package dataset-fashion-mnist"):
        load("fashion-mnist")


def test_a_file_of_another_kind_in_the_package(tmp_path, monkeypatch):
    for name in ("images-idx3", "labels-idx1"):
        (tmp_path / f"train-{name}-ubyte.gz").write_bytes(gzip.compress(b"12345"))
    monkeypatch.setattr(builtin, "_FASHION_MNIST", tmp_path)
    with pytest.raises(InvalidInput, match="fashion-mnist: the file is not IDX"):
        load("fashion-mnist")


def test_a_folder_of_a_built_in_name_is_reached_by_its_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    Image.new("L", (2, 2)).save(tmp_path / "digits" / "a.png")
    assert load("digits").shape == (8, 8)
    assert load("./digits").shape == (2, 2)
    assert load("./digits").source == "./digits"


def test_what_was_given_is_kept_for_the_run(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((2, 2)), y=np.arange(2))
    assert load(tmp_path / "a.npz", labels="y").options == {"labels": "y"}


def test_index_is_sorted_and_complete():
    assert (
        byrote.data.__all__
        == sorted(byrote.data.__all__)
        == ["Corpus", "Records", "TextRecords", "load", "load_corpus", "load_texts"]
    )


def test_import_loads_no_heavy_library():
    heavy = {"PIL", "pandas", "pyarrow", "scipy", "sklearn", "torch"}
    code = f"import sys, byrote.data; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
