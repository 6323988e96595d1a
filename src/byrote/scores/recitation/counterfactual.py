"""Recitation with a text in training and without it: memorized, or merely predictable.

The fits of a run that held a text out are the same model without it. What they recite as well can
be guessed; what only the others recite was memorized (Zhang et al. 2023, "Counterfactual
memorization in neural language models", of recitation instead of accuracy).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.columnar import PlainData, Tabular
from byrote.display import Displayed
from byrote.scores.recitation.recitation import RecitationSettings
from byrote.stats.clustered_proportion import clustered_proportion
from byrote.stats.estimate import Estimate, mean

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True)
class RecitationTable(PlainData):
    """Windows by whether they are recited with their text in training, and without it.

    Shares of the windows, which add up to 1, with intervals over texts.

    Attributes
    ----------
    criterion
        "greedy", or a sampler with a number of samples.
    memorized
        Recited with the text in training, and not without.
    predictable
        Recited with and without it.
    only_without
        Recited without the text in training, and not with it.
    neither
        Recited neither with nor without it.
    """

    criterion: str
    memorized: Estimate
    predictable: Estimate
    only_without: Estimate
    neither: Estimate


@dataclass(frozen=True, eq=False, repr=False)
class CounterfactualRecitation(Tabular, Displayed):
    """What the models of a run recite of its texts, in training and held out.

    Rows are the w windows of texts that some fits trained on and others held out.

    Attributes
    ----------
    ids
        (w,) id of the text.
    start
        (w,) place of the window's first token in its text.
    recited_in, recited_out
        By criterion, (w,) share of the fits with the text in training, and without, that recite it.
    bits_in, bits_out
        (w,) mean cost of the suffix under plain sampling in these fits; infinite where the tokens
        of a fit do not cover the text.
    fits
        Number of fits.
    left_out
        Number of texts without a window in fits of both kinds.
    settings
        Lengths, samplers and thresholds.
    """

    ids: NDArray[Any]
    start: Index
    recited_in: Mapping[str, Array]
    recited_out: Mapping[str, Array]
    bits_in: Array
    bits_out: Array
    fits: int
    left_out: int
    settings: RecitationSettings

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return (
            f"CounterfactualRecitation({len(self):,} windows, {int(self.memorized.sum()):,}"
            f" memorized, {int(self.predictable.sum()):,} predictable)"
        )

    @property
    def memorized(self) -> Array:
        """(w,) share of pairs of fits, with and without the text, of which only the first recites.

        By greedy decoding.
        """
        return self.recited_in["greedy"] * (1 - self.recited_out["greedy"])

    @property
    def predictable(self) -> Array:
        """(w,) share of pairs of fits, with and without the text, of which both recite it."""
        return self.recited_in["greedy"] * self.recited_out["greedy"]

    def tables(self) -> list[RecitationTable]:
        """Estimate the two-by-two table of each criterion, with intervals over texts."""
        return [self._table(criterion) for criterion in self.recited_in]

    def bits_per_token(self) -> Estimate:
        """Estimate by how many bits a token costs less with its text in training.

        With an interval over texts; the fits are fixed.
        """
        saved = (self.bits_out - self.bits_in) / self.settings.suffix
        return mean(saved, self.ids, level=self.settings.level, units="texts")

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the windows by column, for greedy decoding."""
        return {
            "id": self.ids,
            "start": self.start,
            "recited_in": self.recited_in["greedy"],
            "recited_out": self.recited_out["greedy"],
            "bits_in": self.bits_in,
            "bits_out": self.bits_out,
        }

    def texts(self) -> dict[str, NDArray[Any]]:
        """Return the texts by column: numbers of windows, memorized and predictable ones.

        Most memorized first. Numbers are means over pairs of fits.
        """
        ids, text = np.unique(self.ids, return_inverse=True)
        columns = {
            "id": ids,
            "windows": np.bincount(text),
            "memorized": np.bincount(text, self.memorized),
            "predictable": np.bincount(text, self.predictable),
            "bits_saved": np.bincount(text, self.bits_out - self.bits_in),
        }
        order = np.lexsort((ids, -columns["bits_saved"], -columns["memorized"]))
        return {name: column[order] for name, column in columns.items()}

    def _table(self, criterion: str) -> RecitationTable:
        inside, outside = self.recited_in[criterion], self.recited_out[criterion]
        cells = {
            "memorized": inside * (1 - outside),
            "predictable": inside * outside,
            "only_without": (1 - inside) * outside,
            "neither": (1 - inside) * (1 - outside),
        }
        level = self.settings.level
        return RecitationTable(
            criterion,
            **{
                name: clustered_proportion(share, self.ids, level=level, units="texts")
                for name, share in cells.items()
            },
        )
