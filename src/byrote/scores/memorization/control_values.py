"""Values of the moderated test where its null hypothesis holds: its negative control."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

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
    """t-values with the same degrees of freedom, those of candidates with their records.

    t: values of other records. of_candidates: (c,) values of candidates. owner: (c,) their records.
    """

    t: Array
    of_candidates: Array
    owner: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.t) + len(self.of_candidates)


Key = tuple[int, float]  # shape, and degrees of freedom


@dataclass(frozen=True, eq=False)
class ControlValues:
    """Control values by shape, a number of each pair of counts of values in and out.

    There may be millions. Only of candidates, records that may be found themselves, it is kept
    which values are theirs.
    """

    sets: Mapping[int, Mapping[float, _TValues]]

    @classmethod
    def of_records(
        cls,
        values: Comparisons,
        prior: VariancePrior,
        shapes: Indices,
        candidates: Flags,
        draws: int,
        seed: int,
    ) -> "ControlValues":
        """Compute those of records, as if ``draws`` other sets of fits had trained on each.

        shapes, candidates: of (r,) records.
        """

        def of_cut(number: int) -> list[tuple[Key, _TValues]]:
            generator = seeds.generator(seed, seeds.Purpose.CONTROL, number)
            parts = values.null_of_cut(cuts[number], draws, generator)
            return [*_t_values(parts, prior, shapes, candidates)]

        cuts = values.cuts
        of_cuts = in_order(of_cut, range(len(cuts)), size=values.table.log_prob.size)
        return cls._joined(part for parts in of_cuts for part in parts)

    @classmethod
    def of_bystanders(cls, parts: Iterable[Part], prior: VariancePrior) -> "ControlValues":
        """Compute those of bystanders, which serve records of all shapes."""
        one, nobody = np.zeros(1, np.intp), np.zeros(1, np.bool_)  # their place is -1
        return cls._joined(_t_values(parts, prior, one, nobody))

    @classmethod
    def _joined(cls, parts: Iterable[tuple[Key, _TValues]]) -> "ControlValues":
        lists: dict[Key, list[_TValues]] = {}
        for key, values in parts:
            if len(values):
                lists.setdefault(key, []).append(values)

        def join(key: Key) -> _TValues:
            parts = lists.pop(key)  # which are forgotten one after another
            columns = zip(
                *((part.t, part.of_candidates, part.owner) for part in parts), strict=True
            )
            t, of_candidates, owner = map(np.concatenate, columns)
            return _TValues(descending(t), of_candidates, owner)

        keys, size = sorted(lists), sum(len(part) for parts in lists.values() for part in parts)
        sets: dict[int, dict[float, _TValues]] = {}
        for (shape, degrees), values in zip(keys, in_order(join, keys, size=size), strict=True):
            sets.setdefault(shape, {})[degrees] = values
        return cls(sets)

    def controls(self, found: Flags) -> Iterator[tuple[int, Control]]:
        """Make a control of each shape without the values of records found, if enough stay.

        found: (r,) some of the candidates.
        """
        size = sum(len(values) for of_shape in self.sets.values() for values in of_shape.values())
        made = in_order(partial(_control, found=found), self.sets.values(), size=size)
        return zip(self.sets, made, strict=True)


def _t_values(
    parts: Iterable[Part], prior: VariancePrior, shapes: Indices, candidates: Flags
) -> Iterator[tuple[Key, _TValues]]:
    """Compute t-values of parts: records of one shape, and the same degrees of freedom."""
    for records, contrast in parts:
        if not len(contrast.effect):
            continue
        t, degrees = moderated_t(replace(contrast, degrees=contrast.degrees[:1]), prior)
        t, chosen = t.reshape(len(records), -1), candidates[records]
        of_candidates, others = t[chosen].ravel(), (t[~chosen] if chosen.any() else t).ravel()
        owner = records[chosen].astype(np.int32).repeat(t.shape[1])
        varies, known = ~np.isnan(of_candidates), ~np.isnan(others)
        values = _TValues(
            others if known.all() else others[known], of_candidates[varies], owner[varies]
        )
        yield (int(shapes[records[0]]), float(degrees[0])), values


def _control(sets: Mapping[float, _TValues], found: Flags) -> Control:
    stay = {degrees: ~found[values.owner] for degrees, values in sets.items()}
    left = sum(np.count_nonzero(~chosen) for chosen in stay.values())
    whole = sum(map(len, sets.values()))
    if whole - left < _LEAST_KEPT * whole:
        stay = {degrees: np.ones_like(chosen) for degrees, chosen in stay.items()}
    always = [(degrees, values.t) for degrees, values in sets.items()]
    others = [(d, descending(values.of_candidates[stay[d]])) for d, values in sets.items()]
    return Control([(degrees, t) for degrees, t in (*always, *others) if len(t)])
