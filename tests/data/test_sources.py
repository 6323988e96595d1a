"""Bad input: one sentence that names what is wrong, and never what a record holds."""

import gzip
import io
import traceback

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from byrote.data import load
from byrote.data.arrow_columns import matrix
from byrote.errors import InvalidInput

SECRET = "s3cr3t"  # what no message may contain
NUMBER = 31415.9265  # nor this


def npy(array):
    return lambda path: np.save(path, array)


def npz(**arrays):
    return lambda path: np.savez(path, **arrays)


def raw(data):
    return lambda path: path.write_bytes(data.encode() if isinstance(data, str) else data)


def cut(write, keep):
    """The same file, truncated to a share of its bytes."""

    def truncated(path):
        write(path)
        data = path.read_bytes()
        path.write_bytes(data[: int(keep * len(data))])

    return truncated


def table(**columns):
    return lambda path: pq.write_table(pa.table(columns), path)


def written(save, *args):
    file = io.BytesIO()
    save(file, *args)
    return file.getvalue()


def png(size=(2, 2)):
    return written(Image.new("L", size).save, "PNG")


def folder(**images):
    """Files by name, with ``__`` for a slash and the suffix added."""

    def write(path):
        for name, data in images.items():
            place = path / f"{name.replace('__', '/')}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)

    return write


ROWS = np.full((20, 4), NUMBER)
FRAME = pd.DataFrame({"a": [NUMBER, 2.0], "b": [3.0, 4.0], "who": [SECRET, "x"]})
IDX = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2]) + bytes(8)
ARCHIVE = npz(x=ROWS, z=ROWS, y=np.arange(20))
OBJECTS = np.array([[SECRET, None]], dtype=object)
BROKEN = png()[:40]
FLOATING = written(Image.new("F", (2, 2)).save, "TIFF")
ELSEWHERE = pa.array(
    [{"bytes": None, "path": SECRET}], pa.struct({"bytes": pa.binary(), "path": pa.string()})
)


