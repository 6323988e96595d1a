"""Corpus: the text that a language model is trained on, as documents with a fingerprint."""

import hashlib
import lzma
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data.corpus.lines import count_lines, cut, last_cut, nearest_cut, put_before
from byrote.errors import InvalidInput

_PRESET = 6  # lzma's own default, which compressed sizes are compared at


@dataclass(frozen=True, eq=False, repr=False)
class Corpus:
    r"""Text in memory, kept as it is given: one string for each document.

    Lines end with ``"\n"`` alone. A place, where a line can be put, is the begin of any line of any
    document, counted from 0 through all of them; a final ``"\n"`` opens no further line.

    Parameters
    ----------
    documents
        Texts, of which the empty ones are dropped and counted in ``notes``.
    source
        Where the text came from, as the user wrote it, for the run's description.
    options
        How it was loaded: the options of ``load_corpus`` that were given.
    notes
        What else was done to it or decides what it holds: what was dropped or skipped, the version
        of Python whose help it is, the cut that it comes from.

    Raises
    ------
    InvalidInput
        If the documents are not strings, hold no character, or hold half a surrogate pair, which
        UTF-8 cannot.

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
        given = _texts("documents", self.documents)
        kept = tuple(filter(None, given))
        if not kept:
            raise InvalidInput(
                "documents must hold at least one character;"
                + (f" all {len(given)} are empty" if given else " there is no document")
            )
        _check_encodable(given)
        if len(kept) < len(given):
            dropped = {"empty documents dropped": str(len(given) - len(kept))}
            object.__setattr__(self, "notes", {**self.notes, **dropped})
        object.__setattr__(self, "documents", kept)

    def __repr__(self) -> str:  # what a text holds stays out of notebooks and tracebacks
        noun = "document" if len(self.documents) == 1 else "documents"
        return (
            f"Corpus({len(self.documents):,} {noun}, {self.characters:,} characters,"
            f" from {self.source})"
        )

    @cached_property
    def characters(self) -> int:
        """Unicode code points in all documents."""
        return sum(map(len, self.documents))

    @cached_property
    def size(self) -> int:
        """Bytes of all documents in UTF-8."""
        return sum(map(len, map(str.encode, self.documents)))

    @cached_property
    def compressed(self) -> int:
        """Bytes of all documents, one after the other in UTF-8, compressed by lzma at preset 6."""
        compressor = lzma.LZMACompressor(preset=_PRESET)
        size = sum(len(compressor.compress(document.encode())) for document in self.documents)
        return size + len(compressor.flush())

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the documents in UTF-8, each after its length: what makes corpora the same."""
        digest = hashlib.sha256()
        for document in map(str.encode, self.documents):
            digest.update(len(document).to_bytes(8, "little"))
            digest.update(document)
        return digest.hexdigest()

    @property
    def places(self) -> int:
        """Where a line can be put: the lines of all documents, counted through."""
        return int(self._first_places[-1])

    def with_lines(
        self, places: NDArray[np.int64] | Sequence[int], lines: Sequence[str]
    ) -> list[str]:
        r"""Give the documents with lines put in; the corpus itself stays as it is.

        Parameters
        ----------
        places
            (n,) integers from 0 to ``places - 1``: before which line of the corpus each goes.
        lines
            n texts. Each is followed by ``"\n"``; those for one place keep their order.

        Raises
        ------
        InvalidInput
            If the two differ in length, or a place is not there.

        Examples
        --------
        >>> Corpus(["one\ntwo"]).with_lines([1, 1], ["a", "b"])
        ['one\na\nb\ntwo']
        """
        lines = _texts("lines", lines)
        _check_encodable(lines, name="lines")
        found = _places(places, len(lines), self.places)
        owners = np.searchsorted(self._first_places, found, side="right") - 1
        shares: dict[int, list[tuple[int, str]]] = {}
        for owner, place, line in zip(owners.tolist(), found.tolist(), lines, strict=True):
            shares.setdefault(owner, []).append((place - int(self._first_places[owner]), line))
        documents = list(self.documents)
        for owner, share in shares.items():
            documents[owner] = put_before(documents[owner], share)
        return documents

    def split(self, held_out: float) -> tuple["Corpus", "Corpus | None"]:
        r"""Set the last share of the characters apart, cut at the nearest end of a line.

        A document may be cut in two. Of two ends of lines equally near, the earlier is taken.

        Parameters
        ----------
        held_out
            Share of the characters, at least 0 and below 1; 0 leaves the corpus whole.

        Returns
        -------
        tuple of Corpus
            What comes first, and what is held out: None if nothing is asked for.

        Raises
        ------
        InvalidInput
            If the share is none, or the nearest end of a line leaves no text on one side.

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
        offset = nearest_cut(self.documents, self.characters - wanted)
        if offset in (0, self.characters):
            raise InvalidInput(
                "held_out must leave text on both sides, cut at the end of a line; the one nearest"
                f" to {wanted} of {self.characters} characters leaves none"
                f" {'to train on' if offset == 0 else 'held out'}"
            )
        first, last = cut(self.documents, offset)
        return (
            self._piece(first, f"the first {offset} of {self.characters} characters"),
            self._piece(
                last, f"the last {self.characters - offset} of {self.characters} characters"
            ),
        )

    def first(self, characters: int | str) -> "Corpus":
        r"""Take the first so many characters at most, to the last end of a line among them.

        Raises
        ------
        InvalidInput
            If there are fewer, or the first line alone has more.

        Examples
        --------
        >>> Corpus(["one\ntwo\n", "three"]).first(9).documents
        ('one\ntwo\n',)
        """
        asked = checks.count("characters", characters)
        if asked > self.characters:
            raise InvalidInput(
                f"characters must be at most {self.characters}, which are all there are;"
                f" got {asked}"
            )
        offset = last_cut(self.documents, asked)
        if offset in (0, self.characters):
            if offset:
                return self
            raise InvalidInput(f"characters must reach the end of the first line; got {asked}")
        return self._piece(cut(self.documents, offset)[0], f"the first {offset} characters")

    @cached_property
    def _first_places(self) -> NDArray[np.int64]:
        """Place of the first line of each document, and at the end the number of all."""
        counts = [0, *map(count_lines, self.documents)]
        return np.cumsum(counts, dtype=np.int64)

    def _piece(self, documents: tuple[str, ...], which: str) -> "Corpus":
        before = f" of {self.notes['piece']}" if "piece" in self.notes else ""
        return replace(self, documents=documents, notes={**self.notes, "piece": which + before})


def _texts(name: str, values: Any) -> tuple[str, ...]:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InvalidInput(f"{name} must be a sequence of texts; got one {type(values).__name__}")
    texts = tuple(checks.as_list(name, values))
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise InvalidInput(f"{name} must be texts; number {number} is {type(text).__name__}")
    return texts


def _check_encodable(texts: Sequence[str], name: str = "documents") -> None:
    for number, text in enumerate(texts):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InvalidInput(
                f"{name} must be Unicode text; number {number} holds half a surrogate pair at"
                f" character {error.start}"
            ) from None


def _places(values: Any, wanted: int, there: int) -> NDArray[np.int64]:
    places = checks.array("places", values)
    if places.shape != (wanted,):
        raise InvalidInput(
            f"places must have one entry for each of {wanted} lines; got {places.shape}"
        )
    if wanted and places.dtype.kind not in "iu":
        raise InvalidInput(f"places must be integers; got dtype {places.dtype}")
    outside = (places < 0) | (places >= there)
    if outside.any():
        raise InvalidInput(
            f"places must be from 0 to {there - 1}, the lines of the corpus;"
            f" got {places[outside][0]}"
        )
    return places.astype(np.int64)
