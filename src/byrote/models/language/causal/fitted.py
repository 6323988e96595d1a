"""A fitted causal network under the language-model contract: texts and tokens in, nats out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from byrote.errors import InvalidInput
from byrote.models import network_weights
from byrote.models.language.causal import inference
from byrote.models.language.causal.codec import Codec
from byrote.models.language.causal.parameters import check_texts
from byrote.models.language.causal.stepper import CausalStepper, check_readable


class FittedCausalLM:
    """The part of the estimator that needs a network, a tokenizer and a context length."""

    network_: Any
    codec_: Codec
    context_: int
    rounding_: float

    def score_samples(self, X: Sequence[str]) -> NDArray[np.float64]:
        """Log p of each text, (n,) nats, summed over its tokens (except a first without a start).

        Texts longer than the network's context are scored in overlapping pieces, each token behind
        at least half of the context.

        Raises
        ------
        InvalidInput
            If the vocabulary lacks a character.
        """
        check_is_fitted(self)
        ids = [self.codec_.encode(text) for text in check_texts(X)]
        return inference.log_probs(self.network_, ids, self.codec_.start, self.context_)

    def loss(self, X: Sequence[str]) -> float:
        """Mean loss of texts, nats per token; what the vocabulary lacks counts as unknown."""
        check_is_fitted(self)
        ids = self.codec_.encode_all(check_texts(X))
        unscored = 0 if self.codec_.start else 1  # a first token without a start
        tokens = sum(max(len(text) - unscored, 0) for text in ids)
        if not tokens:
            raise InvalidInput("X must hold texts with tokens to score; got none")
        total = inference.log_probs(self.network_, ids, self.codec_.start, self.context_).sum()
        return -float(total) / tokens

    def encode(self, text: str) -> list[int]:
        """Tokens of a text, without the one that begins every text.

        Raises
        ------
        InvalidInput
            If the vocabulary lacks a character, named by its code point.
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
        return inference.next_log_probs(self.network_, rows)

    def stepper(self) -> CausalStepper:
        """The model token by token, a shared prefix read once."""
        check_is_fitted(self)
        return CausalStepper(self.network_, self.codec_.start, self.context_)

    @property
    def size(self) -> dict[str, int]:
        """Number of ``parameters``, their ``bytes`` in float32, and bytes when ``compressed``."""
        check_is_fitted(self)
        return network_weights.size_of(self.network_)

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """Everything learned, as arrays by name, tied weights once, for ``set_weights``."""
        check_is_fitted(self)
        return network_weights.to_arrays(self.network_)
