"""Padding, cropping and resizing, against NumPy, PyTorch and their own inverses."""

import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from byrote.data import load
from byrote.data.geometry import Geometry, crop, pad, resize
from byrote.errors import InvalidInput

from published import cifar_records, python_2_pickle

RNG = np.random.default_rng(0)
SHAPES = {"grey": (), "one channel": (1,), "two": (2,), "colour": (3,), "with transparency": (4,)}
TYPES = [np.uint8, np.float32, np.float64]


def sample(channels, dtype, height=9, width=7):
    shape = (3, height, width, *SHAPES[channels])
    drawn = RNG.integers(0, 256, shape, dtype=np.uint8)
    return drawn if dtype == np.uint8 else (drawn / 255).astype(dtype)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("channels", SHAPES)
def test_pad_is_that_of_numpy(channels, dtype):
    images = sample(channels, dtype)
    widths = ((0, 0), (2, 2), (2, 2), (0, 0))[: images.ndim]
    found = pad(images, 2)
    np.testing.assert_array_equal(found, np.pad(images, widths))
    assert found.dtype == dtype


@given(
    st.integers(1, 4),
    st.integers(1, 6),
    st.integers(1, 6),
    st.integers(1, 5),
    st.sampled_from(TYPES),
)
def test_crop_undoes_pad(n, height, width, margin, dtype):
    images = np.random.default_rng(n).integers(0, 256, (n, height, width)).astype(dtype)
    box = (margin, margin, margin + width, margin + height)
    np.testing.assert_array_equal(crop(pad(images, margin), box), images)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("channels", SHAPES)
def test_crop_is_a_slice(channels, dtype):
    images = sample(channels, dtype)
    found = crop(images, (1, 2, 6, 9))
    np.testing.assert_array_equal(found, images[:, 2:9, 1:6])
    assert not np.shares_memory(found, images)


@pytest.mark.parametrize("size", [3, 7, 20])
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("channels", SHAPES)
def test_resize_is_the_antialiased_bilinear_filter_of_pytorch(channels, dtype, size):
    images = sample(channels, dtype)
    planes = torch.tensor(images.reshape(3, 9, 7, -1)).permute(0, 3, 1, 2).double()
    expected = torch.nn.functional.interpolate(
        planes, (size, size), mode="bilinear", antialias=True
    )
    expected = expected.permute(0, 2, 3, 1).reshape(3, size, size, *SHAPES[channels])
    found = resize(images, size)
    assert found.dtype == (np.uint8 if dtype == np.uint8 else np.float32)
    np.testing.assert_allclose(found, expected, atol=1.01 if dtype == np.uint8 else 1e-6)


def test_resize_keeps_mean_and_range():
    images = sample("colour", np.float32, 8, 8)
    half = resize(images, 4)
    assert half.min() >= images.min()
    assert half.max() <= images.max()
    np.testing.assert_array_equal(resize(images, 8), images)


def test_words_act_in_order():
    images = sample("grey", np.uint8)
    found = Geometry.parse("pad=1 crop=0,0,5,5 pad=1").apply(images)
    np.testing.assert_array_equal(found, pad(crop(pad(images, 1), (0, 0, 5, 5)), 1))
    assert Geometry.parse("pad=1 crop=0,0,5,5 pad=1").size((7, 9)) == (7, 7)


GREY = RNG.integers(0, 256, (4, 28, 28), dtype=np.uint8)


def write_npy(folder, idx_bytes):
    np.save(folder / "x.npy", GREY)
    return folder / "x.npy"


def write_floats(folder, idx_bytes):
    np.savez(folder / "x.npz", x=GREY / 255)
    return folder / "x.npz"


def write_deep(folder, idx_bytes):
    np.save(folder / "x.npy", GREY.astype(np.uint16) * 257)
    return folder / "x.npy"


def write_idx(folder, idx_bytes):
    (folder / "images").write_bytes(gzip.compress(idx_bytes(GREY)))
    return folder / "images"


