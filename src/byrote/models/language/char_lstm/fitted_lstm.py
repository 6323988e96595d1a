"""A fitted CharLSTM: log-probabilities, tokens, weights."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted

from byrote.errors import InvalidInput
from byrote.models import torch_utils
from byrote.models.language.char_lstm.network import (
    Network,
    continuation_log_probs,
    mean_cost,
    next_log_probs,
    score_texts,
)
from byrote.models.language.char_lstm.parameters import check_length
from byrote.models.language.char_lstm.stepper import LstmStepper
from byrote.models.language.char_lstm.windows import CODE_POINTS, Ids, Vocabulary, encode_texts
from byrote.models.language.steppers import as_texts
from byrote.models.language.text_scores import TextScores


class FittedLSTM(DensityMixin, BaseEstimator):  # type: ignore[misc]
    """The part of the estimator that needs a network, trained or loaded."""

    network_: Network
    vocabulary_: Vocabulary
    _scores: TextScores

    def score_samples(self, X: Sequence[str]) -> NDArray[np.float64]:
        """Compute the log-probability of each text, (n,) nats: the sum over its characters.

        A text begins in the state zero, after a newline; its end is not predicted.

        Raises
        ------
        InvalidInput
            If a text has a character outside the vocabulary.
        """
        check_is_fitted(self)
        dtype = np.min_scalar_type(len(self.vocabulary_))
        texts = [self.vocabulary_.known_ids(text).astype(dtype) for text in as_texts(X)]
        self._scores = score_texts(self.network_, texts, self.vocabulary_.newline)
        return self._scores.log_prob

    @property
    def diagnostics_(self) -> dict[str, NDArray[np.float64]]:
        """Characters of the texts scored last, and how many of them were the likeliest."""
        return self._scores.diagnostics()

    def score(self, X: Sequence[str], y: object = None) -> float:
        """Compute the mean of ``score_samples``, in nats per text."""
        del y
        return float(self.score_samples(X).mean())

    def loss(self, X: Sequence[str]) -> float:
        """Compute the mean cost per character of the texts, joined as in training, in nats.

        Characters outside the vocabulary count as the unknown one.
        """
        check_is_fitted(self)
        texts = as_texts(X)
        check_length(texts, 1)
        return mean_cost(self.network_, encode_texts(texts, self.vocabulary_))

    def next_log_probs(self, prefixes: Sequence[Sequence[int] | str]) -> NDArray[np.float64]:
        """Compute log-probabilities, (n, tokens) nats, of the token after each prefix."""
        check_is_fitted(self)
        ids = [self._ids(prefix) for prefix in prefixes]
        return next_log_probs(self.network_, ids, self.vocabulary_.newline)

    def continuation_log_probs(self, rows: NDArray[np.integer], first: int) -> NDArray[np.float64]:
        """Compute log p, (n, length - first, tokens) nats, of the tokens of rows from ``first`` on.

        rows: (n, length) tokens; each token after a newline and all before it.
        """
        check_is_fitted(self)
        ids = np.asarray(rows, dtype=np.int64)
        return continuation_log_probs(self.network_, ids, first, self.vocabulary_.newline)

    def encode(self, text: str) -> list[int]:
        """Return the token of each character.

        Raises
        ------
        InvalidInput
            If the vocabulary lacks a character, named by its code point.
        """
        check_is_fitted(self)
        return self.vocabulary_.known_ids(text).tolist()

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of tokens."""
        check_is_fitted(self)
        return self.vocabulary_.text(ids)

    def token_strings(self) -> list[str]:
        """Return the character of each token; "" for the unknown one, the last."""
        check_is_fitted(self)
        return self.vocabulary_.strings()

    def stepper(self) -> LstmStepper:
        """Return the model one character at a time, with cached states."""
        check_is_fitted(self)
        return LstmStepper(self.network_, self.vocabulary_.newline)

    @property
    def size(self) -> dict[str, int]:
        """Number of ``parameters``, their ``bytes`` in float32, and bytes when ``compressed``."""
        check_is_fitted(self)
        return torch_utils.size_of(self.network_)

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """Return everything learned, as arrays by name, for ``set_weights``."""
        check_is_fitted(self)
        points = self.vocabulary_.code_points.copy()
        return {CODE_POINTS: points, **torch_utils.to_arrays(self.network_)}

    def _ids(self, prefix: Sequence[int] | str) -> Ids:
        if isinstance(prefix, str):
            return self.vocabulary_.known_ids(prefix)
        ids = np.asarray(prefix, dtype=np.int64)
        if ((ids < 0) | (ids >= len(self.vocabulary_))).any():
            raise InvalidInput(f"prefixes must be tokens from 0 to {len(self.vocabulary_) - 1}")
        return ids
