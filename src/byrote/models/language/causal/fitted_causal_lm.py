"""A fitted causal network: nats of texts and tokens, and steps from many prefixes together.

The shared beginning is read once. A state is the few tokens after it, not their keys and values: a
step reads those tokens again, over the prefix's cache. Keys and values of one node of a search are
many kilobytes, a best-first search keeps a million nodes, and what a node reads again is no longer
than a secret.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from byrote.errors import InvalidInput
from byrote.models import torch_utils
from byrote.models.language.causal import inference
from byrote.models.language.causal.codec import Codec
from byrote.models.language.causal.inference import LOGITS, device_of, evaluating, log_probs_at
from byrote.models.language.causal.scoring import score_texts
from byrote.models.language.steppers import as_texts
from byrote.models.language.text_scores import TextScores

_LN2 = float(np.log(2.0))
_TOKENS = 2**13  # read together, including the prefix's cache


@dataclass(frozen=True, eq=False)
class Prefix:
    """Tokens that the network has read, with its cache of them (None if it has none)."""

    ids: tuple[int, ...]
    cache: Any


@dataclass(frozen=True, eq=False)
class Continuations:
    """Prefixes with a few tokens after each, one row per state.

    Row i continues ``prefixes[which[i]]`` by the first ``lengths[i]`` of ``tokens[i]``; tokens are
    (n, longest).
    """

    prefixes: tuple[Prefix, ...]
    which: NDArray[np.intp]
    tokens: NDArray[np.int32]
    lengths: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.which)

    def take(self, rows: NDArray[np.intp]) -> "Continuations":
        """Return the states of these rows."""
        return Continuations(self.prefixes, self.which[rows], self.tokens[rows], self.lengths[rows])

    def joined(self, others: Sequence["Continuations"]) -> "Continuations":
        """Return these states followed by those of the others."""
        batches = (self, *others)
        prefixes = tuple({id(p): p for states in batches for p in states.prefixes}.values())
        number = {id(prefix): index for index, prefix in enumerate(prefixes)}
        which = [
            np.array([number[id(p)] for p in states.prefixes], dtype=np.intp)[states.which]
            for states in batches
        ]
        longest = max(states.tokens.shape[1] for states in batches)
        tokens = [
            np.pad(states.tokens, ((0, 0), (0, longest - states.tokens.shape[1])))
            for states in batches
        ]
        lengths = [states.lengths for states in batches]
        return Continuations(
            prefixes, np.concatenate(which), np.concatenate(tokens), np.concatenate(lengths)
        )

    def longer(self, tokens: NDArray[np.intp]) -> "Continuations":
        """Return each state with one more token."""
        longest = int(self.lengths.max()) + 1
        wider = np.zeros((len(self), longest), dtype=np.int32)
        kept = min(longest, self.tokens.shape[1])
        wider[:, :kept] = self.tokens[:, :kept]
        wider[np.arange(len(self)), self.lengths] = tokens
        return Continuations(self.prefixes, self.which, wider, self.lengths + 1)


class CausalStepper:
    """Costs in bits, ``costs[i, t] = -log2 p(t | prefix and tokens of state i)``.

    ``start`` precedes every text; ``context`` is the number of tokens that the network can read,
    including the start.
    """

    def __init__(self, model: Any, start: tuple[int, ...], context: int) -> None:
        self._model, self._start, self._context = model, start, context

    def start(self, ids: Sequence[int]) -> tuple[Continuations, NDArray[np.float64]]:
        """Return the state after the whole prefix, as a batch of one, and (1, V) costs."""
        all_ids = (*self._start, *(int(token) for token in ids))
        check_readable(len(all_ids), self._context)
        device = device_of(self._model)
        read = torch.tensor([all_ids], device=device)
        last = torch.tensor([len(all_ids) - 1], device=device)
        with evaluating(self._model):
            nats, output = log_probs_at(self._model, read, last, use_cache=True)
        cache = getattr(output, "past_key_values", None)
        prefix = Prefix(all_ids, cache if hasattr(cache, "reorder_cache") else None)
        zero = np.zeros(1, dtype=np.intp)
        return Continuations((prefix,), zero, np.zeros((1, 0), dtype=np.int32), zero), _bits(nats)

    def step(
        self, states: Continuations, tokens: NDArray[np.intp]
    ) -> tuple[Continuations, NDArray[np.float64]]:
        """Return the states one token later, and (n, V) costs."""
        after = states.longer(tokens)
        costs: NDArray[np.float64] | None = None
        with evaluating(self._model):
            for number, prefix in enumerate(after.prefixes):
                own_rows = np.flatnonzero(after.which == number)
                for rows in self._parts(after, own_rows, len(prefix.ids)):
                    part = self._costs(prefix, after.tokens[rows], after.lengths[rows])
                    if len(rows) == len(after):
                        costs = part
                        break
                    if costs is None:
                        costs = np.empty((len(after), part.shape[1]))
                    costs[rows] = part
        assert costs is not None  # noqa: S101 (a batch has at least one row)
        return after, costs

    def _parts(
        self, states: Continuations, own_rows: NDArray[np.intp], before: int
    ) -> list[NDArray[np.intp]]:
        """Split rows of one prefix by length, to fit in memory."""
        if not len(own_rows):
            return []
        longest = int(states.lengths[own_rows].max())
        check_readable(before + longest, self._context)
        vocabulary = self._model.config.get_text_config().vocab_size
        size = max(min(_TOKENS // (before + longest), LOGITS // vocabulary), 64)
        if size >= len(own_rows):
            return [own_rows]
        order = own_rows[np.argsort(states.lengths[own_rows], kind="stable")]
        return [order[at : at + size] for at in range(0, len(order), size)]

    def _costs(
        self, prefix: Prefix, tokens: NDArray[np.int32], lengths: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        device = device_of(self._model)
        new = torch.from_numpy(tokens[:, : lengths.max()].astype(np.int64)).to(device)
        last = torch.from_numpy(lengths - 1).to(device)
        if prefix.cache is None:  # a network without a cache reads the prefix too
            shared = torch.tensor(prefix.ids, device=device).expand(len(new), -1)
            last = last + len(prefix.ids)
            nats, _ = log_probs_at(
                self._model, torch.cat([shared, new], dim=1), last, use_cache=False
            )
            return _bits(nats)
        cache = copy.deepcopy(prefix.cache)
        cache.reorder_cache(torch.zeros(len(new), dtype=torch.long, device=device))
        nats, _ = log_probs_at(self._model, new, last, past_key_values=cache, use_cache=True)
        return _bits(nats)


def check_readable(length: int, context: int) -> None:
    """Refuse an empty prefix, or one longer than the context."""
    if not length:
        raise InvalidInput(
            "prefix must not be empty: the tokenizer has no token that begins a text, so nothing is"
            " known of the first one"
        )
    if length > context:
        raise InvalidInput(
            f"prefix and what follows must have at most the {context} tokens that the model reads;"
            f" got {length}"
        )


def _bits(nats: torch.Tensor) -> NDArray[np.float64]:
    costs = nats.neg_().div_(_LN2).clamp_(min=0.0)  # rounding above probability 1 is cut off
    return costs.cpu().numpy()


class FittedCausalLM:
    """The part of the estimator that needs a network, a tokenizer and a context length."""

    network_: Any
    codec_: Codec
    context_: int
    rounding_: float
    overlap: int | None
    _scores: TextScores

    def score_samples(self, X: Sequence[str]) -> NDArray[np.float64]:
        """Compute log p of each text, (n,) nats: the sum over its tokens.

        Without a start token, the first token has no probability and is omitted. Texts longer than
        the network's context are scored in overlapping pieces, each token once, after at least
        ``overlap`` tokens. What the vocabulary lacks counts as the unknown token.
        """
        self._scores = self._scored(X)
        return self._scores.log_prob

    @property
    def diagnostics_(self) -> dict[str, NDArray[np.float64]]:
        """Tokens of the texts scored last, and how many of them were the likeliest."""
        return self._scores.diagnostics()

    def _scored(self, X: Sequence[str]) -> TextScores:
        check_is_fitted(self)
        ids, start, context = (
            self.codec_.encode_arrays(as_texts(X)),
            self.codec_.start,
            self.context_,
        )
        overlap = context + 1 - max(context // 2, 1) if self.overlap is None else self.overlap
        return score_texts(self.network_, ids, start, context, context + 1 - overlap)

    def loss(self, X: Sequence[str]) -> float:
        """Compute the mean loss on texts, in nats per token.

        Characters that the vocabulary lacks become the unknown token.
        """
        scores = self._scored(X)
        if not scores.tokens.sum():
            raise InvalidInput("X must hold texts with tokens to score; got none")
        return scores.loss

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, without the one that begins every text.

        Raises
        ------
        InvalidInput
            If the vocabulary lacks a character, named by its code point.
        """
        check_is_fitted(self)
        return self.codec_.encode(text)

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of tokens."""
        check_is_fitted(self)
        return self.codec_.decode(ids)

    def token_strings(self) -> list[str]:
        """Return what each token adds to a text: "" for special ones and parts of characters."""
        check_is_fitted(self)
        return list(self.codec_.strings)

    def next_log_probs(self, prefixes: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """Compute log p of the next token, (n, V) nats, after each prefix of tokens.

        Raises
        ------
        InvalidInput
            If a prefix is too long, or empty if no token begins a text.
        """
        check_is_fitted(self)
        rows = [[*self.codec_.start, *(int(token) for token in prefix)] for prefix in prefixes]
        for row in rows:
            check_readable(len(row), self.context_)
        return inference.next_log_probs(self.network_, rows)

    def continuation_log_probs(self, rows: NDArray[np.integer], first: int) -> NDArray[np.float64]:
        """Compute log p, (n, length - first, V) nats, of the tokens of rows from ``first`` on.

        rows: (n, length) tokens. ``[:, t]`` are those of the token at position ``first + t``, after
        all before it.

        Raises
        ------
        InvalidInput
            If the rows are longer than the model reads.
        """
        check_is_fitted(self)
        rows = np.asarray(rows)
        start = np.tile(np.array(self.codec_.start, dtype=rows.dtype), (len(rows), 1))
        check_readable(start.shape[1] + rows.shape[1] - 1, self.context_)
        whole = np.concatenate([start, rows], axis=1)
        return inference.continuation_log_probs(self.network_, whole, rows.shape[1] - first)

    def stepper(self) -> CausalStepper:
        """Return the model token by token, with a shared prefix read once."""
        check_is_fitted(self)
        return CausalStepper(self.network_, self.codec_.start, self.context_)

    @property
    def size(self) -> dict[str, int]:
        """Number of ``parameters``, their ``bytes`` in float32, and bytes when ``compressed``."""
        check_is_fitted(self)
        return torch_utils.size_of(self.network_)

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """Return everything learned, as arrays by name, tied weights once, for ``set_weights``."""
        check_is_fitted(self)
        return torch_utils.to_arrays(self.network_)
