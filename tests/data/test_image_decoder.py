"""Images of every kind: upright, in their own depth, grey where grey, and nothing lost unsaid."""

import io
import struct
import warnings
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageOps

from byrote.data import load
from byrote.errors import InvalidInput

from image_files import png, tiff

RNG = np.random.default_rng(3)
GREY = RNG.integers(0, 256, (6, 9), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (6, 9, 3), dtype=np.uint8)
DEEP = RNG.integers(0, 65536, (6, 9, 4), dtype=np.uint16)
DEEP[..., 3] = 65535  # opaque
TWELVE = RNG.integers(0, 4096, (6, 9), dtype=np.uint16)
ORIENTATION = 274
LOSSY = 24  # of 255: what JPEG may change in a smooth picture


def encoded(image, kind, **options):
    file = io.BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(file, kind, **options)
    return file.getvalue()


def exif(orientation):
    made = Image.Exif()
    made[ORIENTATION] = orientation
    return made


def one(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    return load(tmp_path).values()[0]


# kind of file, suffix, options for Pillow's writer
KINDS = {
    "JPEG": ("jpg", {"quality": 100, "subsampling": 0}),
    "PNG": ("png", {}),
    "WEBP": ("webp", {"lossless": True}),
    "TIFF": ("tif", {}),
    "TIFF, compressed": ("tif", {"compression": "tiff_adobe_deflate"}),
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", KINDS)
def test_photographs_are_upright(kind, orientation, tmp_path):
    suffix, options = KINDS[kind]
    smooth = np.linspace(0, 255, COLOUR.size).reshape(COLOUR.shape).astype(np.uint8)
    data = encoded(smooth, kind.split(",")[0], exif=exif(orientation), **options)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
    found = one(tmp_path, f"a.{suffix}", data)
    assert found.shape == upright.shape
    np.testing.assert_array_equal(np.rint(found * 255), upright)
    assert np.abs(found[0, 0] * 255 - corner(smooth, orientation)).max() < LOSSY


def corner(stored, orientation):
    """What is shown at the top left, by the table of the EXIF standard."""
    row = {1: 0, 2: 0, 3: -1, 4: -1, 5: 0, 6: -1, 7: -1, 8: 0}[orientation]
    column = {1: 0, 2: -1, 3: -1, 4: 0, 5: 0, 6: 0, 7: -1, 8: -1}[orientation]
    return stored[row, column].astype(int)


def test_hugging_face_images_are_upright_before_they_are_cropped(tmp_path):
    data = encoded(COLOUR, "PNG", exif=exif(6))
    table = pa.table({"image": [{"bytes": data, "path": None}]})
    pq.write_table(table, tmp_path / "t.parquet")
    upright = np.rot90(COLOUR, -1)
    np.testing.assert_array_equal(load(tmp_path / "t.parquet").x[0], upright)
    cropped = load(tmp_path / "t.parquet", image="crop=1,2,5,9").x[0]
    np.testing.assert_array_equal(cropped, upright[2:9, 1:5])


def test_sizes_are_those_of_upright_images(tmp_path):
    (tmp_path / "a.png").write_bytes(encoded(GREY, "PNG"))
    (tmp_path / "b.png").write_bytes(encoded(np.rot90(GREY), "PNG", exif=exif(6)))
    assert load(tmp_path).shape == (6, 9)
    for name in "cd":
        (tmp_path / f"{name}.png").write_bytes(encoded(GREY, "PNG", exif=exif(8)))
    with pytest.raises(InvalidInput, match=r"2 of 4 are not 9x6 .* in row 2 \(c.png\) is 6x9"):
        load(tmp_path)


def in_16_bits():
    """Name, file and pixels in [0, 1]."""
    grey, alpha = DEEP[..., 0], DEEP[..., [0, 3]]
    yield "a.png", png(grey, color=0), grey / 65535
    for interlaced in (False, True):
        yield "a.png", png(DEEP[..., :3], color=2, interlaced=interlaced), DEEP[..., :3] / 65535
        yield "a.png", png(alpha, color=4, interlaced=interlaced), grey / 65535
        yield "a.png", png(DEEP, color=6, interlaced=interlaced), DEEP[..., :3] / 65535
    turned = png(DEEP[..., :3], color=2, exif=exif(6).tobytes())
    yield "a.png", turned, np.rot90(DEEP[..., :3], -1) / 65535
    for order in "<>":
        for deflated in (False, True):
            form = {"order": order, "deflated": deflated}
            yield "a.tif", tiff(DEEP[..., :3], photometric=2, **form), DEEP[..., :3] / 65535
            with_alpha = tiff(DEEP, photometric=2, tags=[(338, 3, [2])], **form)
            yield "a.tif", with_alpha, DEEP[..., :3] / 65535
            yield "a.tif", tiff(grey, photometric=1, **form), grey / 65535
    turned = tiff(DEEP[..., :3], photometric=2, tags=[(ORIENTATION, 3, [8])])
    yield "a.tif", turned, np.rot90(DEEP[..., :3]) / 65535
    yield "a.tif", tiff(grey, photometric=0), 1 - grey / 65535  # white is zero
    yield "a.tif", tiff(TWELVE, photometric=1, bits=12), TWELVE / 4095
    for white in (65535, 1000):
        values = DEEP[..., :3].astype(int) % (white + 1)
        head = f"P6 {values.shape[1]} {values.shape[0]} {white}\n".encode()
        yield "a.ppm", head + values.astype(">u2").tobytes(), values / white


DEEP_FILES = list(in_16_bits())


@pytest.mark.parametrize("case", range(len(DEEP_FILES)))
def test_more_than_8_bits_are_kept(case, tmp_path):
    name, data, expected = DEEP_FILES[case]
    found = one(tmp_path, name, data)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


ALPHA = Image.fromarray(np.dstack([GREY, np.full_like(GREY, 255)]), "LA")
GREY_PALETTE = Image.fromarray(GREY // 16 * 16).quantize(16)
GREY_FILES = {
    "with alpha": ("png", encoded(ALPHA, "PNG"), GREY),
    "with a palette": ("png", encoded(GREY_PALETTE, "PNG"), GREY // 16 * 16),
    "GIF": ("gif", encoded(GREY, "GIF"), GREY),
    "WhiteIsZero": ("tif", tiff(DEEP[..., 0], photometric=0), None),
}


@pytest.mark.parametrize("case", GREY_FILES)
def test_grey_is_grey(case, tmp_path):
    suffix, data, expected = GREY_FILES[case]
    found = one(tmp_path, f"a.{suffix}", data)
    assert found.shape == GREY.shape
    if expected is not None:
        np.testing.assert_array_equal(np.rint(found * 255), expected)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_printers_colours_are_those_that_pillow_shows(kind, tmp_path):
    data = encoded(Image.fromarray(COLOUR).convert("CMYK"), kind)
    shown = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    np.testing.assert_array_equal(np.rint(one(tmp_path, f"a.{kind.lower()}", data) * 255), shown)


def test_a_photograph_with_a_preview_is_the_photograph(tmp_path):
    preview = Image.fromarray(COLOUR[::2, ::2])
    data = encoded(COLOUR, "MPO", save_all=True, append_images=[preview])
    assert Image.open(io.BytesIO(data)).n_frames == 2
    assert one(tmp_path, "a.jpg", data).shape == COLOUR.shape


def transparent():
    """Name, file, and the colours without transparency."""
    clear = np.dstack([COLOUR, GREY])
    yield "a.png", encoded(clear, "PNG"), COLOUR
    yield "a.png", encoded(Image.fromarray(np.dstack([GREY, GREY]), "LA"), "PNG"), GREY
    keyed = encoded(COLOUR, "PNG", transparency=tuple(COLOUR[0, 0].tolist()))
    yield "a.png", keyed, COLOUR
    yield "a.png", encoded(GREY, "PNG", transparency=int(GREY[2, 2])), GREY
    palette = Image.fromarray(clear).quantize(8)
    yield "a.png", encoded(palette, "PNG"), np.asarray(palette.convert("RGBA"))[..., :3]


@pytest.mark.parametrize("case", range(5))
def test_transparency_is_dropped_and_said_once(case, tmp_path):
    name, data, colours = list(transparent())[case]
    for copy in range(3):
        (tmp_path / f"{copy}{name}").write_bytes(data)
    (tmp_path / name).write_bytes(encoded(np.dstack([COLOUR, np.full_like(GREY, 255)]), "PNG"))
    with pytest.warns(UserWarning, match="transparency") as said:
        found = load(tmp_path).x
    assert [str(warning.message) for warning in said] == [
        f"{tmp_path}: transparency is dropped; 3 of 4 images have some, the first is that in row 0"
        f" (0{name})"
    ]
    shown = colours if colours.ndim == 3 else np.dstack([colours] * 3)
    np.testing.assert_array_equal(found[0], shown)


def test_images_of_other_kinds_are_counted(tmp_path):
    for name in ("a.png", "b.heic", "c.HEIC", "d.avif", "notes.txt", ".hidden.heic"):
        (tmp_path / name).write_bytes(encoded(GREY, "PNG"))
    with pytest.warns(UserWarning, match="kinds") as said:
        assert load(tmp_path).ids.tolist() == ["a.png"]
    assert [str(warning.message) for warning in said] == [
        f"{tmp_path}: images of other kinds are left out: 1 .avif, 2 .heic"
    ]


def frames(kind, count=3, **options):
    shades = [Image.fromarray(GREY // (shade + 1)) for shade in range(count)]
    return encoded(shades[0], kind, save_all=True, append_images=shades[1:], **options)


def huge():
    """A PNG file of which the header alone says 30000 x 30000."""
    data = bytearray(png(np.zeros((1, 1), np.uint16), color=0))
    data[16:24] = struct.pack(">II", 30_000, 30_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


REFUSED = {
    "pages": ("a.tif", frames("TIFF"), "holds 3 pictures, pages or frames"),
    "moving GIF": ("a.gif", frames("GIF"), "holds 3 pictures"),
    "moving PNG": ("a.png", frames("PNG"), "holds 3 pictures"),
    "moving WebP": ("a.webp", frames("WEBP"), "holds 3 pictures"),
    "32-bit floats": ("a.tif", encoded(Image.new("F", (2, 2)), "TIFF"), "white is unknown"),
    "32-bit integers": ("a.tif", encoded(Image.new("I", (2, 2), 9), "TIFF"), "white is unknown"),
    "signed": (
        "a.tif", tiff(DEEP[..., 0], photometric=1, tags=[(339, 3, [2])]), "for white is unknown"
    ),
    "channel by channel": (
        "a.tif", tiff(DEEP[..., :3], photometric=2, planar=2), "16 bits in colours other than RGB"
    ),
    "deep printers' colours": (
        "a.tif", tiff(DEEP, photometric=5), "16 bits in colours other than RGB"
    ),
    "LAB": (
        "a.tif", encoded(Image.new("LAB", (2, 2)), "TIFF"), "colours in the mode LAB, not RGB"
    ),
    "more rows than its strips hold": (
        "a.tif", tiff(GREY.astype(np.uint16), photometric=1, rows=4), "cannot be decoded"
    ),
    "huge": ("a.png", huge(), "has more than 89,478,485 pixels, Pillow's limit"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_sentence(case, tmp_path):
    name, data, fragment = REFUSED[case]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InvalidInput) as caught, warnings.catch_warnings():
        warnings.simplefilter("error")
        load(tmp_path)
    assert fragment in str(caught.value)
    assert f"{tmp_path}: the image in row 0 ({name}) " in str(caught.value)


def test_warnings_of_libraries_are_one_sentence(tmp_path):
    # an EXIF block that ends within its only entry
    broken = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x0e\0\x02\0\0\xff\xff\0\0\x01\0"
    for name in "ab":
        (tmp_path / f"{name}.jpg").write_bytes(encoded(COLOUR, "JPEG", exif=broken))
    with pytest.warns(UserWarning, match="warning") as said:
        load(tmp_path)
    (message,) = [str(warning.message) for warning in said]
    assert message.startswith(f"{tmp_path}: read, with a warning at row 0 (a.jpg) from Pillow: ")
    assert "\n" not in message
