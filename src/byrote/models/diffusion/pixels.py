"""Images in [-1, 1], as diffusion models see them; rows of numbers stay as they are.

The density of an image is per step of 1/255, as everywhere in byrote.
"""

import math
from typing import Any

from numpy.typing import NDArray
from torch import Tensor

from byrote.models.spaces import STEPS, Space, check_unit_interval


class Signed(Space):
    """Pixels in [0, 1] as values in [-1, 1]."""

    has_units = False

    def check(self, x: NDArray[Any]) -> None:
        """Refuse values outside [0, 1]."""
        check_unit_interval(x, "an image")

    def enter(self, values: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return values in [-1, 1] and the log-determinant, relative to steps of 1/255."""
        del noise
        d = values.shape[-1]
        return 2 * values - 1, values.new_full((len(values),), d * math.log(2 / (STEPS - 1)))

    def leave(self, x: Tensor) -> Tensor:
        """Return pixels, multiples of 1/255."""
        steps = STEPS - 1
        return ((x + 1) / 2 * steps).round().clamp(0, steps) / steps


def space_of(shape: tuple[int, ...], device: str) -> Space:
    """Return the space of images, (h, w) or (h, w, c), or of rows, (d,)."""
    return (Signed if len(shape) > 1 else Space)(shape, device)
