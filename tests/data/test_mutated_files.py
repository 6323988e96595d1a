"""Files with bytes changed, cut or put in: a result or a sentence, and nothing else."""

import gzip
import io
import json
import random
import struct
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from byrote.data import load, load_corpus
from byrote.data.id_lists import read_ids
from byrote.data.log_likelihood_files import load_log_likelihoods
from byrote.data.log_perplexities import load_log_perplexities
from byrote.errors import ByroteError

from image_files import png, tiff

TIMES = 40  # mutations of each file
LARGE = (0, 1, 127, 255, 65535, 1 << 30, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)
RNG = np.random.default_rng(4)
COLOUR = Image.fromarray(RNG.integers(0, 256, (8, 6, 3), dtype=np.uint8))
GREY = Image.fromarray(RNG.integers(0, 256, (8, 6), dtype=np.uint8))
DEEP = RNG.integers(0, 65536, (5, 4, 3))
ROWS = RNG.normal(size=(9, 3))
FRAME = pd.DataFrame({"a": ROWS[:, 0], "b": ROWS[:, 1], "kind": list("uvwuvwuvw")})
LINES = "".join(json.dumps({"n": i, "text": f"line {i} é"}) + "\n" for i in range(9)).encode()
IDX = struct.pack(">4B3I", 0, 0, 8, 3, 2, 3, 4) + bytes(24)


def written(save, *args, **options):
    file = io.BytesIO()
    save(file, *args, **options)
    return file.getvalue()


def upright():
    exif = Image.Exif()
    exif[274] = 6
    return exif


def folder(path):
    return load(path.parent)


def labelled(path):
    return load(path, labels="kind")


def first_lines(path):
    return load_corpus(path, characters=30)


def log_prob(path):
    numbers = load_log_likelihoods(path)
    return [each.aligned(np.arange(9), np.arange(1, 9), np.ones(9)) for each in numbers]


# file, its bytes, what reads it
FILES = {
    "a.png": (written(COLOUR.save, "PNG", exif=upright()), folder),
    "palette.png": (written(COLOUR.quantize(4).save, "PNG", transparency=1), folder),
    "deep.png": (png(DEEP, color=2, interlaced=True), folder),
    "a.jpg": (written(COLOUR.save, "JPEG", exif=upright()), folder),
    "a.webp": (written(COLOUR.save, "WEBP", lossless=True), folder),
    "a.gif": (written(GREY.save, "GIF"), folder),
    "a.bmp": (written(COLOUR.save, "BMP"), folder),
    "a.ppm": (b"P6 5 4 999\n" + DEEP.astype(">u2").tobytes(), folder),
    "a.tif": (tiff(DEEP, photometric=2), folder),
    "b.tif": (written(COLOUR.save, "TIFF", compression="tiff_lzw", exif=upright()), folder),
    "x.npy": (written(np.save, ROWS), load),
    "x.npz": (written(np.savez_compressed, x=ROWS, kind=np.arange(9)), labelled),
    "t-images-idx3-ubyte": (IDX, load),
    "t-images-idx3-ubyte.gz": (gzip.compress(IDX), load),
    "t.csv": (FRAME.to_csv(index=False).encode(), labelled),
    "t.parquet": (written(FRAME.to_parquet), labelled),
    "text.txt.gz": (gzip.compress(LINES), load_corpus),
    "t.jsonl": (LINES, load_corpus),
    "first.jsonl.gz": (gzip.compress(LINES), first_lines),
    "text.csv": (FRAME.to_csv(index=False).encode(), load_corpus),
    "text.parquet": (written(FRAME.to_parquet), load_corpus),
    "ids.csv": (b"id,score\n1,2.5\n3,1\n", read_ids),
    "ids.txt": (b"1\n2\n", read_ids),
    "bits.csv": (b"id,bits,role\na,2.5,canary\n1,30.5,reference\n", load_log_perplexities),
}


def table(**columns):
    return written(lambda file: pq.write_table(pa.table(columns), file))


FITS = {"id": np.arange(9), "log_prob": ROWS[:, 0], "fit": [4] * 9, "run": ["a"] * 9}
SCORES = "".join(json.dumps({"id": i, "log_prob": -i / 7}) + "\n" for i in range(9)).encode()
FILES["fits.parquet"] = (table(**FITS), log_prob)
FILES["fit-1.csv"] = (b"id,log_prob,included\n" + b"%d,-1.5,1\n" * 9 % (*range(9),), log_prob)
FILES["fit-1.jsonl"] = (SCORES, log_prob)
FILES["fit-1.npy"] = (written(np.save, ROWS[:, 0]), log_prob)
FILES["fit-1"] = (SCORES, log_prob)
FILES["lists.parquet"] = (table(v=ROWS.tolist()), load)
FILES["images.parquet"] = (table(image=[{"bytes": FILES["a.png"][0], "path": None}] * 3), load)


def mutated(data, draw):
    """Some bytes changed, numbers made large, pieces taken out, put in or cut off."""
    data = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 5))):
        at = draw.randrange(max(1, len(data)))
        kind = draw.randrange(6)
        if kind == 0 and data:
            data[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            data[at : at + 1] = bytes([draw.randrange(256)])
        elif kind == 2:
            data[at : at + 4] = struct.pack(draw.choice("<>") + "I", draw.choice(LARGE))
        elif kind == 3:
            del data[at : at + draw.randrange(1, 9)]
        elif kind == 4:
            data[at:at] = data[:at][-draw.randrange(1, 40) :]
        elif draw.random() < 0.3:
            del data[at:]
    return bytes(data)


@pytest.mark.parametrize("name", FILES)
def test_a_result_or_a_sentence(name, tmp_path):
    data, read = FILES[name]
    path = tmp_path / name
    draw = random.Random(name)
    for mutation in range(TIMES):
        path.write_bytes(mutated(data, draw) if mutation else data)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                read(path)
            except ByroteError as error:
                assert "\n" not in str(error)  # noqa: PT017 (of each of many)
        for warning in said:
            assert warning.category is UserWarning
            assert str(warning.message).startswith((f"{tmp_path}", name))
