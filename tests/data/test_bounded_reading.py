"""No more is read than is declared or asked for, and memory is looked at before it is taken."""

import gzip
import io
import json
import struct
import tracemalloc
import warnings
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from byrote.data import Records, load, load_corpus, memory
from byrote.errors import InvalidInput

IDX = struct.pack(">4B3I", 0, 0, 8, 3, 2, 4, 4) + bytes(range(32))
IMAGES = np.arange(32, dtype=np.uint8).reshape(2, 4, 4)
MEMBER = gzip.compress(IDX)
MB = 1 << 20


def zeros(megabytes, start=b""):
    """So many bytes of zeros behind a start, gzipped: a thousandth of their size."""
    return gzip.compress(start + bytes(megabytes * MB), 1)


def peak_of(call):
    """Bytes that Python and NumPy took at most, and the error's text."""
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInput) as caught:
            call()
        return tracemalloc.get_traced_memory()[1], str(caught.value)
    finally:
        tracemalloc.stop()


# what stands in the file, and whether a caution is due
WHOLE = {
    "one member": (MEMBER, False),
    "two members": (gzip.compress(IDX[:20]) + gzip.compress(IDX[20:]), False),
    "padded with zeros": (MEMBER + bytes(512), False),
    "padded between": (gzip.compress(IDX[:20]) + bytes(7) + gzip.compress(IDX[20:]), False),
    "an empty member": (MEMBER + gzip.compress(b""), False),
    "a line's end behind": (MEMBER + b"\n", True),
    "text behind padding": (MEMBER + b"\0\0text", True),
    "one byte of another member": (MEMBER + b"\x1f", True),
}


@pytest.mark.parametrize("case", WHOLE)
def test_gzip_as_gzip_reads_it(case, tmp_path):
    data, said = WHOLE[case]
    path = tmp_path / "t-images-idx3-ubyte.gz"
    path.write_bytes(data)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        np.testing.assert_array_equal(load(path).x, IMAGES)
    sentence = f"{path}: bytes after the end of the gzip stream are ignored"
    assert [str(warning.message) for warning in heard] == [sentence] * said


def test_gzip_cut_anywhere_is_refused(tmp_path):
    for cut in range(2, len(MEMBER)):
        (tmp_path / "t-images-idx3-ubyte.gz").write_bytes(MEMBER[:cut])
        with pytest.raises(InvalidInput, match=r"truncated or damaged|gzip checksum is wrong"):
            load(tmp_path / "t-images-idx3-ubyte.gz")


def test_nothing_behind_what_is_declared_is_unzipped(tmp_path):
    path = tmp_path / "t-images-idx3-ubyte.gz"
    path.write_bytes(zeros(100, IDX))
    peak, message = peak_of(lambda: load(path))
    assert "48 bytes expected, more found" in message
    assert peak < 20 * MB


def test_a_header_beyond_what_the_file_can_hold(tmp_path):
    path = tmp_path / "t-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(struct.pack(">4B3I", 0, 0, 8, 3, 9000, 9000, 9000)))
    with pytest.raises(InvalidInput, match="729000000016 bytes expected, fewer found"):
        load(path)


LINES = "".join(f"line {i} naïve €\n" for i in range(50))


def test_a_text_is_read_no_further_than_asked(tmp_path):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(zeros(100, LINES.encode()))
    assert load_corpus(path, characters=100).documents == (LINES[: LINES.rindex("\n", 0, 101) + 1],)
    peak, message = peak_of(lambda: load_corpus(path))
    assert "unzips to more than 200 times its size" in message
    assert peak < 200 * MB


