"""Corpora in memory: places, lines put in, cuts, sizes; against naive ways of doing the same."""

import hashlib
import lzma

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import byrote
from byrote.data import Corpus
from byrote.errors import InvalidInput

SECRET = "s3cr3t"  # what no message may contain
# the characters that str.splitlines would split at, besides some of each width in UTF-8
LETTERS = st.sampled_from("ab\n\n\r\x0b\x0c\x1c\x85\u2028\x00é€😀")
DOCUMENTS = st.lists(st.text(LETTERS, min_size=1, max_size=12), min_size=1, max_size=5)


def lines_of(document):
    """Lines with their ends, letter by letter."""
    lines = [""]
    for letter in document:
        lines[-1] += letter
        if letter == "\n":
            lines.append("")
    return lines if lines[-1] else lines[:-1]


def all_cuts(documents):
    """Offsets into the whole text where a line begins or ends."""
    cuts = [0]
    for document in documents:
        for line in lines_of(document):
            cuts.append(cuts[-1] + len(line))
    return cuts


@given(DOCUMENTS, st.data())
def test_lines_are_put_in_as_the_naive_way_does(documents, data):
    corpus = Corpus(documents)
    lines = [[d, line, []] for d, document in enumerate(documents) for line in lines_of(document)]
    assert corpus.places == len(lines)
    places = data.draw(st.lists(st.integers(0, len(lines) - 1), max_size=6))
    new = [f"<{i}>" for i in range(len(places))]
    for place, line in zip(places, new, strict=True):
        lines[place][2].append(line + "\n")
    wanted = [""] * len(documents)
    for d, line, before in lines:
        wanted[d] += "".join(before) + line
    assert corpus.with_lines(np.array(places, dtype=np.int64), new) == wanted
    assert corpus.documents == tuple(documents)  # the corpus stays as it was


def test_lines_may_hold_newlines_and_nothing():
    assert Corpus(["a\nb"]).with_lines([1, 0], ["x\ny", ""]) == ["\na\nx\ny\nb"]


def test_no_line_changes_nothing():
    corpus = Corpus(["a\n", "b"])
    assert corpus.with_lines(np.array([], dtype=np.int64), []) == ["a\n", "b"]
    assert corpus.with_lines([], []) == ["a\n", "b"]


@given(DOCUMENTS, st.floats(0.01, 0.99))
@settings(max_examples=300)
def test_split_cuts_at_the_nearest_line(documents, held_out):
    corpus = Corpus(documents)
    text, target = "".join(documents), corpus.characters - round(held_out * corpus.characters)
    offset = min(all_cuts(documents), key=lambda cut: (abs(cut - target), cut))
    if offset in (0, len(text)):
        with pytest.raises(InvalidInput, match="must leave text on both sides"):
            corpus.split(held_out)
        return
    first, last = corpus.split(held_out)
    assert ("".join(first.documents), "".join(last.documents)) == (text[:offset], text[offset:])
    inside = offset not in np.cumsum([len(document) for document in documents])
    assert len(first.documents) + len(last.documents) == len(documents) + inside
    rest = [*first.documents]
    if inside:
        rest[-1] += last.documents[0]
    assert [*rest, *last.documents[inside:]] == documents
    assert first.notes["piece"] == f"the first {offset} of {len(text)} characters"
    assert last.notes["piece"] == f"the last {len(text) - offset} of {len(text)} characters"


def test_nothing_held_out_is_the_corpus_itself():
    corpus = Corpus(["a"])
    for nothing in (0, 0.0):
        first, last = corpus.split(nothing)
        assert first is corpus
        assert last is None


@given(DOCUMENTS)
def test_sizes_are_those_of_the_whole_text(documents):
    corpus, text = Corpus(documents), "".join(documents)
    assert corpus.characters == len(text)
    assert corpus.size == len(text.encode())
    assert corpus.compressed == len(lzma.compress(text.encode(), preset=6))


def test_fingerprint_is_the_stated_one_and_tells_boundaries_apart():
    lengths = [(3).to_bytes(8, "little"), (5).to_bytes(8, "little")]
    wanted = hashlib.sha256(lengths[0] + b"one" + lengths[1] + "né\n\x00".encode()).hexdigest()
    assert Corpus(["one", "né\n\x00"]).fingerprint == wanted
    prints = {Corpus(texts).fingerprint for texts in (["ab"], ["a", "b"], ["b", "a"], ["ab\n"])}
    assert len(prints) == 4
    assert Corpus(["ab"], source="x", notes={"a": "b"}).fingerprint in prints


def test_empty_documents_are_dropped_and_counted():
    corpus = Corpus(["", "a", ""], notes={"more": "so"})
    assert corpus.documents == ("a",)
    assert corpus.notes == {"more": "so", "empty documents dropped": "2"}
    assert Corpus(["a"]).notes == {}


def test_repr_never_shows_text():
    corpus = byrote.Corpus([SECRET, SECRET * 300], source="here")
    assert repr(corpus) == "Corpus(2 documents, 1,806 characters, from here)"
    assert repr(Corpus([SECRET])) == "Corpus(1 document, 6 characters, from memory)"


CORPUS = Corpus([SECRET + "\n", "two\nthree"])
# case: what is called, fragment of the message
REFUSED = {
    "no document": (lambda: Corpus([]), "got no document"),
    "only empty documents": (lambda: Corpus(["", ""]), "all 2 are empty"),
    "one text": (lambda: Corpus(SECRET), "sequence of strings; got str"),
    "bytes": (lambda: Corpus(SECRET.encode()), "got bytes"),
    "a number": (lambda: Corpus(3), "got int"),
    "documents of bytes": (lambda: Corpus(["a", b"b"]), "got bytes at position 1"),
    "half a surrogate pair": (lambda: Corpus(["a", "bc\ud800"]), "number 1 holds half a"),
    "place too large": (lambda: CORPUS.with_lines([3], ["x"]), "from 0 to 2, the lines of"),
    "place below 0": (lambda: CORPUS.with_lines([0, -1], ["x", "y"]), "got -1"),
    "places of fractions": (lambda: CORPUS.with_lines([0.5], ["x"]), "integers; got dtype float64"),
    "fewer places": (lambda: CORPUS.with_lines([1], ["x", SECRET]), "each of 2 lines; got (1,)"),
    "one line as text": (
        lambda: CORPUS.with_lines([1], "x"),
        "lines must be a sequence of strings",
    ),
    "line of half a pair": (lambda: CORPUS.with_lines([1], ["\udc00"]), "lines must be Unicode"),
    "all held out": (lambda: CORPUS.split(1), "at least 0 and below 1; got 1"),
    "less than nothing held out": (lambda: CORPUS.split(-0.1), "below 1; got -0.1"),
    "share NaN": (lambda: CORPUS.split(float("nan")), "below 1; got nan"),
    "share of text": (lambda: CORPUS.split("0.1"), "below 1; got '0.1'"),
    "share of True": (lambda: CORPUS.split(True), "below 1; got True"),
    "nothing to train on": (lambda: CORPUS.split(0.99), "leaves none to train on"),
    "nothing held out": (lambda: CORPUS.split(0.01), "leaves none held out"),
    "one line": (lambda: Corpus([SECRET]).split(0.2), "nearest to 1 of 6 characters"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_sentence(case):
    call, fragment = REFUSED[case]
    with pytest.raises(InvalidInput) as caught:
        call()
    message = str(caught.value)
    assert fragment in message
    assert "\n" not in message
    assert SECRET not in message
