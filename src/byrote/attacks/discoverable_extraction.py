"""Discoverable extraction: completion of a secret from a prefix.

Greedy decoding (Carlini et al. 2023, "Quantifying memorization across neural language models") and
the number of samples until a secret occurs (Hayes et al. 2024, "Measuring memorization through
probabilistic discoverable extraction").
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.attacks.completion_bits import begin, check_costs
from byrote.data.canaries import Canary
from byrote.errors import InvalidInput
from byrote.models.language.stepper_check import stepper_of
from byrote.models.language.steppers import Stepper
from byrote.models.language.token_format import TokenFormat

Array = NDArray[np.float64]
_MOST = 1 << 1023  # samples; the largest power of two that a float holds


@dataclass(frozen=True, repr=False)
class GreedyCompletion:
    """The model's completion of the first characters of a secret. ``repr`` shows no text.

    Attributes
    ----------
    prefix
        Number of characters of the completion that were given to the model.
    text
        The whole completion, including these characters.
    matches
        Whether it is the canary's completion.
    """

    prefix: int
    text: str
    matches: bool

    def __repr__(self) -> str:
        return f"GreedyCompletion({self.prefix} given, {'' if self.matches else 'not '}found)"


def greedy_completions(model: Any, canary: Canary) -> tuple[GreedyCompletion, ...]:
    """Complete the secret greedily from each number of its leading characters.

    Each step takes the most likely token that the format allows, the first of ties.

    Returns
    -------
    One completion for each number of characters from 0 to one less than the secret's.

    Raises
    ------
    InvalidInput
        If the canary has no secret, or the model's vocabulary lacks one of its characters.

    Examples
    --------
    >>> from byrote import Canary
    >>> from byrote.models import CharLSTM
    >>> canary = Canary("the pin is {digits:4}", secret="2812")
    >>> model = CharLSTM(16, 1, epochs=10, batch_size=4, window=10, learning_rate=0.03)
    >>> greedy_completions(model.fit([canary.filled] * 40), canary)[1]
    GreedyCompletion(1 given, found)
    """
    completion = canary.completion
    if completion is None:
        raise InvalidInput("canary must have a secret: give secret=, or use drawn(seed)")
    forms = [
        TokenFormat(model, canary.prefix, canary.format, completion[:prefix])
        for prefix in range(len(completion))
    ]
    stepper, results = stepper_of(model, *forms), []
    for prefix, form in enumerate(forms):
        path = _greedy_path(stepper, form)
        matches = path == form.edges(completion).tolist()
        results.append(GreedyCompletion(prefix, form.text(path, like=completion), matches))
    return tuple(results)


def _greedy_path(stepper: Stepper, form: TokenFormat) -> list[int]:
    """Return the edges of the most likely token at each step."""
    states, costs = begin(stepper, form)
    at, path = form.start, []
    while True:
        edges = np.arange(form.offsets[at], form.offsets[at + 1])
        price = check_costs(costs[0, form.tokens[edges]])
        path.append(int(edges[price.argmin()]))
        if form.leaf[path[-1]]:
            return path
        at = int(form.targets[path[-1]])
        states, costs = stepper.step(states, form.tokens[path[-1:]])


def discovery_probability(bits: float, n: int) -> float:
    """Compute the probability ``1 - (1 - 2^-bits)^n`` that a completion occurs in n samples.

    bits: log-perplexity of the completion after the attacker's prefix.

    Examples
    --------
    >>> discovery_probability(1.0, 2)
    0.75
    """
    n = checks.integer("n", n, at_least=1)
    return float(discovery_probabilities(np.array(_checked(bits)), n))


def discovery_probabilities(bits: Array, n: int) -> Array:
    """Compute the probability that each completion occurs in n samples, (...) -> (...).

    It never decreases in n; n is rounded to a float.
    """
    with np.errstate(over="ignore"):  # certain
        return -np.expm1(float(min(n, _MOST)) * _log_miss_probability(bits))


def samples_to_discover(bits: float, p: float) -> float:
    """Compute the least number of samples with a discovery probability of at least ``p``.

    The inverse of ``discovery_probability``, rounding included; infinite if it overflows.

    Examples
    --------
    >>> import math
    >>> [int(samples_to_discover(-math.log2(0.001), p)) for p in (0.1, 0.5, 0.9)]
    [106, 693, 2302]
    """
    p, cost = checks.fraction("p", p), np.array(_checked(bits))
    if discovery_probabilities(cost, _MOST) < p:
        return math.inf
    few, enough = 0, 1
    while discovery_probabilities(cost, enough) < p:
        few, enough = enough, 2 * enough
    while enough - few > 1:
        middle = (few + enough) // 2
        is_enough = discovery_probabilities(cost, middle) >= p
        few, enough = (few, middle) if is_enough else (middle, enough)
    return float(enough)


def _log_miss_probability(bits: Array) -> Array:
    """Compute the log of the probability that a sample is another completion."""
    with np.errstate(divide="ignore"):  # certain completions
        likely = np.log(-np.expm1(-math.log(2) * bits))
        return np.where(bits < 1, likely, np.log1p(-np.exp2(-np.maximum(bits, 1.0))))


def _checked(bits: float) -> float:
    number = checks.as_float(bits)
    if not number >= 0:  # NaN is not, either
        got = checks.brief(bits)
        raise InvalidInput(f"bits must be a log-perplexity of at least 0; got {got}")
    return number
