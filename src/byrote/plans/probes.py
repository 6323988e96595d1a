"""Probes: a few records in a random half of the fits, all other records in every fit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from byrote import checks, seeds
from byrote.errors import InvalidInput
from byrote.plans.design import Design, Rows, rows
from byrote.plans.plan import Context, Plan, check_fits

_LEAST_BYSTANDERS, _BYSTANDERS_PER_PROBE = 1000, 4


@dataclass(frozen=True)
class Probes(Plan):
    """Train on each probe in a random half of the fits, and on all other records in every fit.

    Each probe, independently of the others, is in exactly half of the fits, so within one fit the
    inclusions of the probes are independent fair coins. A probe has as many values in as out and
    the training set stays nearly whole, so 36 fits give the standard error of 100 fits of 10 times
    repeated 10-fold cross-validation. Only probes get scores.

    With ``pairs=True`` the second fit of a pair trains on exactly those probes that the first holds
    out, with the same initial weights, batches and noise. The fraction rho of the retraining noise
    that the two share cancels in a record's difference, whose standard error falls by the factor
    sqrt(1 - rho). Each fit then holds out exactly half of the probes, so within one fit two of m
    inclusions have correlation -1/(m - 1).

    With ``coins=True`` every probe is in every fit by an independent fair coin, so that fits are
    independent too. A privacy audit may then count guesses about all fits together, and use a
    record's values from other fits as references. A probe that is in all fits or in none has no
    score.

    Parameters
    ----------
    records
        Number of probes to draw at random, or the ids of the probes.
    fits
        Number of fits, even unless ``coins=True``. More fits extend a run.
    pairs
        Train complementary pairs of fits with the same seeds.
    coins
        Make inclusions independent across fits, too.
    bystanders
        Number of other records, drawn at random, that every fit also scores: the negative control
        of the moderated test. Default: four for each probe, at least 1,000, as far as there are
        others; then a single probe can be found.

    Raises
    ------
    InvalidInput
        If fits < 2, or odd without coins; if the number of probes is odd and fits are paired, or
        both coins and pairs are set; or, when drawn, if a probe id is unknown, there are too many
        probes or bystanders, or a fit would train on nothing.

    Examples
    --------
    >>> from byrote.plans import design_of
    >>> design = design_of(Probes([2, 5], fits=4), 6)
    >>> design.scored.tolist(), sum(2 in rows for rows in design.held_out)
    ([2, 5], 2)
    >>> paired = design_of(Probes([2, 5], fits=4, pairs=True), 6)
    >>> paired.training_rows(0).tolist(), paired.training_rows(1).tolist()
    ([0, 1, 2, 3, 4], [0, 1, 5, 3, 4])
    >>> independent = design_of(Probes([2, 5], fits=5, coins=True), 6)
    >>> [rows.tolist() for rows in independent.held_out]
    [[], [2, 5], [2], [2], [2, 5]]
    """

    records: int | Sequence[Any]
    fits: int
    pairs: bool = False
    coins: bool = False
    bystanders: int | None = None
    kind: ClassVar[str] = "probes"
    size: ClassVar[str] = "fits"

    def __post_init__(self) -> None:
        for name in ("pairs", "coins"):
            self._set(**{name: checks.flag(name, getattr(self, name))})
        self._set(fits=checks.integer("fits", self.fits, at_least=2))
        check_fits(self.fits)
        if self.bystanders is not None:
            self._set(bystanders=checks.integer("bystanders", self.bystanders, at_least=0))
        if self.pairs and self.coins:
            raise InvalidInput("coins and pairs must not both be True")
        if self.fits % 2 and not self.coins:
            raise InvalidInput(f"fits must be even for probes without coins; got {self.fits}")
        if isinstance(self.records, str):
            raise InvalidInput("records must be a count or a list of ids; got a string")
        if isinstance(self.records, int | float | np.number | np.bool_):
            self._set(records=checks.integer("records", self.records, at_least=1))
        else:
            self._set(records=_ids(self.records))
        count = self._count()
        if self.pairs and count % 2:
            raise InvalidInput(f"the number of probes must be even with pairs=True; got {count}")

    def _count(self) -> int:
        return len(self.records) if isinstance(self.records, tuple) else int(self.records)  # type: ignore[arg-type]

    def spec(self) -> dict[str, Any]:
        """Return the number of probes, also for ids, whose rows the design holds."""
        chosen = isinstance(self.records, tuple)
        spec = {"kind": self.kind, "records": self._count(), "chosen": chosen, "fits": self.fits}
        flags = {"pairs": self.pairs, "coins": self.coins}
        spec |= {name: True for name, value in flags.items() if value}
        return spec if self.bystanders is None else {**spec, "bystanders": self.bystanders}

    def _draw(self, context: Context, after: Design | None) -> Design:
        """Extend ``after`` by another exchangeable group, or by more pairs or coin flips."""
        probes = self._rows(context)
        bystanders = self._draw_bystanders(context, probes)
        if self.coins:
            design = self._flipped(context, probes)
        elif self.pairs:
            design = self._paired(context, probes)
        else:
            design = self._single(context, probes, after)
        if any(len(out) == context.n for out in design.held_out):
            raise InvalidInput(
                "records must leave every fit something to train on; one would hold out all"
                f" {context.n}: take fewer probes, or more records"
            )
        counted = np.union1d(probes, bystanders)
        return replace(design, counted=[counted] * design.fits, bystanders=bystanders)

    def _draw_bystanders(self, context: Context, probes: Rows) -> Rows:
        others = np.setdiff1d(np.arange(context.n, dtype=np.uint32), probes, assume_unique=True)
        count = self.bystanders
        if count is None:
            count = min(len(others), max(_LEAST_BYSTANDERS, _BYSTANDERS_PER_PROBE * len(probes)))
        if count > len(others):
            raise InvalidInput(
                f"bystanders must not exceed the {len(others)} records that are not probes; got"
                f" {count}"
            )
        generator = seeds.generator(context.seed, seeds.Purpose.PLAN, 0, 3)
        return rows(generator.choice(others, count, replace=False))

    def _flipped(self, context: Context, probes: Rows) -> Design:
        """Fit f depends on the seed and f alone, so more fits extend a design."""
        held_out = []
        for fit in range(self.fits):
            generator = seeds.generator(context.seed, seeds.Purpose.PLAN, fit, 2)
            held_out.append(probes[generator.random(len(probes)) < 0.5])
        return Design(
            context.n,
            repeat=np.zeros(self.fits, dtype=np.int64),
            fold=np.arange(self.fits),
            held_out=held_out,
            counted=[probes] * self.fits,
        )

    def _paired(self, context: Context, probes: Rows) -> Design:
        """Pair p depends on the seed and p alone, so more pairs extend a design."""
        pair, place = np.divmod(np.arange(self.fits), 2)
        held_out: list[Rows] = []
        for number in range(self.fits // 2):
            generator = seeds.generator(context.seed, seeds.Purpose.PLAN, number, 1)
            shuffled = generator.permutation(probes)
            held_out += [rows(half) for half in np.split(shuffled, 2)]
        return Design(
            context.n,
            repeat=pair,
            fold=place,
            held_out=held_out,
            counted=[probes] * self.fits,
            units="pairs",
            leader=2 * pair,
        )

    def _single(self, context: Context, probes: Rows, after: Design | None) -> Design:
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

    def _rows(self, context: Context) -> Rows:
        if not isinstance(self.records, tuple):
            count = self._count()
            if count > context.n:
                raise InvalidInput(
                    f"records must not exceed the data; got {count} probes of {context.n} records"
                )
            generator = seeds.generator(context.seed, seeds.Purpose.PLAN, 0, 0)
            return rows(generator.choice(context.n, count, replace=False))
        probes = np.asarray(self.records)
        known = np.isin(probes, context.ids)
        if not known.all():
            raise InvalidInput(
                f"records must be ids of the data; {np.count_nonzero(~known)} of {len(probes)} are"
                " not"
            )
        return rows(np.flatnonzero(np.isin(context.ids, probes)))


def _ids(records: Sequence[Any]) -> tuple[Any, ...]:
    array = checks.array("records", records)
    if array.ndim != 1:
        kind = type(records).__name__  # not the ids themselves, which may be private
        raise InvalidInput(f"records must be a count or a list of ids; got a {kind}")
    if not array.size:
        raise InvalidInput("records must name at least one probe; got none")
    ids = checks.names("records", records)
    checks.unique("records", ids)
    return tuple(ids.tolist())
