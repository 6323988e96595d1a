"""A fitted CharLSTM: log-probabilities, tokens, steps, weights."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted

from byrote.errors import InvalidInput
from byrote.models import network_weights
from byrote.models.language.char_lstm import scoring
from byrote.models.language.char_lstm.network import Network
from byrote.models.language.char_lstm.parameters import as_texts, check_length
from byrote.models.language.char_lstm.stepper import LstmStepper
from byrote.models.language.char_lstm.vocabulary import Ids, Vocabulary
from byrote.models.language.char_lstm.windows import encode_texts

CODE_POINTS = "code_points"  # the entry of the weights with the character of each token


class FittedLSTM(DensityMixin, BaseEstimator):  # type: ignore[misc]
    """The part of the estimator that needs a network, trained or loaded."""

    network_: Network
    vocabulary_: Vocabulary

    def score_samples(self, X: Sequence[str]) -> NDArray[np.float64]:
        """Log-probability of each text, (n,) nats: the sum over its characters.

        A text begins in the state zero, after a newline; its end is not predicted.

        Raises
        ------
        InvalidInput
            If a text has a character outside the vocabulary.
        """
        check_is_fitted(self)
        texts = [self.vocabulary_.known_ids(text) for text in as_texts(X)]
        return scoring.log_probs(self.network_, texts, self.vocabulary_.newline)

    def score(self, X: Sequence[str], y: object = None) -> float:
        """Mean of ``score_samples``, nats per text."""
        del y
        return float(self.score_samples(X).mean())

    def loss(self, X: Sequence[str]) -> float:
        """Mean cost of a character of the texts, joined as in training, nats.

        Characters outside the vocabulary count as the unknown one.
        """
        check_is_fitted(self)
        texts = as_texts(X)
        check_length(texts, 1)
        return scoring.mean_cost(self.network_, encode_texts(texts, self.vocabulary_))

    def next_log_probs(self, prefixes: Sequence[Sequence[int] | str]) -> NDArray[np.float64]:
        """Log-probabilities, (n, tokens) nats, of the token after each prefix of tokens or text."""
        check_is_fitted(self)
        ids = [self._ids(prefix) for prefix in prefixes]
        return scoring.next_log_probs(self.network_, ids, self.vocabulary_.newline)

    def encode(self, text: str) -> list[int]:
        """The token of each character.

        Raises
        ------
        InvalidInput
            If the vocabulary lacks a character, named by its code point.
        """
        check_is_fitted(self)
        return self.vocabulary_.known_ids(text).tolist()

    def decode(self, ids: Sequence[int]) -> str:
        """The text of tokens."""
        check_is_fitted(self)
        return self.vocabulary_.text(ids)

    def token_strings(self) -> list[str]:
        """The character of each token; "" for the unknown one, the last."""
        check_is_fitted(self)
        return self.vocabulary_.strings()

    def stepper(self) -> LstmStepper:
        """The model one character at a time, with its states cached."""
        check_is_fitted(self)
        return LstmStepper(self.network_, self.vocabulary_.newline)

    @property
    def size(self) -> dict[str, int]:
        """Number of ``parameters``, their ``bytes`` in float32, and bytes when ``compressed``."""
        check_is_fitted(self)
        return network_weights.size_of(self.network_)

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """Everything learned, as arrays by name, for ``set_weights``."""
        check_is_fitted(self)
        points = self.vocabulary_.code_points.copy()
        return {CODE_POINTS: points, **network_weights.to_arrays(self.network_)}

    def _ids(self, prefix: Sequence[int] | str) -> Ids:
        if isinstance(prefix, str):
            return self.vocabulary_.known_ids(prefix)
        ids = np.asarray(prefix, dtype=np.int64)
        if ((ids < 0) | (ids >= len(self.vocabulary_))).any():
            raise InvalidInput(f"prefixes must be tokens from 0 to {len(self.vocabulary_) - 1}")
        return ids


def vocabulary_of(weights: Mapping[str, ArrayLike]) -> Vocabulary:
    """The vocabulary that the weights are for."""
    if CODE_POINTS not in weights:
        raise InvalidInput(f"weights must come from get_weights; there is no entry {CODE_POINTS!r}")
    points = np.asarray(weights[CODE_POINTS])
    if points.ndim != 1 or points.dtype.kind not in "iu" or not len(points):
        raise InvalidInput(f"weights[{CODE_POINTS!r}] must be a row of code points")
    wide = points.astype(np.int64)
    increasing = (np.diff(wide) > 0).all() and wide[0] >= 0 and wide[-1] <= sys.maxunicode
    if not increasing or ord("\n") not in wide:
        raise InvalidInput(
            f"weights[{CODE_POINTS!r}] must be increasing code points, newline among them"
        )
    return Vocabulary(points)


def load_weights(network: Network, weights: Mapping[str, ArrayLike]) -> None:
    """Load the weights into the network; errors as ``network_weights.load``."""
    arrays = {name: value for name, value in weights.items() if name != CODE_POINTS}
    network_weights.load(network, arrays, of="CharLSTM's parameters")
