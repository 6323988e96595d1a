"""A fitted causal network under the language-model contract: texts and tokens in, nats out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from byrote.errors import InvalidInput
from byrote.models.language.causal import scoring, settings
from byrote.models.language.causal.codec import Codec
from byrote.models.language.causal.stepper import CausalStepper, check_readable


class FittedNetwork:
    """What a model can be asked once it has a network, a tokenizer and a context length."""

    network_: Any
    codec_: Codec
    context_: int
    rounding_: float

    def score_samples(self, X: Sequence[str]) -> NDArray[np.float64]:
        """Log p, (n,) nats of each text, summed over its tokens (but for a first without a start).

        Texts longer than what the network reads are scored in overlapping pieces, each token behind
        at least half of that.

        Raises
        ------
        InvalidInput
            If the vocabulary lacks a character.
        """
        check_is_fitted(self)
        ids = [self.codec_.encode(text) for text in settings.check_texts(X)]
        return scoring.log_probs(self.network_, ids, self.codec_.start, self.context_)

    def loss(self, X: Sequence[str]) -> float:
        """Mean loss of texts, nats per token; what the vocabulary lacks counts as the unknown."""
        check_is_fitted(self)
        ids = self.codec_.all_ids(settings.check_texts(X))
        known = 0 if self.codec_.start else 1  # a first token without a start is not scored
        tokens = sum(max(len(text) - known, 0) for text in ids)
        if not tokens:
            raise InvalidInput("X must hold texts with tokens to score; got none")
        total = scoring.log_probs(self.network_, ids, self.codec_.start, self.context_).sum()
        return -float(total) / tokens

    def encode(self, text: str) -> list[int]:
        """Tokens of a text, without the one that begins every text.

        Raises
        ------
        InvalidInput
            Naming by its code point a character that the vocabulary lacks.
        """
        check_is_fitted(self)
        return self.codec_.encode(text)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of tokens."""
        check_is_fitted(self)
        return self.codec_.decode(ids)

    def token_strings(self) -> list[str]:
        """What each of the V tokens adds to a text: "" for special ones and parts of characters."""
        check_is_fitted(self)
        return list(self.codec_.strings)

    def next_log_probs(self, prefixes: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """Log p of the next token, (n, V) nats, after each prefix of tokens.

        Raises
        ------
        InvalidInput
            If a prefix is too long, or empty where no token begins a text.
        """
        check_is_fitted(self)
        rows = [[*self.codec_.start, *(int(token) for token in prefix)] for prefix in prefixes]
        for row in rows:
            check_readable(len(row), self.context_)
        return scoring.next_log_probs(self.network_, rows)

    def stepper(self) -> CausalStepper:
        """The model token by token, a shared prefix read once."""
        check_is_fitted(self)
        return CausalStepper(self.network_, self.codec_.start, self.context_)
