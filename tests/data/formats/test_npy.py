"""Arrays: what was written is what is loaded, from .npy, .npz and IDX."""

import gzip
import io
import zipfile

import numpy as np
import pytest

from byrote.data import load

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(6, 3))
GREY = RNG.integers(0, 256, (6, 5, 4), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (6, 5, 4, 3), dtype=np.uint8)

# array written, numbers expected: only stored pixels of images are scaled
ARRAYS = {
    "rows": (ROWS, ROWS),
    "rows, float32": (ROWS.astype(np.float32), ROWS.astype(np.float32)),
    "rows of bytes": (GREY[:, 0], GREY[:, 0].astype(np.float64)),
    "rows of booleans": (ROWS > 0, (ROWS > 0).astype(np.float64)),
    "big-endian float32": (ROWS.astype(">f4"), ROWS.astype(np.float32)),
    "Fortran order": (np.asfortranarray(ROWS), ROWS),
    "grey images": (GREY, (GREY / 255).astype(np.float32)),
    "colour images": (COLOUR, (COLOUR / 255).astype(np.float32)),
    "16-bit images": (GREY.astype(np.uint16) * 257, (GREY / 255).astype(np.float32)),
    "scaled images": (GREY / 255, GREY / 255),
    "float32 images": (GREY.astype(np.float32), GREY.astype(np.float32)),
}

IDX_TYPES = {"B": np.uint8, "b": np.int8, "h": np.int16, "i": np.int32, "f": np.float32, "d": float}


@pytest.mark.parametrize("case", ARRAYS)
def test_npy_and_npz_round_trip(case, tmp_path):
    written, expected = ARRAYS[case]
    np.save(tmp_path / "x.npy", written)
    np.savez_compressed(tmp_path / "x.npz", x=written)
    for source in (tmp_path / "x.npy", tmp_path / "x.npz"):
        records = load(source)
        np.testing.assert_array_equal(records.values(), expected)
        assert records.values().dtype == expected.dtype
        assert (records.x.dtype == np.uint8) == (written.dtype == np.uint8 and written.ndim > 2)
        assert records.source == str(source)
        assert records.ids.tolist() == list(range(6))
        assert records.labels is None


def test_white_is_exactly_one_and_black_zero(tmp_path):
    np.save(tmp_path / "x.npy", np.array([[[0, 255]]], np.uint8))
    assert load(tmp_path / "x.npy").values().tolist() == [[[0.0, 1.0]]]


def test_labels_and_ids_beside_an_array(tmp_path, idx_bytes):
    np.save(tmp_path / "x.npy", ROWS)
    np.save(tmp_path / "ids.npy", np.array(list("uvwxyz")))
    (tmp_path / "y.gz").write_bytes(gzip.compress(idx_bytes([3, 1, 4, 1, 5, 9])))
    records = load(tmp_path / "x.npy", labels=tmp_path / "y.gz", ids=str(tmp_path / "ids.npy"))
    assert records.labels.tolist() == [3, 1, 4, 1, 5, 9]
    assert records.ids.tolist() == list("uvwxyz")


def test_arrays_of_an_archive_by_name(tmp_path):
    np.savez(tmp_path / "a.npz", x=ROWS, other=ROWS[:, :2], y=np.arange(6), name=list("uvwxyz"))
    records = load(tmp_path / "a.npz", key="other", labels="y", ids="name")
    np.testing.assert_array_equal(records.x, ROWS[:, :2])
    assert records.labels.tolist() == list(range(6))
    assert records.ids.tolist() == list("uvwxyz")


def test_objects_beside_the_wanted_array_do_not_matter(tmp_path):
    np.savez(tmp_path / "a.npz", x=ROWS, y=np.array([None, "a"], dtype=object))
    np.testing.assert_array_equal(load(tmp_path / "a.npz").x, ROWS)


def test_later_versions_of_the_npy_header(tmp_path):
    file = io.BytesIO()
    np.lib.format.write_array(file, ROWS, version=(2, 0))
    (tmp_path / "x.npy").write_bytes(file.getvalue())
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("x.npy", file.getvalue())
        archive.writestr("notes.txt", "no array")
    for source in (tmp_path / "x.npy", tmp_path / "x.npz"):
        np.testing.assert_array_equal(load(source).x, ROWS)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("letter", IDX_TYPES)
def test_idx_round_trip(letter, zipped, tmp_path, idx_bytes):
    values = RNG.integers(0, 100, (6, 3)).astype(IDX_TYPES[letter])
    data = idx_bytes(values, letter)
    (tmp_path / "values").write_bytes(gzip.compress(data) if zipped else data)
    records = load(tmp_path / "values")
    np.testing.assert_array_equal(records.x, values)
    assert records.x.dtype == (np.float32 if letter == "f" else np.float64)


@pytest.mark.parametrize("dot", ["-", "."])
def test_idx_images_take_the_labels_beside_them(dot, tmp_path, idx_bytes):
    images = tmp_path / f"train-images{dot}idx3-ubyte"
    images.write_bytes(idx_bytes(GREY))
    assert load(images).labels is None
    (tmp_path / f"train-labels{dot}idx1-ubyte").write_bytes(idx_bytes(range(6)))
    records = load(images)
    np.testing.assert_array_equal(records.x, GREY)
    assert records.labels.tolist() == list(range(6))


def test_given_labels_replace_those_beside_the_images(tmp_path, idx_bytes):
    (tmp_path / "t-images-idx3-ubyte").write_bytes(idx_bytes(GREY))
    (tmp_path / "t-labels-idx1-ubyte").write_bytes(idx_bytes(range(6)))
    np.save(tmp_path / "coarse.npy", np.array(list("aabbcc")))
    records = load(tmp_path / "t-images-idx3-ubyte", labels=tmp_path / "coarse.npy")
    assert records.labels.tolist() == list("aabbcc")
