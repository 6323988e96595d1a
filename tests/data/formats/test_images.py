"""Images: decoded, scaled, stacked; from folders and from columns of encoded bytes."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from byrote.data import load

RNG = np.random.default_rng(1)
GREY = RNG.integers(0, 256, (5, 4), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (5, 4, 3), dtype=np.uint8)
DEEP = RNG.integers(0, 65536, (5, 4), dtype=np.uint16)
BLACK_WHITE = Image.fromarray(GREY).convert("1")
PALETTE = Image.fromarray(COLOUR).quantize(8)

# what is stored, as what kind of file, expected in units of white
EXACT = {
    "grey png": (GREY, "png", GREY / 255),
    "grey bmp": (GREY, "bmp", GREY / 255),
    "grey pgm": (GREY, "pgm", GREY / 255),
    "grey tif": (GREY, "tif", GREY / 255),
    "black and white": (BLACK_WHITE, "png", np.asarray(BLACK_WHITE).astype(float)),
    "16-bit png": (DEEP, "png", DEEP / 65535),
    "16-bit tiff": (DEEP, "tiff", DEEP / 65535),
    "16-bit pgm": (DEEP, "pgm", DEEP / 65535),
    "colour png": (COLOUR, "png", COLOUR / 255),
    "colour ppm": (COLOUR, "ppm", COLOUR / 255),
    "colour bmp": (COLOUR, "bmp", COLOUR / 255),
    "colour tiff": (COLOUR, "tiff", COLOUR / 255),
    "palette": (PALETTE, "png", np.asarray(PALETTE.convert("RGB")) / 255),
    "gif": (PALETTE, "gif", np.asarray(PALETTE.convert("RGB")) / 255),
}  # fmt: skip


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, {".tif": "TIFF", ".pgm": "PPM", ".jpg": "JPEG"}.get(path.suffix))


@pytest.mark.parametrize("case", EXACT)
def test_lossless_images(case, tmp_path):
    stored, suffix, expected = EXACT[case]
    save(tmp_path / f"a.{suffix}", stored)
    records = load(tmp_path)
    np.testing.assert_array_equal(records.values(), [expected.astype(np.float32)])
    assert records.values().dtype == np.float32
    deep = case == "black and white" or case.startswith("16-bit")
    assert records.x.dtype == (np.float32 if deep else np.uint8)


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "webp"])
def test_lossy_images_come_close(suffix, tmp_path):
    flat = np.full((16, 16, 3), 51, np.uint8)
    save(tmp_path / f"a.{suffix}", flat)
    np.testing.assert_allclose(load(tmp_path).values(), 0.2 * np.ones((1, 16, 16, 3)), atol=0.02)


ORDERS = {
    "grey first": [GREY, COLOUR, DEEP],
    "colour first": [COLOUR, DEEP, GREY],
    "deep first": [DEEP, GREY, COLOUR],
    "deep last": [GREY, GREY, DEEP],
}


@pytest.mark.parametrize("order", ORDERS)
def test_what_is_mixed_becomes_rgb_and_floating(order, tmp_path):
    images = ORDERS[order]
    for number, image in enumerate(images):
        save(tmp_path / f"{number}.png", image)
    white = {np.uint8: 255, np.uint16: 65535}
    shape = (5, 4, 3) if any(image is COLOUR for image in images) else (5, 4, 1)
    expected = [
        np.broadcast_to((image / white[image.dtype.type]).reshape(5, 4, -1), shape)
        for image in images
    ]
    found = load(tmp_path).x
    np.testing.assert_array_equal(found.reshape(3, *shape), np.array(expected, np.float32))
    assert found.dtype == np.float32


def test_grey_of_8_bits_among_colour_stays_as_stored(tmp_path):
    save(tmp_path / "0.png", GREY)
    save(tmp_path / "1.png", COLOUR)
    found = load(tmp_path).x
    np.testing.assert_array_equal(found, [np.dstack([GREY] * 3), COLOUR])
    assert found.dtype == np.uint8


def test_folder_order_ids_and_labels(tmp_path):
    for name in ("dog/2.png", "cat/10.PNG", "cat/deep/1.png", "cat/9.png"):
        save(tmp_path / name, GREY)
    (tmp_path / "cat" / "notes.txt").write_text("not an image")
    save(tmp_path / "cat" / ".hidden.png", COLOUR)
    save(tmp_path / ".cache" / "thumb.png", COLOUR)
    records = load(tmp_path)
    assert records.ids.tolist() == ["cat/10.PNG", "cat/9.png", "cat/deep/1.png", "dog/2.png"]
    assert records.labels.tolist() == ["cat", "cat", "cat", "dog"]


def test_flat_folder_has_no_labels(tmp_path):
    save(tmp_path / "b.png", GREY)
    save(tmp_path / "a.png", GREY)
    records = load(tmp_path)
    assert records.ids.tolist() == ["a.png", "b.png"]
    assert records.labels is None


@pytest.mark.parametrize("form", ["struct", "binary", "large_binary"])
def test_parquet_images(form, tmp_path, pixels, encoded):
    data = [encoded(image) for image in pixels]
    column = {
        "struct": pa.array([{"bytes": item, "path": "x.png"} for item in data]),
        "binary": pa.array(data, pa.binary()),
        "large_binary": pa.array(data, pa.large_binary()),
    }[form]
    pq.write_table(pa.table({"img": column, "label": [2, 0, 1]}), tmp_path / "t.parquet")
    records = load(tmp_path / "t.parquet")
    np.testing.assert_array_equal(records.x, pixels)
    assert records.labels.tolist() == [2, 0, 1]


def test_parquet_key_labels_and_ids(tmp_path, pixels, encoded):
    table = pa.table(
        {
            "small": [encoded(image[:2]) for image in pixels],
            "large": [encoded(image) for image in pixels],
            "fine_label": [1, 2, 3],
            "coarse": ["a", "a", "b"],
            "file": ["u", "v", "w"],
        }
    )
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=2)
    records = load(tmp_path / "t.parquet", key="large", ids="file")
    np.testing.assert_array_equal(records.x, pixels)
    assert records.labels.tolist() == [1, 2, 3]
    assert records.ids.tolist() == ["u", "v", "w"]
    assert load(tmp_path / "t.parquet", key="small", labels="coarse").labels.tolist() == list("aab")


def test_parquet_column_that_cannot_label_is_not_taken(tmp_path, pixels, encoded):
    data = [encoded(image) for image in pixels]
    table = pa.table({"img": data, "label": [[1], [2], []], "labels": [0.5, 1.0, 1.5]})
    pq.write_table(table, tmp_path / "t.parquet")
    assert load(tmp_path / "t.parquet").labels is None


def test_many_parquet_batches(tmp_path, encoded):
    shades = [encoded(np.full((2, 2), shade, np.uint8)) for shade in range(200)]
    pq.write_table(pa.table({"img": shades}), tmp_path / "t.parquet")
    np.testing.assert_array_equal(load(tmp_path / "t.parquet").x[:, 0, 0], np.arange(200))