def write_folder(folder, idx_bytes):
    for number, image in enumerate(GREY):
        Image.fromarray(image).save(folder / f"{number}.png")
    return folder


def write_parquet(folder, idx_bytes):
    write_folder(folder, idx_bytes)
    encoded = [(folder / f"{number}.png").read_bytes() for number in range(len(GREY))]
    pq.write_table(pa.table({"image": encoded}), folder / "x.parquet")
    return folder / "x.parquet"


SOURCES = [write_npy, write_floats, write_deep, write_idx, write_folder, write_parquet]


@pytest.mark.parametrize("write", SOURCES)
def test_every_source_of_images_is_padded(write, tmp_path, idx_bytes):
    records = load(write(tmp_path, idx_bytes), image="pad=2")
    expected = np.pad(GREY / 255, ((0, 0), (2, 2), (2, 2)))
    np.testing.assert_allclose(records.values(), expected, atol=1e-7)
    assert records.options["image"] == "pad=2"
    assert (records.x.dtype == np.uint8) == (write not in (write_floats, write_deep))


@pytest.mark.parametrize("write", SOURCES)
def test_every_source_of_images_is_resized(write, tmp_path, idx_bytes):
    records = load(write(tmp_path, idx_bytes), image="resize=32")
    planes = torch.tensor(GREY[:, None] / 255)
    expected = torch.nn.functional.interpolate(planes, (32, 32), mode="bilinear", antialias=True)
    np.testing.assert_allclose(records.values(), expected[:, 0], atol=1.01 / 255)


def test_cifar_and_digits_too(tmp_path):
    (tmp_path / "test_batch").write_bytes(python_2_pickle(*cifar_records(2)))
    assert load(tmp_path, part="test", image="crop=4,4,28,28").shape == (24, 24, 3)
    assert load("digits", image="pad=4").shape == (16, 16)


def test_images_of_several_sizes_may_come_to_one(tmp_path):
    Image.new("L", (5, 4), 51).save(tmp_path / "a.png")
    Image.new("L", (9, 9), 102).save(tmp_path / "b.png")
    assert load(tmp_path, image="resize=2").x.tolist() == [[[51, 51]] * 2, [[102, 102]] * 2]


def test_deep_images_are_resized_as_numbers(tmp_path):
    deep = np.array([[0, 65535], [65535, 0]], np.uint16)
    Image.fromarray(deep).save(tmp_path / "a.png")
    np.testing.assert_allclose(load(tmp_path, image="resize=1").x, [[[0.5]]], atol=1e-6)


def test_images_beyond_memory_are_refused(tmp_path, monkeypatch):
    write_folder(tmp_path, None)

    def full(*shape, **options):
        raise MemoryError

    monkeypatch.setattr("numpy.empty", full)
    with pytest.raises(InvalidInput, match="4 such images do not fit in memory"):
        load(tmp_path)


REFUSED = {
    "pad by nothing": (lambda: pad(GREY, 0), "margin must be an integer of at least 1; got 0"),
    "pad of a table": (
        lambda: pad(np.zeros((2, 2)), 1),
        "that are images, (n, h, w) or (n, h,",
    ),
    "crop beyond": (lambda: crop(GREY, (0, 0, 29, 28)), "within images of 28x28"),
    "crop of nothing": (lambda: crop(GREY, (5, 0, 5, 28)), "not be empty"),
    "crop before": (lambda: crop(GREY, (-1, 0, 5, 28)), "box must be an integer of at least 0"),
    "crop of three numbers": (lambda: crop(GREY, (0, 0, 5)), "got 3 numbers"),
    "resize to a fraction": (lambda: resize(GREY, 1.5), "size must be an integer"),
    "pad beyond memory": (lambda: pad(GREY, 10**8), "images of 200000028x200000028 take"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    call, message = REFUSED[case]
    with pytest.raises(InvalidInput) as caught:
        call()
    assert message in str(caught.value)
