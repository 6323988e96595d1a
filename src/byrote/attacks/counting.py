"""A stepper that counts the beginnings it reads."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.models.language.steppers import Stepper


class CountingStepper:
    """Another stepper, with ``queries``: how many beginnings the model has read."""

    def __init__(self, stepper: Stepper) -> None:
        self._stepper = stepper
        self.queries = 0

    def start(self, ids: Sequence[int]) -> tuple[Any, NDArray[np.float64]]:
        """The state after a prefix, one beginning."""
        self.queries += 1
        return self._stepper.start(ids)

    def step(self, states: Any, tokens: NDArray[np.intp]) -> tuple[Any, NDArray[np.float64]]:
        """The states one token later, as many beginnings as there are rows."""
        self.queries += len(tokens)
        return self._stepper.step(states, tokens)
