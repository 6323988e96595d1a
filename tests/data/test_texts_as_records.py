"""Texts as records: read from every format, cut into units, refused without being quoted."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import byrote
from byrote import TextRecords, load_texts
from byrote.data.sources import as_records
from byrote.data.text_records import PackedTexts
from byrote.errors import InvalidInput

TEXTS = ["first mail", "naïve\nsecond", "third ☃"]
IDS = ["a", "b", "c"]
SECRET = "hunter2"
ROWS = pd.DataFrame({"id": IDS, "body": TEXTS, "n": [1, 2, 3], "kind": ["x", "y", "x"]})


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """The same texts in every format that has columns."""
    folder = tmp_path_factory.mktemp("texts")
    ROWS.to_json(folder / "t.jsonl", orient="records", lines=True, force_ascii=False)
    (folder / "t.ndjson.gz").write_bytes(gzip.compress((folder / "t.jsonl").read_bytes()))
    ROWS.to_csv(folder / "t.csv", index=False)
    ROWS.to_parquet(folder / "t.parquet")
    return folder


@pytest.mark.parametrize("name", ["t.jsonl", "t.ndjson.gz", "t.csv", "t.parquet"])
def test_texts_ids_and_labels_come_from_columns(sources, name):
    records = load_texts(sources / name, column="body", ids="id", labels="kind")
    assert list(records.texts) == TEXTS
    assert records.ids.tolist() == IDS
    assert records.labels.tolist() == ["x", "y", "x"]
    assert load_texts(sources / name, column="body", ids="n").ids.tolist() == [1, 2, 3]
    numbered = load_texts(sources / name, column="body")
    assert numbered.ids.tolist() == [0, 1, 2]
    assert numbered.labels is None


@pytest.mark.parametrize("name", ["t.jsonl", "t.csv", "t.parquet"])
def test_the_only_other_column_of_text_is_the_one_of_texts(sources, name):
    assert list(load_texts(sources / name, ids="id", labels="kind").texts) == TEXTS
    with pytest.raises(InvalidInput, match="column must name the column that holds the text"):
        load_texts(sources / name)


def test_a_text_file_has_a_record_on_every_line(tmp_path):
    (tmp_path / "t.txt").write_bytes(b"one\r\n\n  \ntwo\n")
    records = load_texts(tmp_path / "t.txt")
    assert records.texts == ("one", "two")
    assert records.ids.tolist() == [0, 3]
    assert load_texts(tmp_path / "t.txt", unit="document").texts == ("one\n\n  \ntwo\n",)


def test_a_folder_has_a_record_in_every_file(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.md").write_text("second")
    (tmp_path / "a.txt").write_text("first\nfile\n")
    (tmp_path / "c.txt").write_text("\n")
    with pytest.warns(UserWarning, match="1 of 3 texts are empty, and left out"):
        records = load_texts(tmp_path)
    assert records.ids.tolist() == ["a.txt", "b/x.md"]
    lines = load_texts(tmp_path, unit="line")
    assert lines.ids.tolist() == ["a.txt:0", "a.txt:1", "b/x.md:0"]


@settings(max_examples=60)
@given(st.text(min_size=1, max_size=40).filter(str.strip), st.integers(1, 12))
def test_windows_together_are_the_document(text, length):
    from byrote.data.text_rows import TextRows, cut_rows

    cut = cut_rows(TextRows([text]), f"window={length}")
    for number, part in zip(cut.ids.tolist(), cut.documents, strict=True):
        assert text[number * length : (number + 1) * length] == part
    left_out = sum(map(len, cut.documents)) - len(text)
    assert left_out == 0 or any(
        not text[k : k + length].strip() for k in range(0, len(text), length)
    )


@given(st.lists(st.text(max_size=9), max_size=9), st.data())
def test_packed_texts_are_the_same_texts(texts, data):
    texts = [text.encode(errors="ignore").decode() for text in texts]
    packed = PackedTexts(PackedTexts.pack(texts).array)
    assert len(packed) == len(texts)
    assert packed.take(None) == texts
    if texts:
        rows = data.draw(st.lists(st.integers(0, len(texts) - 1)))
        assert packed.take(np.array(rows, dtype=np.uint32)) == [texts[row] for row in rows]


def test_parts_of_a_source_keep_their_ids(sources, tmp_path):
    (tmp_path / "ids.txt").write_text("c\na\n")
    path, options = sources / "t.jsonl", {"column": "body", "ids": "id"}
    listed = load_texts(path, **options, only=tmp_path / "ids.txt")
    assert listed.ids.tolist() == ["a", "c"]
    few = load_texts(path, **options, records=2)
    assert [TEXTS[IDS.index(id_)] for id_ in few.ids] == list(few.texts)
    assert few.options["records"] == "2"


def test_what_a_program_holds_becomes_records():
    for data in (TEXTS, tuple(TEXTS), np.array(TEXTS), byrote.Corpus(TEXTS), TextRecords(TEXTS)):
        assert as_records(data).texts == tuple(TEXTS)
    keyed = as_records(dict(zip(IDS, TEXTS, strict=True)))
    assert keyed.ids.tolist() == IDS
    assert as_records(keyed, ids=[7, 8, 9]).ids.tolist() == [7, 8, 9]


def test_equal_texts_have_equal_fingerprints_and_others_do_not():
    records = TextRecords(["ab", "c"])
    assert records.fingerprint == TextRecords(["ab", "c"]).fingerprint
    others = [TextRecords(["a", "bc"]), TextRecords(["ab", "c"], ids=["x", "y"])]
    others.append(TextRecords(["ab", "c"], labels=[0, 1]))
    assert records.fingerprint not in {other.fingerprint for other in others}


def test_texts_are_not_printed():
    records = TextRecords([SECRET, "more"], labels=[0, 1])
    shown = f"{records!r} {records} {records._repr_html_()}"
    assert SECRET not in shown
    assert repr(records) == "TextRecords(2 texts, 11 characters, labelled, from memory)"


BAD_RECORDS = {
    "no text": ([], {}, "at least one text; got none"),
    "an empty text": ([SECRET, ""], {}, "1 of 2 are empty, the first at position 1"),
    "not a string": ([SECRET, 5], {}, "texts must be strings; got int at position 1"),
    "half a pair": ([SECRET, "\ud800"], {}, "number 1 holds half a surrogate pair"),
    "repeated ids": ([SECRET, "b"], {"ids": [1, 1]}, "ids must all differ; 1 of 2"),
    "too few ids": ([SECRET, "b"], {"ids": [1]}, "ids must have one entry for each of 2"),
}


@pytest.mark.parametrize(("texts", "options", "message"), BAD_RECORDS.values(), ids=BAD_RECORDS)
def test_what_cannot_be_records_is_refused_in_a_sentence(texts, options, message):
    with pytest.raises(InvalidInput, match=message) as refused:
        TextRecords(texts, **options)
    assert SECRET not in str(refused.value)


def lines(*items):
    return "".join(json.dumps(item) + "\n" for item in items).encode()


MAIL = {"id": "m", "body": SECRET}
BAD_SOURCES = {
    "no such column": ("jsonl", lines(MAIL), {"column": "boddy"}, "did you mean body"),
    "no such ids": ("jsonl", lines(MAIL), {"column": "body", "ids": "key"}, "ids must name a col"),
    "an id is missing": (
        "jsonl", lines(MAIL, {"body": "b"}), {"column": "body", "ids": "id"}, "'id' lacks 1",
    ),
    "an id twice": (
        "jsonl", lines(MAIL, MAIL), {"column": "body", "ids": "id"}, "1 of 2 repeat an earlier",
    ),
    "a column of numbers": ("jsonl", lines({**MAIL, "n": 5}), {"column": "n"}, "must hold text"),
    "not UTF-8": ("jsonl", b'{"body": "\xff"}\n', {}, "must be UTF-8 text; line 1 is not"),
    "a text file not UTF-8": ("txt", b"a\nb\xff\n", {}, "must be UTF-8 text; line 2 is not"),
    "not JSON": ("jsonl", lines(MAIL) + SECRET.encode(), {}, "line 2 is not"),
    "only blanks": ("txt", b"\n \n", {}, "the source must hold text; it holds none"),
    "another unit": ("jsonl", lines(MAIL), {"unit": "word"}, "unit must be document, line or win"),
    "windows of nothing": ("jsonl", lines(MAIL), {"unit": "window=0"}, "unit must be document"),
    "a column of a text file": ("txt", b"a\n", {"column": "b"}, "column does not apply to a text"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("suffix", "content", "options", "message"), BAD_SOURCES.values(), ids=BAD_SOURCES
)
def test_a_source_that_cannot_be_read_is_refused(tmp_path, suffix, content, options, message):
    path = tmp_path / f"bad.{suffix}"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=message) as refused:
        load_texts(path, **options)
    assert SECRET not in str(refused.value)
    assert "\n" not in str(refused.value)
