"""Recitation with a text in training and without it: memorized, or merely predictable.

The fits of a run that held a text out are the same model without it. What they recite as well can
be guessed; what only the others recite was memorized (Zhang et al. 2023, "Counterfactual
memorization in neural language models", of recitation instead of accuracy).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from byrote.columnar import Columnar, Columns, PlainData
from byrote.scores.recitation.recitation import RecitationSettings
from byrote.stats.clustered_proportion import clustered_proportion
from byrote.stats.estimate import Estimate, mean

Array = NDArray[np.float64]
Index = NDArray[np.intp]
_SHARES = ("recited_in", "recited_out")  # one column for each criterion


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
class CounterfactualRecitation(Columnar):
    """What the models of a run recite of its texts, in training and held out; no text is kept.

    Rows are the w windows of texts that some fits trained on and others held out.

    Attributes
    ----------
    ids
        (w,) id of the text.
    start
        (w,) place of the window's first token in its text.
    recited_in, recited_out
        (w, criteria) share of the fits with the text in training, and without, that recite it.
    bits_in, bits_out
        (w,) mean cost of the suffix under plain sampling in these fits; infinite where the tokens
        of a fit do not cover the text.
    criteria
        Names of the criteria, "greedy" first, then each sampler with a number of samples.
    fits
        Number of fits.
    left_out
        Number of texts without a window in fits of both kinds.
    settings
        Lengths, samplers and thresholds.
    description
        Of a run's texts, its ``run_id``.
    """

    FORMAT = "byrote-counterfactual-recitation-1"
    CONTENT = "recitation of the texts of a run"

    start: Index
    recited_in: Array
    recited_out: Array
    bits_in: Array
    bits_out: Array
    criteria: tuple[str, ...]
    fits: int
    left_out: int
    settings: RecitationSettings
    description: Mapping[str, Any] = field(default_factory=dict)

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
        return self.recited_in[:, 0] * (1 - self.recited_out[:, 0])

    @property
    def predictable(self) -> Array:
        """(w,) share of pairs of fits, with and without the text, of which both recite it."""
        return self.recited_in[:, 0] * self.recited_out[:, 0]

    def tables(self) -> list[RecitationTable]:
        """Estimate the two-by-two table of each criterion, with intervals over texts."""
        return [self._table(place) for place in range(len(self.criteria))]

    def added(self) -> Estimate:
        """Estimate by how much training on a text raises the share of its windows recited.

        By greedy decoding: memorized less only without, with Student's interval over texts.
        """
        more = self.recited_in[:, 0] - self.recited_out[:, 0]
        return mean(more, self.ids, level=self.settings.level, units="texts")

    def bits_per_token(self) -> Estimate:
        """Estimate by how many bits a token costs less with its text in training.

        With an interval over texts; the fits are fixed.
        """
        saved = (self.bits_out - self.bits_in) / self.settings.suffix
        return mean(saved, self.ids, level=self.settings.level, units="texts")

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the windows by column; shares by criterion, as "recited_in: greedy"."""
        columns = super().columns()
        shares = {name: columns.pop(name) for name in _SHARES}
        return {
            **columns,
            **{
                f"{name}: {criterion}": share[:, place]
                for name, share in shares.items()
                for place, criterion in enumerate(self.criteria)
            },
        }

    def facts(self) -> dict[str, Any]:
        """Return what is not a column, as plain data."""
        return {**super().facts(), "settings": self.settings.to_dict()}

    @classmethod
    def from_columns(cls, columns: Columns, facts: Mapping[str, Any]) -> Self:
        """Make a result from what ``columns`` and ``facts`` return."""
        criteria = tuple(facts["criteria"])
        shares = {
            name: np.stack([columns[f"{name}: {criterion}"] for criterion in criteria], axis=1)
            for name in _SHARES
        }
        settings = RecitationSettings(**facts["settings"])
        more = {"criteria": criteria, "settings": settings}
        return super().from_columns({**columns, **shares}, {**facts, **more})

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

    def _table(self, place: int) -> RecitationTable:
        inside, outside = self.recited_in[:, place], self.recited_out[:, place]
        cells = {
            "memorized": inside * (1 - outside),
            "predictable": inside * outside,
            "only_without": (1 - inside) * outside,
            "neither": (1 - inside) * (1 - outside),
        }
        level = self.settings.level
        return RecitationTable(
            self.criteria[place],
            **{
                name: clustered_proportion(share, self.ids, level=level, units="texts")
                for name, share in cells.items()
            },
        )
