"""Spaces of flows: records as continuous inputs, and the log-determinant of getting there.

A density over whole levels makes a spike at each, of any height, and M with it. So levels become
continuous by uniform noise of their own width (Uria et al. 2013), new at each step of training. In
scoring there is one draw for each record, from its content and a seed, the same in every fit. The
log-density is per level, and its mean over the noise a lower bound on the log-probability of the
levels (Theis et al. 2016).

Images of L levels are seen in logit space, by a map that no record decides; tables at mean 0 and
standard deviation 1 of the training records.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from byrote.data.columns import Columns
from byrote.data.standardization import Standardization
from byrote.errors import InvalidInput
from byrote.models.spaces import (
    STEPS,
    as_single,
    content_uniforms,
    dequantize,
    from_logit,
    logit_log_determinant,
    quantize,
    to_logit,
)

Array = NDArray[np.float64]
WHOLE, REAL = "whole", "real"  # kinds of columns of tables
_OFF_LEVEL = 1e-3  # of a step: more than rounding to float32 leaves
MOST_LEVELS = 1 << 16
_VALUES = 1 << 22  # converted together, to bound memory


class Space(Protocol):
    """How a flow sees records; what it learns, it learns from the training records."""

    def learn(self, x: NDArray[Any]) -> None:
        """Learn from training records what inputs depend on."""

    def check(self, x: NDArray[Any]) -> None:
        """Refuse records outside the space."""

    def values(self, x: NDArray[Any]) -> Tensor:
        """Return records as (n, d) float32, to which ``enter`` adds noise."""

    def enter(self, values: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return inputs, (n, d), from values and uniforms, and log-determinants, (n,) nats."""

    def records(self, y: Tensor) -> NDArray[Any]:
        """Return (n, d) values of records from inputs."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what determines the space, by name, for ``space_from``."""


