"""Text from every kind of source comes back as it was written; bad input is one sentence."""

import csv
import gzip
import hashlib
import json
import pydoc_data.topics
import sys
import traceback

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import byrote
from byrote.data import Corpus, load_corpus
from byrote.errors import InvalidInput

SECRET = "s3cr3t"  # what no message may contain
TEXTS = ('naïve €\n\x00two, "three"\n', "four\u2028😀\x85\n\nfive", "NA", "null", "seven")
FRAME = pd.DataFrame({"n": range(5), "said": TEXTS, "x": np.arange(5) / 3})


def raw(data):
    return lambda path: path.write_bytes(data.encode() if isinstance(data, str) else data)


def folder(**files):
    """Files by name, with ``__`` for a slash and ``_`` for a dot."""

    def write(path):
        path.mkdir()
        for name, data in files.items():
            place = path / name.replace("__", "/").replace("_", ".")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data.encode() if isinstance(data, str) else data)

    return write


def parquet(**columns):
    return lambda path: pq.write_table(pa.table(columns), path)


def json_lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def saved(**parts):
    """A data set as Hugging Face saves it, of one part if there is no name."""

    def write(path):
        datasets = pytest.importorskip("datasets")
        sets = {part: datasets.Dataset.from_dict(columns) for part, columns in parts.items()}
        (sets["one"] if "one" in sets else datasets.DatasetDict(sets)).save_to_disk(str(path))

    return write


def damaged(path):
    folder(x_txt=SECRET)(path)
    (path / "dataset_dict.json").write_text(SECRET)


def in_csv(path):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["n", "text", "other"])
        writer.writerows([i, text, "x"] for i, text in enumerate(TEXTS))


