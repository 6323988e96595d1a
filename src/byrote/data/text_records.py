r"""Texts as records: each document, line or window of characters is one, with an id.

Workers share one array of bytes, from which a fit decodes the texts that it trains on or scores.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data.corpus import Corpus
from byrote.data.records import Records, one_for_each
from byrote.data.text_rows import checked_texts
from byrote.display import Displayed
from byrote.errors import InvalidInput

_OFFSET = np.dtype("<i8")


class PackedTexts:
    """Texts in one (bytes,) array of uint8: their number, where each ends, and all in UTF-8.

    Examples
    --------
    >>> packed = PackedTexts.pack(["naïve", "", "text"])
    >>> len(packed), packed.take(np.array([2, 0]))
    (3, ['text', 'naïve'])
    """

    def __init__(self, array: NDArray[np.uint8]) -> None:
        self.array = array
        count = int(array[: _OFFSET.itemsize].view(_OFFSET)[0])
        start = (count + 1) * _OFFSET.itemsize
        ends = array[_OFFSET.itemsize : start].view(_OFFSET)
        self._offsets = start + np.concatenate([[0], ends])

    @classmethod
    def pack(cls, texts: Sequence[str]) -> "PackedTexts":
        """Pack texts into a new array."""
        encoded = [text.encode() for text in texts]
        ends = np.cumsum([len(text) for text in encoded], dtype=_OFFSET)
        head = np.concatenate([[len(encoded)], ends]).astype(_OFFSET).tobytes()
        return cls(np.frombuffer(b"".join([head, *encoded]), dtype=np.uint8))

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def take(self, rows: NDArray[np.integer] | None) -> list[str]:
        """Return the texts in these rows, or all."""
        every = np.arange(len(self)) if rows is None else rows
        limits = zip(self._offsets[every], self._offsets[every + 1], strict=True)
        return [self.array[begin:end].tobytes().decode() for begin, end in limits]


@dataclass(frozen=True, eq=False, repr=False)
class TextRecords(Displayed):
    r"""Texts in memory, unchanged, each a record.

    Parameters
    ----------
    texts
        Strings of at least one character.
    ids
        (n,) distinct integers or strings; default: row numbers.
    labels
        (n,) integers or strings, or None.
    source
        Source of the texts as the user wrote it, for the run's description.
    options
        Options of ``load_texts`` that they were loaded with.

    Raises
    ------
    InvalidInput
        If a text is empty, not a string or has an unpaired surrogate, or an id repeats. No message
        quotes a text.

    Examples
    --------
    >>> records = TextRecords(["one", "two"], ids=["a", "b"])
    >>> records, len(records), records.take(np.array([1])).texts
    (TextRecords(2 texts, 6 characters, from memory), 2, ('two',))
    """

    texts: tuple[str, ...]
    ids: np.ndarray = None  # type: ignore[assignment]  # filled in below
    labels: np.ndarray | None = None
    source: str = "memory"
    options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        texts = checked_texts("texts", self.texts)
        if not texts:
            raise InvalidInput("texts must hold at least one text; got none")
        if empty := [row for row, text in enumerate(texts) if not text]:
            raise InvalidInput(
                f"texts must have at least one character each; {len(empty)} of {len(texts)} are"
                f" empty, the first at position {empty[0]}: leave them out"
            )
        n = len(texts)
        ids = np.arange(n) if self.ids is None else one_for_each("ids", self.ids, n)
        checks.unique("ids", ids)
        labels = None if self.labels is None else one_for_each("labels", self.labels, n)
        for name, value in (("texts", texts), ("ids", ids), ("labels", labels)):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.texts)

    def __repr__(self) -> str:  # no contents in notebooks and tracebacks
        labelled = "" if self.labels is None else ", labelled"
        return (
            f"TextRecords({len(self):,} texts, {self.characters:,} characters{labelled}, from"
            f" {self.source})"
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one record: texts have shape ()."""
        return ()

    @cached_property
    def characters(self) -> int:
        """Number of Unicode code points of all texts."""
        return sum(map(len, self.texts))

    @cached_property
    def x(self) -> NDArray[np.uint8]:
        """All texts as one array of bytes, which workers can share."""
        return PackedTexts.pack(self.texts).array

    def take(self, rows: NDArray[np.intp]) -> "TextRecords":
        """Return the texts in ``rows``, with their ids and labels."""
        texts = tuple(self.texts[row] for row in rows)
        labels = None if self.labels is None else self.labels[rows]
        return replace(self, texts=texts, ids=self.ids[rows], labels=labels)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of texts, ids and labels: equal for equal data sets."""
        digest = hashlib.sha256(self.x.data)
        for array in (self.ids, self.labels):
            if array is None:
                digest.update(b"none")
                continue
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).view(np.uint8).data)
        return digest.hexdigest()


def as_arrays(records: Records | TextRecords) -> Records:
    """Return records that are rows of an array; refuse texts."""
    if isinstance(records, TextRecords):
        raise InvalidInput("the records must be rows of numbers or images; they are texts")
    return records


def are_texts(data: Any) -> bool:
    """Whether data are texts: ``TextRecords``, a corpus, a mapping or a list of strings.

    Examples
    --------
    >>> are_texts(["a text"]), are_texts({"id": "a text"}), are_texts([[0.5]])
    (True, True, False)
    """
    if isinstance(data, TextRecords | Corpus | Mapping):
        return True
    if isinstance(data, list | tuple):
        return bool(data) and isinstance(data[0], str)
    strings = isinstance(data, np.ndarray) and data.ndim == 1 and data.dtype.kind in "OTU"
    return strings and len(data) > 0 and isinstance(data[0], str)


def as_text_records(data: Any, *, ids: Any = None, labels: Any = None) -> TextRecords:
    """Convert texts to TextRecords; the keys of a mapping are ids, and given ids override them."""
    if isinstance(data, Corpus):
        data = TextRecords(data.documents, source=data.source)
    elif isinstance(data, Mapping):
        keys: Any = list(data)
        data = TextRecords(tuple(data.values()), ids=keys)
    elif not isinstance(data, TextRecords):
        data = TextRecords(tuple(data))
    if ids is None and labels is None:
        return data
    return replace(
        data, ids=data.ids if ids is None else ids, labels=data.labels if labels is None else labels
    )
