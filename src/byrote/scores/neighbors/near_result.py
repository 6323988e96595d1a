"""Which records have copies or near copies in the training set, beside their scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote.fits import parquet

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
_FORMAT = "byrote-near-duplicates-1"
_COLUMNS = ("score", "neighbor", "distance", "q_value", "kind")


class Kind(IntEnum):
    """How a record and its nearest other are alike."""

    NONE = 0
    COPY = 1
    NEAR = 2
    BRIGHTNESS = 3

    def __str__(self) -> str:
        return _KINDS[self]


_KINDS = {
    Kind.NONE: "",
    Kind.COPY: "copy",
    Kind.NEAR: "near copy",
    Kind.BRIGHTNESS: "near copy but for brightness and contrast",
}


@dataclass(frozen=True, eq=False, repr=False)
class NearDuplicates:
    """The nearest other training record of each of n records, and whether it is a near copy.

    Attributes
    ----------
    ids, score
        (n,) record ids and memorization scores M (nats), as in the ``MemorizationResult``.
    neighbor
        (n,) row of the nearest other training record, of equally near ones the first; -1 where
        there is none. Where the kind is BRIGHTNESS, the nearest by pixels less their mean and
        divided by their spread.
    distance
        (n,) the distance to it, in units of the data (of [0, 1] for images).
    q_value
        (n,) Benjamini-Hochberg q-values, over different records, of "no nearer than the density of
        the data explains"; 0 for copies, NaN where nearness was not judged.
    kind
        (n,) ``Kind``: the same number for number (copy); q <= 0.01 (near copy), for images also
        after brightness and contrast are taken out.
    unjudged
        Why nearness was not judged and only copies are told; empty where it was.
    description
        Sizes, dimensions and space.

    Examples
    --------
    ``byrote.near_duplicates`` makes one.
    """

    ids: NDArray[Any]
    score: Array
    neighbor: NDArray[np.intp]
    distance: Array
    q_value: Array
    kind: NDArray[np.int8]
    unjudged: str
    description: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"NearDuplicates({len(self)} records, {int(self.hidden.sum())} with a near copy)"

    @property
    def hidden(self) -> NDArray[np.bool_]:
        """(n,) whether a copy or near copy may hide from hold-out scores what was memorized."""
        hidden: NDArray[np.bool_] = self.kind != Kind.NONE
        return hidden

    def summary(self) -> dict[str, Any]:
        """How many there are of each kind, and the median M of these records and of the others."""
        scored = ~np.isnan(self.score)
        return {
            "records": len(self),
            "hidden": int(self.hidden.sum()),
            "hidden_scored": int((self.hidden & scored).sum()),
            "copies": int((self.kind == Kind.COPY).sum()),
            "near": int((self.kind == Kind.NEAR).sum()),
            "near_but_for_brightness": int((self.kind == Kind.BRIGHTNESS).sum()),
            "median_score_hidden": _median(self.score[self.hidden & scored]),
            "median_score_others": _median(self.score[~self.hidden & scored]),
            "unjudged": self.unjudged,
        }

    def order(self) -> NDArray[np.intp]:
        """Rows of the records with a near copy: copies first, then by q-value and distance."""
        rows = np.flatnonzero(self.hidden)
        return rows[np.lexsort((rows, self.distance[rows], self.q_value[rows], self.kind[rows]))]

    def to_frame(self) -> "pd.DataFrame":
        """One row per record, in the order of the data; ``nearest`` is the id of the neighbor."""
        import pandas as pd  # noqa: PLC0415 (slow to load)

        nearest = [self.ids[row] if row >= 0 else None for row in self.neighbor]
        columns = {**self._columns(), "kind": [str(Kind(code)) for code in self.kind]}
        frame = pd.DataFrame(columns)
        frame.insert(2, "nearest", nearest)
        return frame

    def save(self, path: str | Path) -> None:
        """Write the result to one Parquet file.

        Raises
        ------
        InvalidInput
            If its folder does not exist.
        """
        parquet.check_destination(path)
        facts = {
            "format": _FORMAT,
            "unjudged": self.unjudged,
            "description": dict(self.description),
        }
        parquet.write(Path(path), self._columns(), facts)

    @classmethod
    def load(cls, path: str | Path) -> "NearDuplicates":
        """Read what ``save`` wrote.

        Raises
        ------
        InvalidInput
            If there is no such file.
        CorruptFile
            If the file is damaged or something else.
        CannotRead
            If the disk does not give it, or there is no memory for it.
        """
        return parquet.read_result(path, _FORMAT, "near-duplicates", cls._of)

    @classmethod
    def _of(cls, columns: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> "NearDuplicates":
        return cls(
            ids=columns["id"],
            **{name: columns[name] for name in _COLUMNS},
            unjudged=facts["unjudged"],
            description=facts["description"],
        )

    def _columns(self) -> dict[str, NDArray[Any]]:
        return {"id": self.ids, **{name: getattr(self, name) for name in _COLUMNS}}


def _median(values: Array) -> float:
    return float(np.median(values)) if len(values) else float("nan")
