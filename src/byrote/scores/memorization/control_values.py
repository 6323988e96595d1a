"""Values of the moderated test where its null hypothesis holds, by the records they come from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.scores.memorization.comparisons import Comparisons, Part
from byrote.stats.moderated_test import VariancePrior, moderated_t
from byrote.stats.negative_control import Control, descending
from byrote.threads import in_order

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]

_LEAST_KEPT = 0.2  # share of the values that must stay where those of records are left out


@dataclass(frozen=True, eq=False)
class _TValues:
    """t-values of m records, k each and all with the same degrees of freedom; NaN: no spread.

    records: (m,) where they come from; all of one shape. t: (m, k).
    """

    records: NDArray[np.int32]
    t: Array
    degrees: float

    @classmethod
    def of(cls, part: Part, prior: VariancePrior) -> "_TValues":
        records, contrast = part
        t, degrees = moderated_t(replace(contrast, degrees=contrast.degrees[:1]), prior)
        return cls(records.astype(np.int32), t.reshape(len(records), -1), float(degrees[0]))

    @cached_property
    def counts(self) -> Indices:
        """(m,) numbers of values."""
        return np.count_nonzero(~np.isnan(self.t), axis=1)


@dataclass(frozen=True, eq=False)
class ControlValues:
    """Control values by shape: a number of each pair of counts of values in and out."""

    by_shape: Mapping[int, Sequence[_TValues]]

    @classmethod
    def of_records(
        cls, values: Comparisons, prior: VariancePrior, shapes: Indices, draws: int, seed: int
    ) -> "ControlValues":
        """Compute those of records, as if ``draws`` other sets of fits had trained on each.

        shapes: (r,) of records.
        """

        def of_cut(number: int) -> list[_TValues]:
            generator = seeds.generator(seed, seeds.Purpose.CONTROL, number)
            return _of_parts(values.null_of_cut(cuts[number], draws, generator), prior)

        cuts = values.cuts
        parts = chain.from_iterable(
            in_order(of_cut, range(len(cuts)), size=values.table.log_prob.size)
        )
        return cls._sorted(parts, shapes)

    @classmethod
    def of_bystanders(
        cls, parts: Iterable[Part], prior: VariancePrior, shapes: Indices
    ) -> "ControlValues":
        """Compute those of bystanders, whose place is the last of ``shapes``."""
        return cls._sorted(_of_parts(parts, prior), shapes)

    @classmethod
    def _sorted(cls, parts: Iterable[_TValues], shapes: Indices) -> "ControlValues":
        by_shape: dict[int, list[_TValues]] = {}
        for part in parts:
            by_shape.setdefault(int(shapes[part.records[0]]), []).append(part)
        return cls(dict(sorted(by_shape.items())))

    def controls(self, found: Flags) -> Iterator[tuple[int, Control]]:
        """Make a control of each shape without the values of records found, if enough stay."""
        size = sum(part.t.size for parts in self.by_shape.values() for part in parts)
        made = in_order(partial(_control, found=found), self.by_shape.values(), size=size)
        return zip(self.by_shape, made, strict=True)


def _of_parts(parts: Iterable[Part], prior: VariancePrior) -> list[_TValues]:
    values = (_TValues.of(part, prior) for part in parts if len(part[1].effect))
    return [each for each in values if each.counts.any()]


def _control(parts: Sequence[_TValues], found: Flags) -> Control:
    kept = [~found[part.records] for part in parts]
    all_ = sum(int(part.counts.sum()) for part in parts)
    stay = sum(int(part.counts[chosen].sum()) for part, chosen in zip(parts, kept, strict=True))
    enough = stay >= _LEAST_KEPT * all_
    sets: dict[float, list[Array]] = {}
    for part, chosen in zip(parts, kept, strict=True):
        t = part.t[chosen] if enough and not chosen.all() else part.t
        sets.setdefault(part.degrees, []).append(t.ravel())
    return Control([(degrees, _without_gaps(sets[degrees])) for degrees in sorted(sets)])


def _without_gaps(parts: Iterable[Array]) -> Array:
    """Join t-values, the largest first; NaN comes last, and is left out."""
    t = descending(np.concatenate([*parts]))
    return t[: len(t) - np.count_nonzero(np.isnan(t))]
