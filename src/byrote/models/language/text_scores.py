"""What a pass over texts gives: log p, and how many tokens the model would have guessed."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class TextScores(NamedTuple):
    """Sums over the tokens of each of n texts.

    log_prob: (n,) nats. tokens: (n,) how many were scored. correct: (n,) how many of these had a
    higher probability than every other token; of equally likely ones the first counts.
    """

    log_prob: Array
    tokens: NDArray[np.int64]
    correct: NDArray[np.int64]

    @property
    def loss(self) -> float:
        """The mean over all tokens, nats."""
        return -float(self.log_prob.sum()) / int(self.tokens.sum())

    def diagnostics(self) -> dict[str, Array]:
        """Return the counts for ``diagnostics_``: tokens scored, and correct ones."""
        return {"tokens": self.tokens.astype(float), "correct": self.correct.astype(float)}
