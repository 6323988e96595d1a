"""What is asked of a trained CharLSTM: log-probabilities, tokens, steps, weights."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted

from byrote.errors import InvalidInput
from byrote.models.language.char_lstm import scoring, settings, weights
from byrote.models.language.char_lstm.network import Network
from byrote.models.language.char_lstm.size import size_of
from byrote.models.language.char_lstm.stepper import LstmStepper
from byrote.models.language.char_lstm.vocabulary import Ids, Vocabulary
from byrote.models.language.char_lstm.windows import joined


class Fitted(DensityMixin, BaseEstimator):  # type: ignore[misc]
    """The part of the estimator that needs a network, however that came about."""

    network_: Network
    vocabulary_: Vocabulary

    def score_samples(self, X: Sequence[str]) -> NDArray[np.float64]:
        """Log-probability of each text, (n,) nats: the sum over its characters.

        A text begins in the state zero, after a newline; its end is not predicted.

        Raises
        ------
        InvalidInput
            If a text has a character that the vocabulary lacks.
        """
        check_is_fitted(self)
        texts = [self.vocabulary_.known_ids(text) for text in settings.as_texts(X)]
        return scoring.log_probs(self.network_, texts, self.vocabulary_.newline)

    def score(self, X: Sequence[str], y: object = None) -> float:
        """Mean of ``score_samples``, nats per text."""
        del y
        return float(self.score_samples(X).mean())

    def loss(self, X: Sequence[str]) -> float:
        """Mean cost of a character of the texts, joined as in training, nats.

        Characters that the vocabulary lacks count as the unknown one.
        """
        check_is_fitted(self)
        texts = settings.as_texts(X)
        settings.check_texts(texts, 1)
        return scoring.mean_cost(self.network_, joined(texts, self.vocabulary_))

    def next_log_probs(self, prefixes: Sequence[Sequence[int] | str]) -> NDArray[np.float64]:
        """Log-probabilities, (n, tokens) nats, of what follows each prefix: tokens, or text."""
        check_is_fitted(self)
        ids = [self._ids(prefix) for prefix in prefixes]
        return scoring.next_log_probs(self.network_, ids, self.vocabulary_.newline)

    def encode(self, text: str) -> list[int]:
        """The token of each character.

        Raises
        ------
        InvalidInput
            If the vocabulary lacks a character; it is named by its code point.
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
        """The model one character at a time, its states kept."""
        check_is_fitted(self)
        return LstmStepper(self.network_, self.vocabulary_.newline)

    @property
    def size(self) -> dict[str, int]:
        """Number of ``parameters``, their ``bytes`` in float32, and bytes when ``compressed``."""
        check_is_fitted(self)
        return size_of(self.network_)

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """Everything that training made, as arrays by name; with ``set_weights`` it goes back."""
        check_is_fitted(self)
        return weights.to_arrays(self.network_, self.vocabulary_)

    def _ids(self, prefix: Sequence[int] | str) -> Ids:
        if isinstance(prefix, str):
            return self.vocabulary_.known_ids(prefix)
        ids = np.asarray(prefix, dtype=np.int64)
        if ((ids < 0) | (ids >= len(self.vocabulary_))).any():
            raise InvalidInput(f"prefixes must be tokens from 0 to {len(self.vocabulary_) - 1}")
        return ids
