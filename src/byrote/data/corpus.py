r"""Corpus: the text that a language model is trained on, as documents with a fingerprint.

Lines end with ``"\n"`` alone, and a final one does not start another line.
"""

import hashlib
import lzma
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data.text_rows import checked_texts
from byrote.display import Displayed
from byrote.errors import InvalidInput

_PRESET = 6  # lzma's default, at which compressed sizes are compared


@dataclass(frozen=True, eq=False, repr=False)
class Corpus(Displayed):
    r"""Text in memory, unchanged, one string per document.

    A place for inserting a line is the start of a line, counted from 0 through all documents.

    Parameters
    ----------
    documents
        Strings. Empty ones are dropped, and counted in ``notes``.
    source
        Source of the text as the user wrote it, for the run's description.
    options
        Options of ``load_corpus`` that the text was loaded with.
    notes
        What else determines the content: files skipped, documents dropped, a split or cut, the
        Python version of the help.

    Raises
    ------
    InvalidInput
        If the documents are not strings, are all empty, or contain an unpaired surrogate, which
        UTF-8 cannot encode.

    Examples
    --------
    >>> corpus = Corpus(["one\ntwo\n", "three"])
    >>> corpus
    Corpus(2 documents, 13 characters, from memory)
    >>> corpus.places, corpus.with_lines([2, 1], ["before three", "before two"])
    (3, ['one\nbefore two\ntwo\n', 'before three\nthree'])
    """

    documents: tuple[str, ...]
    source: str = "memory"
    options: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        texts = checked_texts("documents", self.documents)
        documents = tuple(filter(None, texts))
        if not documents:
            raise InvalidInput(
                "documents must hold at least one character;"
                + (f" all {len(texts)} are empty" if texts else " got no document")
            )
        if len(documents) < len(texts):
            dropped = {"empty documents dropped": str(len(texts) - len(documents))}
            object.__setattr__(self, "notes", {**self.notes, **dropped})
        object.__setattr__(self, "documents", documents)

    def __repr__(self) -> str:  # no contents in notebooks and tracebacks
        noun = "document" if len(self.documents) == 1 else "documents"
        return (
            f"Corpus({len(self.documents):,} {noun}, {self.characters:,} characters,"
            f" from {self.source})"
        )

    @cached_property
    def characters(self) -> int:
        """Number of Unicode code points in all documents."""
        return sum(map(len, self.documents))

    @cached_property
    def size(self) -> int:
        """Number of bytes of all documents in UTF-8."""
        return sum(map(len, map(str.encode, self.documents)))

    @cached_property
    def compressed(self) -> int:
        """Number of bytes of all documents joined, in UTF-8, compressed by lzma at preset 6."""
        compressor = lzma.LZMACompressor(preset=_PRESET)
        size = sum(len(compressor.compress(document.encode())) for document in self.documents)
        return size + len(compressor.flush())

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the documents in UTF-8, each after its length: equal for equal corpora."""
        digest = hashlib.sha256()
        for document in map(str.encode, self.documents):
            digest.update(len(document).to_bytes(8, "little"))
            digest.update(document)
        return digest.hexdigest()

    @property
    def places(self) -> int:
        """Number of places where a line can be inserted: the lines of all documents."""
        return int(self._first_places[-1])

    def with_lines(
        self, places: NDArray[np.int64] | Sequence[int], lines: Sequence[str]
    ) -> list[str]:
        r"""Return the documents with lines inserted; the corpus itself is unchanged.

        Parameters
        ----------
        places
            (n,) integers from 0 to ``places - 1``: the line of the corpus that each goes before.
        lines
            n strings. Each is followed by ``"\n"``; lines for the same place keep their order.

        Raises
        ------
        InvalidInput
            If the two differ in length, or a place is out of range.

        Examples
        --------
        >>> Corpus(["one\ntwo"]).with_lines([1, 1], ["a", "b"])
        ['one\na\nb\ntwo']
        """
        lines = checked_texts("lines", lines)
        checked = _checked_places(places, len(lines), self.places)
        owners = np.searchsorted(self._first_places, checked, side="right") - 1
        by_document: dict[int, list[tuple[int, str]]] = {}
        for owner, place, line in zip(owners.tolist(), checked.tolist(), lines, strict=True):
            number = place - int(self._first_places[owner])
            by_document.setdefault(owner, []).append((number, line))
        return [
            _insert_lines(document, by_document[owner]) if owner in by_document else document
            for owner, document in enumerate(self.documents)
        ]

    def split(self, held_out: float) -> tuple["Corpus", "Corpus | None"]:
        r"""Hold out the last share of the characters, cut at the nearest end of a line.

        A document may be cut in two. Of two line ends equally near, the earlier is used.

        Parameters
        ----------
        held_out
            Share of the characters, at least 0 and below 1; 0 leaves the corpus whole.

        Returns
        -------
        tuple of Corpus
            The first part, and the part held out: None for a share of 0.

        Raises
        ------
        InvalidInput
            If the share is not valid, or the nearest line end leaves one side without text.

        Examples
        --------
        >>> first, last = Corpus(["one\ntwo\n", "three\nfour"]).split(0.25)
        >>> first.documents, last.documents
        (('one\ntwo\n', 'three\n'), ('four',))
        """
        share = checks.share("held_out", held_out)
        if share == 0:
            return self, None
        wanted = round(share * self.characters)
        target = self.characters - wanted
        before, after = _cuts_around(self.documents, target)
        offset = before if target - before <= after - target else after
        if offset in (0, self.characters):
            raise InvalidInput(
                "held_out must leave text on both sides, cut at the end of a line; the one nearest"
                f" to {wanted} of {self.characters} characters leaves none"
                f" {'to train on' if offset == 0 else 'held out'}"
            )
        head, tail = _cut(self.documents, offset)
        total = self.characters
        return (
            self._part(head, f"the first {offset} of {total} characters"),
            self._part(tail, f"the last {total - offset} of {total} characters"),
        )

    def first(self, characters: int | str) -> "Corpus":
        r"""Return at most the first N characters, up to the last line end among them.

        Raises
        ------
        InvalidInput
            If there are fewer, or the first line alone has more.

        Examples
        --------
        >>> Corpus(["one\ntwo\n", "three"]).first(9).documents
        ('one\ntwo\n',)
        """
        limit = checks.count("characters", characters)
        if limit > self.characters:
            raise InvalidInput(
                f"characters must be at most {self.characters}, the length of the text; got {limit}"
            )
        before, after = _cuts_around(self.documents, limit)
        offset = after if after == limit else before
        if offset == 0:
            raise InvalidInput(f"characters must reach the end of the first line; got {limit}")
        if offset == self.characters:
            return self
        return self._part(_cut(self.documents, offset)[0], f"the first {offset} characters")

    @cached_property
    def _first_places(self) -> NDArray[np.int64]:
        counts = (text.count("\n") + (not text.endswith("\n")) for text in self.documents)
        return np.cumsum([0, *counts], dtype=np.int64)

    def _part(self, documents: tuple[str, ...], description: str) -> "Corpus":
        if "piece" in self.notes:
            description += f" of {self.notes['piece']}"
        return replace(self, documents=documents, notes={**self.notes, "piece": description})


def _insert_lines(document: str, numbered_lines: Iterable[tuple[int, str]]) -> str:
    """Insert each line before the line of the given number, from 0, in linear time."""
    lines = document.split("\n")
    inserted: dict[int, list[str]] = {}
    for number, line in numbered_lines:
        inserted.setdefault(number, []).append(line)
    for number, texts in inserted.items():
        lines[number] = "\n".join([*texts, lines[number]])
    return "\n".join(lines)


def _cut(documents: Sequence[str], offset: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    index, start = _document_at(documents, offset)
    head, tail = documents[index][: offset - start], documents[index][offset - start :]
    first = (*documents[:index], *([head] if head else []))
    return first, (*([tail] if tail else []), *documents[index + 1 :])


def _document_at(documents: Sequence[str], offset: int) -> tuple[int, int]:
    """Return index and start of the document at an offset; the text's end is in the last one."""
    starts = list(accumulate(map(len, documents[:-1]), initial=0))
    index = bisect_right(starts, offset) - 1
    return index, starts[index]


def _cuts_around(documents: Sequence[str], offset: int) -> tuple[int, int]:
    """Return the offsets of the nearest line start at or before, and line end at or after."""
    index, start = _document_at(documents, offset)
    document = documents[index]
    before = document.rfind("\n", 0, offset - start) + 1
    if start + before == offset:
        return offset, offset
    newline = document.find("\n", offset - start)
    return start + before, start + (len(document) if newline < 0 else newline + 1)


def _checked_places(values: Any, lines: int, places: int) -> NDArray[np.int64]:
    array = checks.array("places", values)
    if array.shape != (lines,):
        raise InvalidInput(
            f"places must have one entry for each of {lines} lines; got {array.shape}"
        )
    if lines and array.dtype.kind not in "iu":
        raise InvalidInput(f"places must be integers; got dtype {array.dtype}")
    outside = (array < 0) | (array >= places)
    if outside.any():
        raise InvalidInput(
            f"places must be from 0 to {places - 1}, the lines of the corpus;"
            f" got {array[outside][0]}"
        )
    return array.astype(np.int64)
