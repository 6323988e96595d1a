"""Exposure of the canaries of a run, fit by fit."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote.fits import parquet
from byrote.scores.exposure.result import Exposure

if TYPE_CHECKING:
    import pandas as pd

_BESIDE = ("fit", "inserted", "role", "pattern")


@dataclass(frozen=True, eq=False, repr=False)
class ExposureRun:
    """Exposure of c canaries in F fits: m = F x c rows, those of the first fit first.

    Attributes
    ----------
    exposure
        Of every canary in every fit; ``exposure.ids`` are the canaries' names.
    fit
        (m,) number of the fit.
    inserted
        (m,) how often the canary is in the fit's text.
    role
        (m,) "canary" or "control", by whether it is inserted in that fit.
    pattern
        (m,) which pattern the canary is of.
    patterns
        The patterns' texts.
    test_loss
        (F,) nats per token of the text set apart, after the last epoch; NaN where unknown.
    facts
        Size of the text and of the model: characters, bytes and compressed bytes.
    missing
        Fits that failed or are missing.
    description
        What the run was: model, plan, data, seed.

    Examples
    --------
    See ``byrote.score_exposure``.
    """

    exposure: Exposure
    fit: NDArray[np.int64]
    inserted: NDArray[np.int64]
    role: NDArray[np.str_]
    pattern: NDArray[np.int64]
    patterns: tuple[str, ...]
    test_loss: NDArray[np.float64]
    facts: Mapping[str, Any]
    missing: tuple[int, ...]
    description: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.fit)

    def __repr__(self) -> str:
        return f"ExposureRun({len(self)} canaries, {len(self.test_loss)} fits, {self.exposure!r})"

    @property
    def levels(self) -> tuple[int, ...]:
        """The numbers of insertions that occur, 0 for controls."""
        return tuple(np.unique(self.inserted).tolist())

    def perplexity(self) -> NDArray[np.float64]:
        """(F,) test perplexity per token: e to the test loss."""
        return np.exp(self.test_loss)

    def to_frame(self) -> "pd.DataFrame":
        """One row per fit and canary."""
        frame = self.exposure.to_frame()
        for place, name in enumerate(_BESIDE):
            frame.insert(1 + place, name, getattr(self, name))
        return frame

    def save(self, path: str | Path) -> None:
        """Write the rows to one Parquet file.

        Raises
        ------
        InvalidInput
            If its folder does not exist.
        """
        parquet.check_destination(path)
        frame = self.to_frame()
        columns = {str(name): frame[name].to_numpy() for name in frame}
        parquet.write(Path(path), columns, {"format": "byrote-exposure-run-1"})