ROWS = [{"n": i, "said": text, "x": None} for i, text in enumerate(TEXTS)]
ARROW = FRAME.assign(said=FRAME.said.astype("category"))
# case: file name, how to write it, options
WHOLE = {  # all TEXTS come back
    "csv": ("t.csv", in_csv, {}),
    "csv of pandas": ("t.csv", lambda path: FRAME.to_csv(path, index=False), {}),
    "csv gzipped": (
        "t.CSV.gz", raw(gzip.compress(FRAME.to_csv(index=False).encode())), {"column": "said"}
    ),
    "parquet": ("t.parquet", FRAME.to_parquet, {}),
    "parquet of categories": ("t.parquet", ARROW.to_parquet, {}),
    "parquet with an index": (
        "t.parquet", FRAME.set_index(pd.Index(list("abcde"))).to_parquet, {}
    ),
    "parquet by name": ("t.parquet", parquet(text=list("abcde"), b=TEXTS), {"column": "b"}),
    "parquet large": ("t.parquet", parquet(b=pa.array(TEXTS, pa.large_string())), {}),
    "json lines": ("t.jsonl", raw(json_lines(ROWS)), {}),
    "json lines, Unicode as it is": (
        "t.ndjson", raw("".join(json.dumps(r, ensure_ascii=False) + "\r\n\n" for r in ROWS)), {}
    ),
    "json lines gzipped": ("t.jsonl.gz", raw(gzip.compress(json_lines(ROWS).encode())), {}),
    "saved": ("d", saved(one=FRAME.to_dict("list")), {}),
    "saved in parts": ("d", saved(train={"a": TEXTS}, test={"a": ["x"]}), {}),
    "saved, a part": ("d", saved(train={"a": ["x"]}, test={"a": TEXTS}), {"part": "test"}),
    "folder": ("d", folder(**{f"{i}_txt": text for i, text in enumerate(TEXTS)}), {}),
    "folder of folders": (
        "d",
        folder(a_txt=TEXTS[0], b__c_MD=TEXTS[1], b__d_rst=TEXTS[2], b__e__a_txt=TEXTS[3],
               c_txt_gz=gzip.compress(TEXTS[4].encode())),
        {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WHOLE)
def test_texts_come_back(case, tmp_path):
    name, write, options = WHOLE[case]
    write(tmp_path / name)
    corpus = load_corpus(tmp_path / name, **options)
    assert corpus.documents == TEXTS
    assert corpus.source == str(tmp_path / name)
    assert corpus.options == options
    assert corpus.notes == {}
    assert corpus.fingerprint == Corpus(TEXTS).fingerprint


# case: file name, bytes, the one document
FILES = {
    "plain": ("a.txt", "é\n\x00b".encode(), "é\n\x00b"),
    "of any suffix": ("a.py", b"x = 1\n", "x = 1\n"),
    "without suffix": ("a", b"x", "x"),
    "gzipped": ("a.txt.gz", gzip.compress(b"x\n"), "x\n"),
    "gzipped under another name": ("a.txt", gzip.compress(b"x\n"), "x\n"),
    "with a mark": ("a.txt", b"\xef\xbb\xbfx\xef\xbb\xbf", "x\ufeff"),
    "of Windows": ("a.txt", b"a\r\nb\r\n\r\nc", "a\nb\n\nc"),
    "of an old Mac": ("a.txt", b"a\rb\r", "a\nb\n"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_text_file_is_one_document(case, tmp_path):
    name, data, text = FILES[case]
    (tmp_path / name).write_bytes(data)
    corpus = byrote.load_corpus(str(tmp_path / name))
    assert corpus.documents == (text,)
    assert repr(corpus) == f"Corpus(1 document, {len(text)} characters, from {tmp_path / name})"


def test_line_ends_within_cells_become_plain_too(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"a": "x\\r\\ny"}\n{"a": "\\r"}\n')
    (tmp_path / "t.csv").write_bytes(b'a,n\r\n"x\r\ny",1\r\n"\r",2\r\n')
    for name in ("t.jsonl", "t.csv"):
        assert load_corpus(tmp_path / name).documents == ("x\ny", "\n")


def test_python_help_is_all_topics_in_order():
    corpus = load_corpus("python-help")
    topics = pydoc_data.topics.topics
    assert corpus.documents == tuple(text for _, text in sorted(topics.items()))
    assert corpus.notes == {"python": ".".join(map(str, sys.version_info[:3]))}
    assert (corpus.source, corpus.options) == ("python-help", {})


def test_python_classes_are_the_help_of_each_built_in_class_once():
    texts = byrote.load_texts("python-classes")
    assert len(set(texts.texts)) == len(texts)
    assert texts.ids.tolist() == sorted(texts.ids)
    shown = dict(zip(texts.ids, texts.texts, strict=True))
    assert shown["KeyError"].startswith("Python Library Documentation: class KeyError")
    assert "Mapping key not found." in shown["KeyError"]
    assert "IOError" not in shown  # an alias of OSError


def test_made_up_mails_are_always_the_same_and_share_signatures_and_a_notice():
    mails = byrote.load_texts("made-up-mails")
    digest = hashlib.sha256("\0".join(mails.texts).encode()).hexdigest()
    assert digest.startswith("8b2cddc3baace552")  # the numbers of a study are of these
    assert len(set(mails.texts)) == len(mails) == 2000
    assert (mails.ids[0], mails.ids[-1]) == ("mail-0000", "mail-1999")
    notice = [text for text in mails.texts if "please tell the sender" in text]
    assert 0.6 < len(notice) / len(mails) < 0.7
    assert len({text.split("\n")[7] for text in mails.texts}) == 40  # signatures
    corpus = load_corpus("made-up-mails")
    assert (corpus.documents, dict(corpus.notes)) == (mails.texts, {})


def test_skipped_and_empty_are_counted(tmp_path):
    folder(a_txt="a", b_txt="", c_png=b"\xff", d_csv="a", e_png="e", _git__f_txt="f", g="g")(
        tmp_path / "d"
    )
    (tmp_path / "d" / ".h.txt").write_text("h")
    notes = load_corpus(tmp_path / "d").notes
    assert notes == {
        "files skipped": "1 .csv, 2 .png, 2 hidden, 1 without suffix",
        "empty documents dropped": "1",
    }
    (tmp_path / "t.jsonl").write_text('{"a": "x"}\n{"a": null}\n{"b": 1}\n{"a": ""}\n')
    corpus = load_corpus(tmp_path / "t.jsonl")
    assert (corpus.documents, corpus.notes) == (("x",), {"empty documents dropped": "3"})
    parquet(a=["x", None, ""])(tmp_path / "t.parquet")
    corpus = load_corpus(tmp_path / "t.parquet")
    assert (corpus.documents, corpus.notes) == (("x",), {"empty documents dropped": "2"})


@given(st.lists(st.text("ab\n", min_size=1, max_size=9), min_size=1, max_size=4), st.data())
@settings(max_examples=200)
def test_first_characters_end_at_a_line(documents, data):
    corpus = Corpus(documents)
    asked = data.draw(st.integers(1, corpus.characters))
    text, ends, length = "".join(documents), {0}, 0
    for document in documents:
        ends |= {length + i + 1 for i, letter in enumerate(document) if letter == "\n"}
        length += len(document)
        ends.add(length)
    offset = max(end for end in ends if end <= asked)
    if offset == 0:
        with pytest.raises(InvalidInput, match="end of the first line"):
            corpus.first(asked)
        return
    first = corpus.first(asked)
    assert "".join(first.documents) == text[:offset]
    starts = [document[: len(mine)] for document, mine in zip(documents, first.documents)]  # noqa: B905
    assert list(first.documents) == starts


def test_characters_are_an_option_that_loads_the_same_again(tmp_path):
    (tmp_path / "a.txt").write_text("one\ntwo\nthree\nfour\n")
    corpus = load_corpus(tmp_path / "a.txt", characters=14)
    assert corpus.documents == ("one\ntwo\nthree\n",)
    assert corpus.options == {"characters": "14"}
    again = load_corpus(corpus.source, **corpus.options)
    assert again.fingerprint == corpus.fingerprint
    assert corpus.notes == {"piece": "the first 14 characters"}
    _, last = corpus.split(0.4)
    assert last.notes == {"piece": "the last 6 of 14 characters of the first 14 characters"}


BAD_TEXT = pa.StringArray.from_buffers(
    3, pa.py_buffer(np.array([0, 1, 2, 3], np.int32)), pa.py_buffer(b"ab\xff")
)
# case: file name, how to write it, options, fragment of the message
REFUSED = {
    "empty file": ("a.txt", raw(""), {}, "all 1 are empty"),
    "a mark alone": ("a.txt", raw(b"\xef\xbb\xbf"), {}, "at least one character"),
    "not UTF-8": ("a.txt", raw(f"{SECRET} é\n".encode() + b"\xe9\n"), {}, "line 2 is not, byte 10"),
    "not UTF-8 after a mark": ("a.txt", raw(b"\xef\xbb\xbfab\xff"), {}, "byte 5 counted from 0"),
    "cut within a letter": ("a.txt", raw(b"ab\xc3"), {}, "line 1 is not, byte 2 counted"),
    "UTF-16": ("a.txt", raw(SECRET.encode("utf-16")), {}, "byte 0 counted from 0 (it beg"),
    "not UTF-8, gzipped": ("a.txt.gz", raw(gzip.compress(b"ab\xff")), {}, "byte 2 counted"),
    "surrogate in bytes": ("a.txt", raw(b"a\xed\xa0\x80"), {}, "byte 1 counted"),
    "gzip cut off": ("a.txt.gz", raw(gzip.compress(b"ab" * 99)[:-9]), {}, "gzip stream is trunc"),
    "gzip checksum": ("a.txt.gz", raw(gzip.compress(b"ab")[:-8] + bytes(8)), {}, "gzip stream"),
    "file with a column": ("a.txt", raw("a"), {"column": "a"}, "column does not apply to a text"),
    "file with a part": ("a.csv", raw("a\nb\n"), {"part": "a"}, "part does not apply to .csv"),
    "empty folder": ("d", folder(), {}, "it holds no files"),
    "folder of other files": ("d", folder(a_png="x", b_csv="x"), {}, "kinds: 1 .csv, 1 .png"),
    "folder with a bad file": ("d", folder(a_txt="a", b_txt=b"a\xff"), {}, "b.txt must be UTF-8"),
    "folder of empty files": ("d", folder(a_txt="", b_txt=""), {}, "all 2 are empty"),
    "no such column": ("t.csv", raw(f"said\n{SECRET}\n"), {"column": "sad"}, "did you mean said?"),
    "number column": ("t.csv", raw("a,b\n1,x\n"), {"column": "a"}, "must hold text; 'a' does not"),
    "two columns": ("t.csv", raw(f"n,a,b\n1,x,{SECRET}\n"), {}, "the text: 'a', 'b' could"),
    "no text column": ("t.csv", raw("n,m\n1,2\n"), {}, "holds text; the columns are 'n', 'm'"),
    "csv empty": ("t.csv", raw(""), {}, "the file is empty"),
    "csv of a header": ("t.csv", raw("text\n"), {}, "no column holds text; the columns are 'text'"),
    "csv ragged": ("t.csv", raw(f'a,b\n"1\n2",x\n{SECRET}\n'), {}, "must have 2 cells"),
    "csv not UTF-8": ("t.csv", raw(b"a\n\xff\n"), {}, "line 2 is not, byte 2 counted"),
    "csv without header": ("t.csv", raw(f"1,2.5\n3.5,{SECRET}\n"), {}, "must name the columns"),
    "parquet damaged": ("t.parquet", raw(SECRET), {}, "truncated, damaged or not Parquet"),
    "parquet of numbers": ("t.parquet", parquet(a=[1]), {}, "no column holds text"),
    "parquet of lists": ("t.parquet", parquet(a=[["x"]]), {"column": "a"}, "'a' does not"),
    "parquet of no rows": ("t.parquet", parquet(a=pa.array([], pa.string())), {}, "no document"),
    "parquet not UTF-8": ("t.parquet", parquet(a=BAD_TEXT), {}, "'a' must be UTF-8 text; row 2"),
    "json of numbers": ("t.jsonl", raw(f'{{"a": 1, "b": "{SECRET}"}}'), {"column": "a"}, "'a' d"),
    "json of both": ("t.jsonl", raw('{"a": 1}\n{"a": "x"}\n'), {}, "no column holds text"),
    "json broken": ("t.jsonl", raw(f'{{"a": "x"}}\n{{"{SECRET}\n'), {}, "object; line 2 is not"),
    "json of lists": ("t.jsonl", raw('["a"]\n'), {}, "line 1 is not"),
    "json too deep": ("t.jsonl", raw("\n" + "[" * 100_000), {}, "line 2 is not"),
    "json empty": ("t.jsonl", raw("\n"), {}, "no column holds text; the columns are none"),
    "json, half a pair": ("t.jsonl", raw('{"a": "x\\ud800"}'), {}, "half a surrogate pair at char"),
    "saved, no such part": ("d", saved(train={"a": ["x"]}), {"part": "trian"}, "you mean train?"),
    "saved without train": ("d", saved(test={"a": ["x"]}), {}, "one of test; got 'train'"),
    "saved as one": ("d", saved(one={"a": ["x"]}), {"part": "train"}, "that was saved as one"),
    "saved numbers": ("d", saved(one={"a": [1]}), {}, "no column holds text; the columns are 'a'"),
    "saved damaged": ("d", damaged, {}, "damaged or incomplete"),
    "too many characters": ("a.txt", raw("a\nb"), {"characters": 4}, "at most 3, the length"),
    "no characters": ("a.txt", raw("a\nb"), {"characters": 0}, "at least 1; got 0"),
    "characters within a line": ("a.txt", raw("abc\nb"), {"characters": 3}, "of the first line"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_sentence(case, tmp_path):
    name, write, options, fragment = REFUSED[case]
    write(tmp_path / name)
    with pytest.raises(InvalidInput) as caught:
        load_corpus(tmp_path / name, **options)
    message = str(caught.value)
    assert fragment in message
    assert message.startswith(f"{tmp_path / name}: ")
    assert "\n" not in message
    assert SECRET not in "".join(traceback.format_exception(caught.value))


ARGUMENTS = {
    "misspelt": (("python-hlep",), {}, "did you mean python-help?"),
    "no such file": (("no.txt",), {}, "no.txt does not exist"),
    "a list": ((["a"],), {}, "source must be a name or a path; got list"),
    "empty": (("",), {}, "got an empty string"),
    "column of a number": (("python-help",), {"column": 3}, "column must be a name"),
    "column for help": (("python-help",), {"column": "a"}, "column does not apply to a built"),
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_arguments_are_refused(case):
    arguments, options, fragment = ARGUMENTS[case]
    with pytest.raises(InvalidInput) as caught:
        load_corpus(*arguments, **options)
    assert fragment in str(caught.value)