# case: file name, how to write it, options, fragment of the message
REFUSED = {
    # arrays
    "npy truncated": ("a.npy", cut(npy(ROWS), 0.5), {}, "truncated or damaged"),
    "npy header truncated": ("a.npy", raw(b"\x93NUMPY\x01\x00v"), {}, "truncated or damaged"),
    "npy empty": ("a.npy", raw(b""), {}, "neither .npy nor IDX"),
    "npy of another kind": ("a.npy", raw(SECRET), {}, "neither .npy nor IDX"),
    "npy of objects": ("a.npy", npy(OBJECTS), {}, "never unpickles"),
    "npy too large": (
        "a.npy",
        raw(b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f8', 'fortran_order': False, "
            + b"'shape': (1000000000000000, 2), }".ljust(76) + b"\n"),
        {},
        "16000000000000128 bytes expected, 128 found",
    ),
    "npy of text": ("a.npy", npy(np.array([[SECRET]])), {}, "must be numeric"),
    "npy of one dimension": ("a.npy", npy(np.arange(5)), {}, "one dimension, as labels"),
    "npy of five dimensions": ("a.npy", npy(np.zeros((2,) * 5, np.uint8)), {}, "must have shape"),
    "npy with NaN": ("a.npy", npy(np.array([[NUMBER, np.nan]])), {}, "NaN in row 0"),
    "npy channels first": ("a.npy", npy(np.zeros((9, 3, 8, 8))), {}, "channels last"),
    "npy with a key": ("a.npy", npy(ROWS), {"key": "x"}, "key does not apply to .npy"),
    "npy labels absent": ("a.npy", npy(ROWS), {"labels": "no.npy"}, "no.npy does not exist"),
    "npz truncated": ("a.npz", cut(ARCHIVE, 0.7), {"key": "x"}, "truncated, damaged or not a .npz"),
    "npz empty": ("a.npz", raw(b""), {}, "truncated, damaged or not a .npz"),
    "npz that is npy": ("a.npz", raw(written(np.save, ROWS)), {}, "not a .npz"),
    "npz of objects": ("a.npz", npz(x=OBJECTS), {}, "never unpickles"),
    "npz of two matrices": ("a.npz", ARCHIVE, {}, "2 have two or more dimensions among x (20, 4)"),
    "npz of no matrix": ("a.npz", npz(y=np.arange(3)), {}, "0 have two or more dimensions among y"),
    "npz unknown key": ("a.npz", npz(images=ROWS), {"key": "image"}, "did you mean images?"),
    "npz unknown labels": ("a.npz", ARCHIVE, {"key": "x", "labels": "w"}, "labels must name"),
    "npz labels too few": (
        "a.npz", npz(x=ROWS, y=np.arange(3)), {"labels": "y"}, "one entry for each of 20"
    ),
    "npz ids repeated": ("a.npz", npz(x=ROWS, y=np.zeros(20, int)), {"ids": "y"}, "all differ"),
    # IDX
    "idx truncated": ("a-idx3", raw(IDX[:-3]), {}, "24 bytes expected, 21 found"),
    "idx too long": ("a-idx3", raw(IDX + b"12"), {}, "24 bytes expected, more found"),
    "idx header truncated": ("a-idx3", raw(IDX[:9]), {}, "16 bytes expected, 9 found"),
    "idx magic truncated": ("a-idx3", raw(IDX[:2]), {}, "4 bytes expected, 2 found"),
    "idx empty": ("a-idx3-ubyte.gz", raw(b""), {}, "4 bytes expected, 0 found"),
    "idx gzip beyond reading": (
        "a-idx3.gz", raw(gzip.compress(IDX)[:5]), {}, "4 bytes expected, 0 found"
    ),
    "idx gzip truncated": (
        "a.gz", raw(gzip.compress(IDX[:16] + bytes(range(8)))[:-12]), {}, "24 bytes expected, "
    ),
    "idx gzip checksum": (
        "a.gz", raw(gzip.compress(IDX)[:-8] + bytes(8)), {}, "gzip checksum is wrong"
    ),
    "idx sizes of lies": (
        "a", raw(IDX[:4] + b"\xff" * 12), {}, "79228162458924105385300197391 bytes expected, 16"
    ),
    "idx of labels": ("a", raw(bytes([0, 0, 8, 1, 0, 0, 0, 2, 1, 2])), {}, "one dimension"),
    "idx with a key": ("a", raw(IDX), {"key": "x"}, "key does not apply to IDX"),
    # images
    "folder empty": ("d", lambda path: path.mkdir(), {}, "no images"),
    "folder of one broken image": (
        "d", folder(a=png(), b=BROKEN), {}, "image in row 1 (b.png) cannot be decoded"
    ),
    "folder of two sizes": (
        "d", folder(a=png(), b=png((3, 2)), c=png((4, 1)), e=png()), {},
        "2 of 4 are not 2x2 (width x height) as the first is: the one in row 1 (b.png) is 3x2",
    ),
    "folder half labelled": ("d", folder(a=png(), b__c=png()), {}, "1 of 2 images are in sub-"),
    "folder of floating images": ("d", folder(a=FLOATING), {}, "for white is unknown"),
    "folder with labels": ("d", folder(a=png()), {"labels": "y"}, "which takes image"),
    # CSV
    "csv empty": ("t.csv", raw(""), {}, "the file is empty"),
    "csv of a header": ("t.csv", raw("a,b\n"), {}, "must have rows of records"),
    "csv without header": ("t.csv", raw(f"{NUMBER},1\n2,3\n"), {}, "first line must name"),
    "csv with an index": ("t.csv", FRAME.to_csv, {"labels": "who"}, "column 1 of 4 has none"),
    "csv without header, of integers": (
        "t.csv", raw("5,7\n1,2\n"), {}, "first line must name the columns; it holds numbers (put"
    ),
    "csv without header, falling": ("t.csv", raw("7,0\n1,2\n"), {}, "it holds numbers"),
    "csv without header, of numbers and text": (
        "t.csv", raw(f"5.1,3.5,{SECRET}\n1,2,u\n"), {"labels": SECRET[:-1]}, "it holds numbers"
    ),
    "csv without header, beyond all": ("t.csv", raw("1e999,2\n1,2\n"), {}, "it holds numbers"),
    "csv with commas in numbers": (
        "t.csv", raw('a,b\n"1,5",2\n'), {}, "column 'a' holds numbers with commas"
    ),
    "csv with a quote left open": (
        "t.csv", raw(f'a,who\n1,x\n2,"y\n3,{SECRET}\n'), {"labels": "who"},
        "every quote must be closed; one in row 3 is not",
    ),
    "csv with a blank name": ("t.csv", raw("a,,b\n1,2,3\n"), {}, "column 2 of 3 has none"),
    "csv gzip cut off": (
        "t.csv.gz", raw(gzip.compress(b"a,b\n" + b"1,2\n" * 99)[:-9]), {}, "gzip stream is trunc"
    ),
    "csv names twice": ("t.csv", raw("a,b,a\n1,2,3\n"), {}, "repeated: 'a'"),
    "csv short line": (
        "t.csv", raw(f"a,b\n1,2\n{NUMBER}\n{SECRET}\n"), {},
        "every row must have 2 cells, as the first has; row 3 has 1 (rows that differ: 2;",
    ),
    "csv long line": ("t.csv", raw(f"a,b\n1,2,{SECRET}\n"), {}, "row 2 has 3"),
    "csv of a date": (
        "t.csv", raw("a,b\n1,2024-01-01\n"), {}, "column 'b' must hold numbers or categories"
    ),
    "csv empty column": ("t.csv", raw("a,b\n1,\n2,\n"), {}, "'b' must hold values; all are"),
    "csv infinity": ("t.csv", raw("a\ninf\n2\n"), {}, "infinite value in row 0"),
    "csv gaps in labels": ("t.csv", raw("a,b\n1,\n2,u\n"), {"labels": "b"}, "column 'b' lacks 1"),
    "csv unknown labels": ("t.csv", raw("a,kind\n1,u\n"), {"labels": "kinds"}, "mean kind?"),
    "csv unknown ids": ("t.csv", raw("a,kind\n1,u\n"), {"ids": "zzz"}, "ids must name a column"),
    "csv only of labels": ("t.csv", raw("a\n1\n"), {"labels": "a"}, "must have a column of values"),
    "csv of damaged UTF-8": ("t.csv", raw(b"a,b\n1,\xc3\xa9\n3,\xe9\n"), {}, "line 3 is not"),
    "csv of bytes": ("t.csv", raw(b"a,b\n1,2\n3,\xe9\0\n"), {}, "UTF-8 text; line 3 is not"),
    "csv with a key": ("t.csv", raw("a\n1\n"), {"key": "a"}, "key does not apply to .csv"),
    # Parquet
    "parquet truncated": ("t.parquet", cut(FRAME.to_parquet, 0.8), {}, "truncated, damaged"),
    "parquet empty": ("t.parquet", raw(b""), {}, "truncated, damaged"),
    "parquet of no rows": ("t.parquet", table(a=pa.array([], pa.int64())), {}, "must have rows"),
    "parquet gaps in labels": (
        "t.parquet", table(a=[1, 2], y=[SECRET, None]), {"labels": "y"}, "column 'y' lacks 1"
    ),
    "parquet labels of fractions": (
        "t.parquet", table(a=[1], y=[NUMBER]), {"labels": "y"}, "'y' holds double"
    ),
    "parquet unknown key": ("t.parquet", table(img=[png()]), {"key": "imh"}, "did you mean img?"),
    "parquet key of numbers": ("t.parquet", table(a=[1.0]), {"key": "a"}, "'a' is neither"),
    "parquet two image columns": ("t.parquet", table(a=[png()], b=[png()]), {}, "'a', 'b' could"),
    "parquet list beside numbers": ("t.parquet", table(a=[[1.0]], b=[1]), {}, "'a' could"),
    "parquet lists of two lengths": ("t.parquet", table(a=[[1], [2, 3]]), {}, "the same length"),
    "parquet list missing": ("t.parquet", table(a=[[1], None]), {}, "some are missing"),
    "parquet gaps in lists": ("t.parquet", table(a=[[1, 2], [3, None]]), {}, "column 'a' lacks 1"),
    "parquet broken image": ("t.parquet", table(i=[png(), BROKEN]), {}, "row 1 cannot be decoded"),
    "parquet text as image": ("t.parquet", table(i=[SECRET.encode()]), {}, "row 0 cannot be"),
    "parquet image missing": ("t.parquet", table(i=[png(), None]), {}, "no image bytes in row 1"),
    "parquet image elsewhere": ("t.parquet", table(i=ELSEWHERE), {}, "no image bytes in row 0"),
    "parquet image record missing": (
        "t.parquet", table(i=[{"bytes": png()}, None]), {}, "no image bytes in row 1"
    ),
    "parquet images of two sizes": (
        "t.parquet", table(i=[png(), png((3, 5))]), {}, "the one in row 1 is 3x5"
    ),
    "parquet of no images": ("t.parquet", table(i=pa.array([], pa.binary())), {}, "0 images"),
    # sources
    "spreadsheet": ("t.xlsx", raw(SECRET), {}, "spreadsheets are not read; save"),
    "unknown kind": ("t.sas", raw(SECRET), {}, "must be one of a built-in set, a folder"),
    "unknown kind without suffix": ("t", raw(SECRET), {}, "this kind of file is not known"),
    "gzip of something else": ("t.gz", raw(gzip.compress(b"12345")), {}, "is not known"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_sentence(case, tmp_path):
    name, write, options, fragment = REFUSED[case]
    source = tmp_path / name
    write(source)
    with pytest.raises(InvalidInput) as caught:
        load(source, **options)
    message = str(caught.value)
    assert fragment in message
    assert message.startswith(f"{source}: ")
    assert "\n" not in message
    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET not in shown
    assert str(int(NUMBER)) not in shown


# arguments that are refused before any file is opened
ARGUMENTS = {
    "misspelt set": (("digitz",), {}, "did you mean digits?"),
    "no such set": (("zzz",), {}, "zzz does not exist"),
    "no such file": (("zzz.npy",), {}, "zzz.npy does not exist"),
    "no such folder": (("no/digits",), {}, "no/digits does not exist"),
    "empty": (("",), {}, "got an empty string"),
    "an array": ((np.zeros((2, 2)),), {}, "got ndarray"),
    "bytes": ((b"digits",), {}, "got bytes"),
    "labels as a list": (("digits",), {"labels": [1, 2]}, "labels must be a name or a path"),
    "key for a set": (("digits",), {"key": "x"}, "key does not apply to a built-in set"),
    "ids for a set": (("digits",), {"ids": "x"}, "ids does not apply to a built-in set"),
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_arguments_refused(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    args, options, fragment = ARGUMENTS[case]
    with pytest.raises(InvalidInput) as caught:
        load(*args, **options)
    assert fragment in str(caught.value)


@pytest.mark.parametrize("promised", [1, 3])
def test_a_file_that_promises_another_number_of_rows(promised):
    (batch,) = pa.table({"a": [1.0, 2.0]}).to_batches()
    with pytest.raises(InvalidInput, match=f"{promised} rows expected, 2 found"):
        matrix(batch.schema, [batch.slice(0, 0), batch], promised)


def test_damaged_labels_are_named(tmp_path):
    np.save(tmp_path / "x.npy", ROWS)
    (tmp_path / "y-idx1").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 9]))
    with pytest.raises(InvalidInput, match=r"labels from y-idx1: .* 17 bytes expected, 8 found"):
        load(tmp_path / "x.npy", labels=tmp_path / "y-idx1")


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", ROWS)

    def refuse(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(InvalidInput, match=r"cannot be read \(Permission denied\)"):
        load(tmp_path / "x.npy")
