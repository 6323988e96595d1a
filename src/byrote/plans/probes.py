"""Probes: a few chosen records are held out, every other record is always trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from byrote import checks, seeds
from byrote.errors import InvalidInput
from byrote.plans.design import Design, rows
from byrote.plans.plan import Context, Plan


@dataclass(frozen=True)
class Probes(Plan):
    """Each probe is in a random half of the fits; all other records are in every fit.

    A probe, independently of the others, is in exactly half of the fits, so within one fit the
    inclusions of the probes are independent fair coins. A probe has as many values in as out and
    the training set stays nearly whole, so 36 fits give the standard error of 100 fits of 10 times
    repeated 10-fold cross-validation. Only probes get scores.

    Parameters
    ----------
    records
        How many probes to draw at random, or the ids of the probes.
    fits
        An even number. More fits extend a run: the added ones form an exchangeable group of their
        own.

    Raises
    ------
    InvalidInput
        If fits is odd or < 2, or, when drawn, a probe id is unknown or there are too many probes.

    Examples
    --------
    >>> from byrote.plans import design_of
    >>> design = design_of(Probes([2, 5], fits=4), 6)
    >>> design.scored.tolist(), sum(2 in rows for rows in design.held_out)
    ([2, 5], 2)
    """

    records: int | Sequence[Any]
    fits: int
    kind: ClassVar[str] = "probes"
    size: ClassVar[str] = "fits"

    def __post_init__(self) -> None:
        if checks.integer("fits", self.fits, at_least=2) % 2:
            raise InvalidInput(f"fits must be even for probes; got {self.fits}")
        if isinstance(self.records, str):
            raise InvalidInput("records must be a count or a list of ids; got a text")
        if isinstance(self.records, int | np.integer):
            checks.integer("records", self.records, at_least=1)
            return
        if np.ndim(self.records) != 1:
            kind = type(self.records).__name__  # not the ids themselves, which may be private
            raise InvalidInput(f"records must be a count or a list of ids; got a {kind}")
        ids = tuple(np.asarray(self.records).tolist())
        if not ids:
            raise InvalidInput("records must name at least one probe; got none")
        checks.unique("records", np.asarray(ids))
        object.__setattr__(self, "records", ids)

    def spec(self) -> dict[str, Any]:
        """Probes given by id are named by number alone: the design holds their rows."""
        chosen = isinstance(self.records, tuple)
        count = len(self.records) if isinstance(self.records, tuple) else self.records
        return {"kind": self.kind, "records": count, "chosen": chosen, "fits": self.fits}

    def draw(self, context: Context, after: Design | None = None) -> Design:
        """The fits beyond ``after`` are drawn as one further exchangeable group."""
        probes = self._rows(context)
        start = after.fits if after is not None else 0
        group = int(after.repeat[-1]) + 1 if after is not None else 0
        added = self.fits - start
        held_out = list(after.held_out) if after is not None else []
        repeat = np.full(added, group)
        fold = np.arange(added)
        if added:
            generator = seeds.generator(context.seed, seeds.Purpose.PLAN, group, 1)
            half = np.arange(added)[None, :] < added // 2
            out = generator.permuted(np.repeat(half, len(probes), axis=0), axis=1)
            held_out += [probes[out[:, fit]] for fit in range(added)]
        if after is not None:
            repeat = np.concatenate([after.repeat, repeat])
            fold = np.concatenate([after.fold, fold])
        return Design(context.n, repeat, fold, held_out, [probes] * self.fits)

    def _rows(self, context: Context) -> NDArray[np.uint32]:
        if not isinstance(self.records, tuple):
            count = checks.integer("records", self.records, at_least=1)
            if count > context.n:
                raise InvalidInput(
                    f"records must not exceed the data; got {count} probes of {context.n} records"
                )
            generator = seeds.generator(context.seed, seeds.Purpose.PLAN, 0, 0)
            return rows(generator.choice(context.n, count, replace=False))
        wanted = np.asarray(self.records)
        found = np.isin(wanted, context.ids)
        if not found.all():
            raise InvalidInput(
                f"records must be ids of the data; {np.count_nonzero(~found)} of {len(wanted)}"
                " are not there"
            )
        return rows(np.flatnonzero(np.isin(context.ids, wanted)))
