"""Check that a network predicts each token only from those before it.

A network that sees later tokens does not give probabilities of texts: the product of its
conditional ones sums to more than 1. Architectures of masked language models do so under the
library's class of causal models, unless their configuration has ``is_decoder``.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from byrote.errors import ByroteError, InvalidInput
from byrote.models.language.causal.inference import (
    device_of,
    evaluating,
    log_softmax,
    next_log_probs,
)

Nats = NDArray[np.float64]

_CUTS = np.array([1, 2, 5, 9, 14, 18, 22])  # tokens before the first that is changed
_LENGTH = 24  # tokens of the test text
_TOLERANCE = 1e-4  # of the effect on what follows; causal networks in single precision: below 1e-6
_COARSE = 2**-8  # rounding where products are not in full single precision
_RAREST = -100.0  # nats; anything less likely counts as excluded


def check_causal(model: Any, tokens: Sequence[int], context: int) -> float:
    """Refuse a network that sees later tokens, or the number of them; return its rounding error.

    Texts of ``tokens`` that differ from a position on must have the same probabilities before it,
    whether the rest is changed or left out. Two positions must differ: rounding, and an expert that
    a single position routes differently, are tolerated. The rounding error is relative to 1.
    """
    if len(tokens) < 2 or context < 2:
        return _COARSE
    texts, cuts = _texts(tokens, min(_LENGTH, context))
    name = type(model).__name__
    try:
        nats, eps = _read(model, texts)
        short = _after(model, texts[0], cuts)
    except ByroteError:
        raise
    except Exception as error:  # a network may want more than tokens
        text = " ".join(str(error).split())[:200]
        raise InvalidInput(
            f"network must be one that reads texts from tokens alone; {name} raises"
            f" {type(error).__name__}: {text}"
        ) from None
    change = np.abs(nats[1:] - nats[0]).max(axis=2)
    leakage = [
        row[:cut].max() / max(row[cut:].max(), 1e-9) for row, cut in zip(change, cuts, strict=True)
    ]
    if _second_largest(leakage) > max(_TOLERANCE, 2 * eps):
        raise InvalidInput(
            f"network must predict each token only from those before it; in {name} later tokens"
            " change the probabilities of earlier ones (is it a masked language model, whose"
            " configuration lacks is_decoder=True?)"
        )
    gap = np.abs(short - nats[0, cuts - 1]).max(axis=(0, 2)) / (1 + np.ptp(nats[0]))
    if _second_largest(gap) > max(_TOLERANCE, 8 * eps):
        raise InvalidInput(
            f"network must give a text the same probabilities whatever follows it; those of {name}"
            " change with the length of what follows"
        )
    return eps


def _rounding(model: Any, logits: torch.Tensor) -> float:
    dtypes = {weight.dtype for weight in model.parameters() if weight.is_floating_point()}
    for dtype in (torch.float16, torch.bfloat16):  # by autocast, whatever the weights are
        if torch.equal(logits, logits.to(dtype).to(logits.dtype)):
            dtypes.add(dtype)
    eps = max((torch.finfo(dtype).eps for dtype in dtypes), default=_COARSE)
    exact = torch.get_float32_matmul_precision() == "highest" and logits.device.type == "cpu"
    return eps if exact and not getattr(model, "is_quantized", False) else max(eps, _COARSE)


def _texts(tokens: Sequence[int], length: int) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Return a text, and copies with other tokens from each of the cuts on."""
    cuts = _CUTS[length > _CUTS]
    draw = np.random.default_rng(0)
    texts = np.tile(draw.integers(0, len(tokens), length), (len(cuts) + 1, 1))
    for text, cut in zip(texts[1:], cuts, strict=True):
        text[cut:] += draw.integers(1, len(tokens), length - cut)
    return np.asarray(tokens, dtype=np.int64)[texts % len(tokens)], cuts


def _read(model: Any, texts: NDArray[np.int64]) -> tuple[Nats, float]:
    """(n, length, V) nats after every token of whole texts, and their rounding."""
    with evaluating(model):
        ids = torch.from_numpy(texts).to(device_of(model))
        logits = model(input_ids=ids, use_cache=False).logits
        nats: Nats = log_softmax(logits).cpu().numpy()
    return np.maximum(nats, _RAREST), _rounding(model, logits)


def _after(model: Any, text: NDArray[np.int64], cuts: NDArray[np.intp]) -> Nats:
    """(2, cuts, V) nats after the beginnings of a text, read together with padding, and alone."""
    rows = [text[:cut].tolist() for cut in cuts]
    together = next_log_probs(model, rows)
    alone = [next_log_probs(model, [row])[0] for row in rows]
    return np.maximum(np.stack([together, np.stack(alone)]), _RAREST)


def _second_largest(values: Sequence[float] | Nats) -> float:
    return float(np.sort(values)[-2]) if len(values) > 1 else float(np.max(values))
