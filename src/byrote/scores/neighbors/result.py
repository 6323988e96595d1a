"""The result of nearest-neighbour tests: rho beside the scores of the same records."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.fits import parquet
from byrote.scores.neighbors.authentic import Authenticity
from byrote.scores.neighbors.copying import CopyingTest

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
_FORMAT = "byrote-neighbors-1"
_NONE = float("nan")
_COLUMNS = ("score", "ratio", "distance_validation", "distance_sample", "nearest_sample")


@dataclass(frozen=True)
class MeanRatio:
    """The mean of rho over records at a distance from both sets, tested against no memorization.

    Attributes
    ----------
    value
        The mean.
    interval
        95 % interval by jackknife over blocks of samples and of validation records, which all
        ratios share. Of other draws of both sets, for these training records.
    p_value
        One-sided and exact: the share of the ways in which paired blocks of the two sets can trade
        places that give a mean as large. At least 1/1024.
    exchanged
        The mean over all those ways: what 1 should be. The mean of a ratio of equals exceeds 1.
    left_out
        Records left out: at distance zero from a sample or a validation record.
    """

    value: float = _NONE
    interval: tuple[float, float] = (_NONE, _NONE)
    p_value: float = _NONE
    exchanged: float = _NONE
    left_out: int = 0


@dataclass(frozen=True, eq=False, repr=False)
class NeighborResult:
    """rho of n training records, eq. (6), beside their memorization scores.

    Attributes
    ----------
    ids, score
        (n,) record ids and memorization scores M (nats), as in the ``MemorizationResult``.
    ratio
        (n,) rho: above 1 the nearest sample is nearer than the nearest validation record. Infinite
        at distance zero from a sample, 1 at distance zero from both.
    distance_validation, distance_sample
        (n,) the two distances, in units of the data (of [0, 1] for images).
    nearest_sample
        (n,) which sample is the nearest, the first of equals.
    mean_ratio
        Mean of rho, with interval and p-value.
    correlation, correlation_interval
        Spearman's correlation of rho and score, with Fisher's 95 % interval after Bonett & Wright
        (2000). It treats records as independent, though all share one sample set: of other
        records, given these samples.
    copying
        The data-copying test, validation records against samples.
    authenticity
        Share of samples that are no noisy copies.
    description
        Sizes, dimensions, space and seed. ``compared`` is the common size of the two sets for rho.

    Examples
    --------
    ``byrote.compare_neighbors`` makes one.
    """

    ids: NDArray[Any]
    score: Array
    ratio: Array
    distance_validation: Array
    distance_sample: Array
    nearest_sample: NDArray[np.intp]
    mean_ratio: MeanRatio
    correlation: float
    correlation_interval: tuple[float, float]
    copying: CopyingTest
    authenticity: Authenticity
    description: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return (
            f"NeighborResult({len(self)} records, mean ratio {self.mean:.3g},"
            f" correlation {self.correlation:.2g})"
        )

    @property
    def mean(self) -> float:
        """Mean of rho."""
        return self.mean_ratio.value

    @property
    def copied(self) -> int:
        """Training records of which a sample is an exact copy."""
        return int(np.count_nonzero(self.distance_sample == 0))

    def summary(self) -> dict[str, Any]:
        """The comparison in a few numbers."""
        return {
            "records": len(self),
            "median": float(np.quantile(self.ratio, 0.5, method="lower")),
            "above_one": float((self.ratio > 1).mean()),
            "copied": self.copied,
            "mean": asdict(self.mean_ratio),
            "correlation": self.correlation,
            "correlation_interval": self.correlation_interval,
            "copying": self.copying.to_dict(),
            "authenticity": float(self.authenticity),
            "authenticity_interval": self.authenticity.interval,
        }

    def order(self) -> NDArray[np.intp]:
        """Rows by falling ratio; of equal ratios the nearer to its sample first, then by row."""
        return np.lexsort((np.arange(len(self)), self.distance_sample, -self.ratio))

    def nearly_reproduced(self, count: int = 10) -> "pd.DataFrame":
        """The training records that samples come nearest to, relative to validation records.

        Columns as in ``to_frame``, ``nearest_sample`` among them; the index is the record's row.
        Looking at both shows whether the model reproduces it (Supplement A of the paper).

        Raises
        ------
        InvalidInput
            If ``count`` is not an integer of at least 1.
        """
        count = checks.integer("count", count, at_least=1)
        return self.to_frame().iloc[self.order()[:count]]

    def to_frame(self) -> "pd.DataFrame":
        """One row per training record, in the order of the data."""
        import pandas as pd  # noqa: PLC0415 (slow to load)

        return pd.DataFrame(self._columns())

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
            "mean_ratio": asdict(self.mean_ratio),
            "correlation": self.correlation,
            "correlation_interval": self.correlation_interval,
            "copying": self.copying.to_dict(),
            "authenticity": [self.authenticity.authentic, self.authenticity.samples],
            "description": dict(self.description),
        }
        parquet.write(Path(path), self._columns(), facts)

    @classmethod
    def load(cls, path: str | Path) -> "NeighborResult":
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
        return parquet.read_result(path, _FORMAT, "nearest-neighbour distances", cls._of)

    @classmethod
    def _of(cls, columns: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> "NeighborResult":
        mean = facts["mean_ratio"]
        return cls(
            ids=columns["id"],
            **{name: columns[name] for name in _COLUMNS},
            mean_ratio=MeanRatio(**{**mean, "interval": tuple(mean["interval"])}),
            correlation=facts["correlation"],
            correlation_interval=tuple(facts["correlation_interval"]),
            copying=CopyingTest.from_dict(facts["copying"]),
            authenticity=Authenticity(*facts["authenticity"]),
            description=facts["description"],
        )

    def _columns(self) -> dict[str, NDArray[Any]]:
        return {"id": self.ids, **{name: getattr(self, name) for name in _COLUMNS}}
