"""How much of a secret must be known before the model completes it by itself."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from byrote.attacks.walking import begin, check_costs
from byrote.data.canaries import Canary
from byrote.errors import InvalidInput
from byrote.models.language.stepper_check import stepper_of
from byrote.models.language.steppers import Stepper
from byrote.models.language.token_format import TokenFormat


@dataclass(frozen=True, repr=False)
class GreedyCompletion:
    """What the model makes of the first characters of a completion. ``repr`` shows no text.

    Attributes
    ----------
    given
        How many characters of the completion were handed over.
    text
        The whole completion that came out, what was given included.
    found
        Whether it is the canary's own.
    """

    given: int
    text: str
    found: bool

    def __repr__(self) -> str:
        return f"GreedyCompletion({self.given} given, {'found' if self.found else 'not found'})"


def greedy_completions(model: Any, canary: Canary) -> tuple[GreedyCompletion, ...]:
    """Greedy completion for each number of leading characters of the secret that is handed over.

    At each step the likeliest token that the format allows, the first of equals. The post gives
    "2812" and gets "65017".

    Returns
    -------
    One for each number of characters from 0 to one less than the completion has.

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
    own = canary.completion
    if own is None:
        raise InvalidInput("canary must have a secret: give secret=, or use drawn(seed)")
    done = []
    for given in range(len(own)):
        form = TokenFormat(model, canary.prefix, canary.format, own[:given])
        path = _greedy(stepper_of(model, form), form)
        found = path == form.edges(own).tolist()
        done.append(GreedyCompletion(given, form.text(path, like=own), found))
    return tuple(done)


def _greedy(stepper: Stepper, form: TokenFormat) -> list[int]:
    """The edges of the likeliest token at each step."""
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
