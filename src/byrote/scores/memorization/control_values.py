"""Values of the moderated test where its null hypothesis holds: its negative control."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.scores.memorization.comparisons import Comparisons, Part
from byrote.stats.moderated_test import VariancePrior, moderated_t
from byrote.stats.negative_control import Control, descending
from byrote.stats.threads import in_order

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]

_LEAST_KEPT = 0.2  # share of the values that must stay where those of records are left out


@dataclass(frozen=True, eq=False)
class _TValues:
    """t-values of one shape, with the same degrees of freedom.

    t: values of other records than candidates. of_candidates: (c,) values of candidates.
    owner: (c,) their records.
    """

    t: Array
    of_candidates: Array
    owner: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.t) + len(self.of_candidates)


Key = tuple[int, float]  # shape, and degrees of freedom


class _Gathered:
    """t-values of a key, in one array that has room for them from the beginning.

    Many small ones, freed where the large one is made, would leave memory that nothing fits into.
    """

    def __init__(self, room: int) -> None:
        self._t, self._size = np.empty(room), 0
        self._others: list[tuple[Array, NDArray[np.int32]]] = []

    def __len__(self) -> int:
        return self._size

    def add(self, part: _TValues) -> None:
        """Add values."""
        stop = self._size + len(part.t)
        if stop > len(self._t):
            self._t = np.concatenate([self._t[: self._size], np.empty(stop)])
        self._t[self._size : stop] = part.t
        self._size = stop
        self._others.append((part.of_candidates, part.owner))

    def sorted(self) -> _TValues:
        """Return all values, those of other records than candidates the largest first."""
        of_candidates, owner = map(np.concatenate, zip(*self._others, strict=True))
        return _TValues(descending(self._t[: self._size]), of_candidates, owner)


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

        def of_cut(number: int) -> list[tuple[Key, int, _TValues]]:
            generator = seeds.generator(seed, seeds.Purpose.CONTROL, number)
            parts = values.null_of_cut(cuts[number], draws, generator)
            return [*_t_values(parts, prior, shapes, candidates)]

        cuts, records = values.cuts, np.bincount(shapes)
        of_cuts = in_order(of_cut, range(len(cuts)), size=values.table.log_prob.size)
        gathered: dict[Key, _Gathered] = {}
        for key, each, part in chain.from_iterable(of_cuts):
            if key not in gathered:
                gathered[key] = _Gathered(int(records[key[0]]) * max(each, draws))
            gathered[key].add(part)
        return cls._sorted(gathered)

    @classmethod
    def of_bystanders(cls, parts: Sequence[Part], prior: VariancePrior) -> "ControlValues":
        """Compute those of bystanders, which serve records of all shapes."""
        one, nobody = np.zeros(1, np.intp), np.zeros(1, np.bool_)  # their place is -1
        room = sum(len(contrast.effect) for _, contrast in parts)
        gathered: dict[Key, _Gathered] = {}
        for key, _, part in _t_values(parts, prior, one, nobody):
            gathered.setdefault(key, _Gathered(room)).add(part)
        return cls._sorted(gathered)

    @classmethod
    def _sorted(cls, gathered: Mapping[Key, _Gathered]) -> "ControlValues":
        keys = sorted(gathered)
        sets: dict[int, dict[float, _TValues]] = {}
        made = in_order(
            lambda key: gathered[key].sorted(), keys, size=sum(map(len, gathered.values()))
        )
        for (shape, degrees), values in zip(keys, made, strict=True):
            if len(values):
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
) -> Iterator[tuple[Key, int, _TValues]]:
    """Compute t-values of parts: records of one shape, with as many values each."""
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
        yield (int(shapes[records[0]]), float(degrees[0])), t.shape[1], values


def _control(sets: Mapping[float, _TValues], found: Flags) -> Control:
    stay = {degrees: ~found[values.owner] for degrees, values in sets.items()}
    left = sum(np.count_nonzero(~chosen) for chosen in stay.values())
    whole = sum(map(len, sets.values()))
    if whole - left < _LEAST_KEPT * whole:
        stay = {degrees: np.ones_like(chosen) for degrees, chosen in stay.items()}
    always = [(degrees, values.t) for degrees, values in sets.items()]
    others = [(d, descending(values.of_candidates[stay[d]])) for d, values in sets.items()]
    return Control([(degrees, t) for degrees, t in (*always, *others) if len(t)])
