"""How well a secret column is guessed from the samples of a generator."""

from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from byrote.data.columns import Columns
from byrote.models.guess_from_density import columns_with_secret
from byrote.models.samples.from_samples import Sampled
from byrote.models.samples.space import Gower, Space
from byrote.models.statistic import GUESS
from byrote.stats.gower import paired_distances

Array = NDArray[np.float64]


class GuessFromSamples(Sampled):
    """The quality of a guess of a secret column, from the others and a generator's samples.

    The guess is the secret of the sample that is nearest in the other columns, by Gower's distance.
    ``score_samples`` returns its quality, averaged over samples at the same distance: 1 for a right
    category and 0 for a wrong one; for numbers 1 - |guess - truth| / range.

    Parameters
    ----------
    generator, samples, space
        As for ``FromSamples``, on data frames.
    secret
        Name of the column that is guessed.

    Examples
    --------
    See ``byrote.privacy.attribute_disclosure``.
    """

    statistic = GUESS

    def __init__(
        self, generator: Any, secret: Any, samples: int = 5, space: Space | None = None
    ) -> None:
        super().__init__(generator, samples, space)
        self.secret = secret

    def prepared(self, X: Any) -> tuple[Self, Any]:
        """Return a copy with the space of all records, and the records as an array.

        Raises
        ------
        InvalidInput
            If a parameter is invalid, or X is not a data frame with the secret and other columns.
        """
        columns_with_secret(X, self.secret)
        return super().prepared(X)

    def score_samples(self, X: Any) -> Array:
        """Compute the quality of the guess of each record's secret, (n,), at most 1."""
        records, samples = self._as_given(X), self._drawn_once()
        others, secret = self._part(of_secret=False), self._part(of_secret=True)
        _, record, sample = others.nearest_ties(
            others.rows("X", records), others.rows("samples", samples)
        )
        truth, guess = secret.rows("X", records), secret.rows("samples", samples)
        quality = 1 - paired_distances(truth.take(record), guess.take(sample))
        count = np.bincount(record, minlength=len(records))
        return np.asarray(np.bincount(record, quality, len(records)) / count)

    def _part(self, *, of_secret: bool) -> Gower:
        """Return the space of the secret column, or of all others."""
        space: Any = self.space_
        kept = tuple(c for c in space.columns.columns if (c.name == self.secret) is of_secret)
        return replace(space, columns=Columns(kept))