def corpora():
    """Name of the file, and how to write rows of text into it."""
    rows = [{"n": i, "text": text} for i, text in enumerate(TEXTS)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    cells = "n,text\n" + "".join('{n},"{text}"\n'.format(**row) for row in rows)
    table = pa.table({"n": range(len(TEXTS)), "text": TEXTS})
    yield "t.jsonl", lambda path: path.write_text(lines)
    yield "t.jsonl.gz", lambda path: path.write_bytes(gzip.compress(lines.encode()))
    yield "t.csv", lambda path: path.write_text(cells)
    yield "t.csv.gz", lambda path: path.write_bytes(gzip.compress(cells.encode()))
    yield "t.parquet", lambda path: pq.write_table(table, path)
    yield (
        "a",
        lambda path: [
            path.mkdir(),
            *((path / f"{i:06d}.txt").write_text(text) for i, text in enumerate(TEXTS[:300])),
        ],
    )
    yield "d", lambda path: save(path, table)


def save(path, table, *, name="data-00000-of-00001.arrow"):
    """As Hugging Face's save_to_disk lays it out."""
    path.mkdir()
    with pa.ipc.new_stream(path / "data-00000-of-00001.arrow", table.schema) as writer:
        writer.write_table(table, max_chunksize=100)
    (path / "state.json").write_text(json.dumps({"_data_files": [{"filename": name}]}))
    (path / "dataset_info.json").write_text("{}")


TEXTS = [f"text {i}\nof two lines, é" * (i % 7) for i in range(6_000)]
CORPORA = dict(corpora())


@pytest.mark.parametrize("name", CORPORA)
def test_first_characters_are_those_of_the_whole(name, tmp_path):
    CORPORA[name](tmp_path / name)
    whole = load_corpus(tmp_path / name)
    for characters in (50, 5_000):
        part = load_corpus(tmp_path / name, characters=characters)
        assert part.documents == whole.first(characters).documents
        assert part.notes["piece"] == whole.first(characters).notes["piece"]
    with pytest.raises(InvalidInput, match=f"at most {whole.characters}, the length"):
        load_corpus(tmp_path / name, characters=whole.characters + 1)


def test_a_text_that_comes_again_and_again_is_held_once(tmp_path):
    long = "x" * MB + "\n"
    pq.write_table(pa.table({"text": [long] * 100}), tmp_path / "t.parquet")
    tracemalloc.start()
    try:
        corpus = load_corpus(tmp_path / "t.parquet", characters=3 * MB)
        assert tracemalloc.get_traced_memory()[1] < 30 * MB
    finally:
        tracemalloc.stop()
    assert corpus.documents == (long,) * 2


def npz(path):
    np.savez_compressed(path, x=np.zeros((100, 200, 200), np.uint8))


def lists(path):
    pq.write_table(pa.table({"v": [[0.0] * 100_000] * 20}), path)


def columns(path):
    pq.write_table(pa.table({name: np.zeros(500_000) for name in "abcd"}), path)


def images(path):
    file = io.BytesIO()
    Image.new("RGB", (400, 400)).save(file, "PNG")
    pq.write_table(pa.table({"image": [file.getvalue()] * 200}), path)


def idx(path):
    path.write_bytes(
        gzip.compress(struct.pack(">4B3I", 0, 0, 8, 3, 500, 200, 200) + bytes(20 * MB))
    )


BOMBS = {  # all of more than 4 MB, some of far smaller files
    "npz": ("x.npz", npz, "the values take 0.004 GB"),
    "lists": ("t.parquet", lists, "20 rows of 100,000 numbers take 0.016 GB"),
    "columns": ("t.parquet", columns, "500,000 rows of 4 numbers take 0.016 GB"),
    "images": ("t.parquet", images, "200 images of 400x400 take 0.096 GB"),
    "IDX": ("t-idx3.gz", idx, "the values take 0.02 GB"),
}


@pytest.mark.parametrize("case", BOMBS)
def test_what_memory_does_not_hold_is_refused_before_it_is_taken(case, tmp_path, monkeypatch):
    name, write, fragment = BOMBS[case]
    write(tmp_path / name)
    monkeypatch.setattr(memory, "available", lambda: 5_000_000)
    with pytest.raises(InvalidInput) as caught:
        load(tmp_path / name)
    assert fragment in str(caught.value)
    assert "of memory, more than half of the 0.005 GB available" in str(caught.value)


def test_fewer_rows_of_a_table_take_less(tmp_path, monkeypatch):
    columns(tmp_path / "t.parquet")
    monkeypatch.setattr(memory, "available", lambda: 5_000_000)
    assert load(tmp_path / "t.parquet", records=1000).x.shape == (1000, 4)


def test_numbers_of_bytes_are_counted_as_numbers(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 5_000_000)
    with pytest.raises(InvalidInput, match=r"X as numbers take 0.008 GB of memory"):
        Records(np.zeros((1000, 1000), np.uint8))


def test_memory_is_the_least_that_anything_leaves(tmp_path, monkeypatch):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "a" / "memory.max").write_text("9000000\n")
    (tmp_path / "a" / "memory.current").write_text("5000000\n")
    (tmp_path / "a" / "memory.stat").write_text("anon 1\ninactive_file 1000000\n")
    (inner / "memory.max").write_text("max\n")
    own = tmp_path / "cgroup"
    own.write_text("0::/a/b\n")
    monkeypatch.setattr(memory, "_CGROUPS", tmp_path)
    monkeypatch.setattr(memory, "_OWN_CGROUPS", own)
    assert memory.available() == 5_000_000
    (tmp_path / "memory" / "a" / "b").mkdir(parents=True)
    (tmp_path / "memory" / "a" / "memory.limit_in_bytes").write_text("3000000\n")
    (tmp_path / "memory" / "a" / "memory.usage_in_bytes").write_text("2000000\n")
    (tmp_path / "memory" / "a" / "memory.stat").write_text("inactive_file 500000\n")
    own.write_text("4:memory:/a/b\n3:cpu:/\n")
    assert memory.available() == 1_500_000


def test_memory_of_a_process_under_a_limit():
    import resource
    import subprocess
    import sys

    code = "from byrote.data import memory; print(memory.available())"
    limit = 8 << 30

    def limited():
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    made = subprocess.run(
        [sys.executable, "-c", code], preexec_fn=limited, capture_output=True, text=True, check=True
    )
    assert 0 < int(made.stdout) < limit


def member_that_lies(path):
    """An archive whose array claims a thousand times what is there."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "<f8", "fortran_order": False, "shape": (1000, 1000)}
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", head.getvalue() + bytes(8000))


def test_an_archive_that_promises_more_than_it_holds(tmp_path):
    member_that_lies(tmp_path / "x.npz")
    with pytest.raises(InvalidInput, match=r"'x' is truncated or damaged: 8000128 bytes expected"):
        load(tmp_path / "x.npz")


def test_a_second_array_in_a_file_is_not_lost_in_silence(tmp_path):
    with (tmp_path / "x.npy").open("wb") as file:
        np.save(file, np.ones((2, 3)))
        np.save(file, np.zeros((2, 3)))
    with pytest.warns(UserWarning, match=r"x.npy: the file has bytes after its array"):
        assert load(tmp_path / "x.npy").x.tolist() == [[1] * 3] * 2