def fixed(space: Space, x: NDArray[Any], seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield inputs and log-determinants in blocks, with noise from seed and record alone."""
    for rows in _blocks(x):
        noise = content_uniforms(as_single(x[rows]).reshape(len(x[rows]), -1), seed)
        yield space.enter(space.values(x[rows]), torch.from_numpy(noise))


class Levels:
    """L levels, from 0 to ``white``, in logit space.

    Examples
    --------
    >>> x, space = np.array([[3.0, 16.0]]), Levels(17)
    >>> space.learn(x)
    >>> y, log_determinant = space.enter(space.values(x), torch.tensor([[0.1, 0.9]]))
    >>> space.records(y).tolist()
    [[3.0, 16.0]]
    """

    def __init__(self, levels: int, white: float = 1.0) -> None:
        self.levels, self.white = levels, white

    def learn(self, x: NDArray[Any]) -> None:
        """Learn whether levels are whole numbers, or images and such with values in [0, 1]."""
        whole = x.dtype != np.uint8 and float(x.max()) > 1
        self.white = float(self.levels - 1) if whole else 1.0

    def check(self, x: NDArray[Any]) -> None:
        """Refuse values other than the levels."""
        wrong = sum(self._others(x[rows]) for rows in _blocks(x))
        if wrong:
            steps_of = f"multiples of 1/{self.levels - 1} in [0, 1]"
            whole = f"whole numbers from 0 to {self.levels - 1}"
            raise InvalidInput(
                f"X must hold {whole if self.white > 1 else steps_of} for levels={self.levels};"
                f" got {wrong} of {x.size} other values"
            )

    def values(self, x: NDArray[Any]) -> Tensor:
        """Return levels in [0, 1]."""
        return torch.from_numpy(as_single(x).reshape(len(x), -1) / np.float32(self.white))

    def enter(self, values: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits of dequantized levels, and their log-determinants."""
        y = to_logit(dequantize(values, noise, self.levels))
        return y, logit_log_determinant(y, self.levels)

    def records(self, y: Tensor) -> NDArray[Any]:
        """Return levels of inputs."""
        return (quantize(from_logit(y), self.levels) * self.white).numpy()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the number of levels, and the highest."""
        return {"levels": np.array([self.levels]), "white": np.array([self.white])}

    def _others(self, x: NDArray[Any]) -> int:
        """Count values other than the levels."""
        steps = as_single(x) * np.float32((self.levels - 1) / self.white)
        nearest = np.rint(steps).clip(0, self.levels - 1)
        return int(np.count_nonzero(np.abs(steps - nearest) > _OFF_LEVEL))


class Numbers:
    """Columns of numbers, standardized; those of whole numbers are spread over their units.

    Spread over a unit, numbers of mean m and variance v have m + 1/2 and v + 1/12.

    Examples
    --------
    >>> x, space = np.array([[1.0, 0.5], [3.0, 2.5], [2.0, 0.5]]), Numbers(["whole", "real"])
    >>> space.learn(x)
    >>> y, log_determinant = space.enter(space.values(x), torch.full((3, 2), 0.3))
    >>> space.records(y).round(4).tolist()
    [[1.0, 0.5], [3.0, 2.5], [2.0, 0.5]]
    """

    def __init__(self, kinds: Sequence[str], *, standardized: bool = True) -> None:
        self.whole = np.array([kind == WHOLE for kind in kinds])
        self.standardized = standardized
        columns = Columns.of_numbers(range(len(kinds)), np.zeros((1, len(kinds))))
        self.units = Standardization.none(columns)

    def learn(self, x: NDArray[Any]) -> None:
        """Learn means and standard deviations, unless the space is not to be standardized."""
        if not self.standardized:
            return
        flat = x.reshape(len(x), -1).astype(np.float64)
        units, varies = Standardization.of(self.units.columns, flat), np.ptp(flat, axis=0) > 0
        variance = units.deviation**2 * (varies | ~self.whole) + self.whole / 12
        self.units = replace(units, mean=units.mean + self.whole / 2, deviation=np.sqrt(variance))

    def check(self, x: NDArray[Any]) -> None:
        """Refuse values between whole numbers in columns of whole numbers."""
        whole = x.reshape(len(x), -1)[:, self.whole]
        off = int((whole != np.rint(whole)).sum())
        if off:
            raise InvalidInput(
                f"X must hold whole numbers where levels says 'whole'; got {off} other values"
            )

    def values(self, x: NDArray[Any]) -> Tensor:
        """Return standardized numbers."""
        y = self.units.apply(x.reshape(len(x), -1).astype(np.float64))
        return torch.from_numpy(y.astype(np.float32))

    def enter(self, values: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return numbers, spread if whole, and their log-determinants."""
        unit = torch.from_numpy((self.whole / self.units.deviation).astype(np.float32))
        change = -float(np.log(self.units.deviation).sum())
        return values + noise * unit.to(values.device), values.new_full((len(values),), change)

    def records(self, y: Tensor) -> NDArray[Any]:
        """Return numbers of inputs."""
        x = self.units.restore(y.double().numpy())
        return np.where(self.whole, np.floor(x), x)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return which columns hold whole numbers, means and standard deviations."""
        units = {"mean": self.units.mean, "deviation": self.units.deviation}
        return {"whole": self.whole, **units}


def space_from(arrays: Mapping[str, ArrayLike]) -> Space:
    """Make the space that ``arrays`` of another describe."""
    if "levels" in arrays:
        return Levels(int(_row(arrays, "levels")[0]), float(_row(arrays, "white")[0]))
    whole = _row(arrays, "whole")
    space = Numbers([WHOLE if each else REAL for each in whole])
    mean, deviation = (_row(arrays, name, len(whole)) for name in ("mean", "deviation"))
    space.units = Standardization(space.units.columns, mean, deviation)
    return space


def _row(arrays: Mapping[str, ArrayLike], name: str, length: int | None = None) -> Array:
    array = np.asarray(arrays.get(name, ()))
    if array.ndim != 1 or not len(array) or len(array) != (length or len(array)):
        raise InvalidInput(
            f"weights must come from get_weights; the space's {name!r} has shape {array.shape}"
        )
    return array.astype(np.float64)


def recognized(x: NDArray[Any], names: Sequence[Any] | None = None) -> int | list[str]:
    """Recognize levels: their number for pixels; for tables, which columns hold whole numbers.

    Pixels are uint8 images, of 256 levels, and values in [0, 1] all of which are multiples of one
    step; in tables, of at least 1/255. ``names`` are those of a table's columns, for messages.

    Raises
    ------
    InvalidInput
        If a column, or a pixel of images that are not on levels, is constant.

    Examples
    --------
    >>> recognized(np.array([[[0.0, 0.25]], [[1.0, 0.5]]]))
    5
    >>> recognized(np.array([[30.0, 1.5], [41.0, 2.0]]))
    ['whole', 'real']
    """
    if x.dtype == np.uint8 and x.ndim > 2:
        return STEPS
    levels = _grid(x)
    if levels is not None and (x.ndim > 2 or 2 < levels <= STEPS):
        return levels
    flat = x.reshape(len(x), -1)
    _check_constant(flat, names)
    return [WHOLE if (column == np.rint(column)).all() else REAL for column in flat.T]


def _blocks(x: NDArray[Any]) -> Iterator[slice]:
    """Yield slices of rows that bound memory."""
    size = max(1, _VALUES // x[0].size)
    return (slice(start, start + size) for start in range(0, len(x), size))


def _grid(x: NDArray[Any]) -> int | None:
    """Return the number of levels in [0, 1] that hold all values, or None."""
    values = x[:0].reshape(-1)
    for rows in _blocks(x):
        values = np.union1d(values, x[rows])
        if values[0] < 0 or values[-1] > 1 or len(values) > MOST_LEVELS:
            return None
    if len(values) < 2:
        return None
    inverse = 1 / np.diff(values.astype(np.float64)).min()
    most = round(inverse)
    if most >= MOST_LEVELS or np.abs(values * most - np.rint(values * most)).max() > _OFF_LEVEL:
        return None
    return most + 1


def _check_constant(flat: NDArray[Any], names: Sequence[Any] | None) -> None:
    constant = np.flatnonzero((flat == flat[0]).all(axis=0))
    if not len(constant):
        return
    shown = [repr(names[place]) if names else str(place) for place in constant[:5]]
    more = ", ..." if len(constant) > len(shown) else ""
    raise InvalidInput(
        "X must vary in every column for a flow, whose density would grow without bound;"
        f" {len(constant)} of {flat.shape[1]} {'is' if len(constant) == 1 else 'are'} constant:"
        f" {', '.join(shown)}{more}"
        " (drop them, or give the number of levels if values are whole numbers)"
    )
