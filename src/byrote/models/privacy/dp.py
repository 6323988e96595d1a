"""Differential privacy of a model: the parameter ``dp``, and the guarantee that a fit reports."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from byrote import checks
from byrote.errors import InvalidInput

_SAMPLING_OF = {"rdp": "poisson", "prv": "poisson", "gaussian": "shuffled"}


@dataclass(frozen=True, kw_only=True)
class DP:
    """Differentially private training, DP-SGD (Abadi et al. 2016), as a parameter of a model.

    In each step every record's gradient is clipped to ``max_grad_norm``; Gaussian noise of
    ``noise_multiplier * max_grad_norm`` is added to the sum, which is divided by the expected
    number of records. The weights are then (epsilon, delta)-differentially private for adding or
    removing a record; the number of records counts as known.

    The guarantee covers the weights and samples from them, not training losses or scores, which a
    run keeps. It assumes a secret seed, since the noise follows from it; a run writes its seed into
    run.json.

    Parameters
    ----------
    target_epsilon
        Epsilon of the whole training; the noise follows. Either this or ``noise_multiplier``.
    noise_multiplier
        Standard deviation of the noise, in units of ``max_grad_norm``. Noise too small for any
        guarantee is allowed, and labelled so in the facts of a fit.
    delta
        Delta of the guarantee; below 1 / records, or a record may be published outright.
    max_grad_norm
        Norm to which a record's gradient is clipped.
    accountant
        Upper bound on the epsilon of all steps: "rdp" (Renyi, by Opacus) or "prv" (numerical,
        tighter), for ``sampling="poisson"``; "gaussian", the closed form for "shuffled".
    sampling
        "poisson": a record is in each batch with probability 1 / batches per epoch, independently,
        which amplifies privacy. "shuffled": in one random batch of each epoch; privacy comes from
        the noise alone, mu = sqrt(epochs) / noise_multiplier (Dong, Roth & Su 2022).

    Raises
    ------
    InvalidInput
        By ``check``, which models call before any work.

    Examples
    --------
    >>> DP(target_epsilon=8.0, delta=1e-5).check()
    >>> DP(noise_multiplier=1.0).check()
    Traceback (most recent call last):
    ...
    byrote.errors.InvalidInput: dp: delta must be given, a number between 0 and 1; got None
    """

    target_epsilon: float | None = None
    noise_multiplier: float | None = None
    delta: float | None = None
    max_grad_norm: float = 1.0
    accountant: str = "rdp"
    sampling: str = "poisson"

    def check(self) -> None:
        """Refuse values out of range, or a sampling that the accountant does not cover."""
        if (self.target_epsilon is None) == (self.noise_multiplier is None):
            got = "neither" if self.noise_multiplier is None else "both"
            raise InvalidInput(
                f"dp: one of target_epsilon and noise_multiplier must be given; got {got}"
            )
        if self.delta is None:
            raise InvalidInput("dp: delta must be given, a number between 0 and 1; got None")
        budget = "noise_multiplier" if self.target_epsilon is None else "target_epsilon"
        for name, check in {
            budget: checks.positive if self.noise_multiplier is None else checks.not_negative,
            "delta": checks.fraction,
            "max_grad_norm": checks.positive,
        }.items():
            object.__setattr__(self, name, check(f"dp: {name}", getattr(self, name)))
        checks.choice("dp: accountant", self.accountant, _SAMPLING_OF)
        checks.choice("dp: sampling", self.sampling, ("poisson", "shuffled"))
        if self.sampling != _SAMPLING_OF[self.accountant]:
            fitting = [name for name, kind in _SAMPLING_OF.items() if kind == self.sampling]
            raise InvalidInput(
                f"dp: accountant {self.accountant!r} must go with sampling"
                f" {_SAMPLING_OF[self.accountant]!r}; got {self.sampling!r}, whose accountant is"
                f" {' or '.join(map(repr, fitting))}"
            )


def check_parameter(dp: Any) -> None:
    """Refuse a model's parameter ``dp`` that is neither None nor a usable ``DP``."""
    if dp is None:
        return
    if not isinstance(dp, DP):
        raise InvalidInput(
            f"dp must be a byrote.models.DP or None; got {type(dp).__name__} (on the command line"
            ' it is an object: --set \'dp={"target_epsilon": 8, "delta": 1e-5}\')'
        )
    dp.check()


ADD_REMOVE, REPLACEMENT = "add/remove", "replacement"


@dataclass(frozen=True, kw_only=True)
class DPGuarantee:
    """An (epsilon, delta) guarantee: ``facts_["privacy"]`` of a fitted model.

    Parameters
    ----------
    epsilon, delta
        Guarantee for the released weights and one unit; epsilon is infinite if nothing is
        guaranteed.
    unit
        What the guarantee is about, for reports: "record" or, for example, "window of 50
        characters".
    window
        Characters in a unit if units are windows of a text on a fixed grid; else None.
    relation
        Relation between neighbouring data sets: "add/remove" one unit, or its "replacement".
    epsilon_add_remove
        For a guarantee of "replacement": epsilon for adding or removing a unit, if known.
    accountant
        How epsilon was computed.
    label
        A warning for reports; empty if none is needed.
    details
        Other plain data, such as the noise; ignored by equality.

    Raises
    ------
    InvalidInput
        If a value is outside its range.

    Examples
    --------
    >>> guarantee = DPGuarantee(epsilon=2.0, delta=1e-5, unit="window of 50 characters", window=50)
    >>> guarantee.units_touched(10)
    2
    >>> DPGuarantee.from_facts({"epsilon": None, "delta": 0.0}).epsilon
    inf
    """

    epsilon: float
    delta: float
    unit: str = "record"
    window: int | None = None
    relation: str = ADD_REMOVE
    epsilon_add_remove: float | None = None
    accountant: str = ""
    label: str = ""
    details: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        for name in ("unit", "accountant", "label"):
            self._check(name, isinstance(getattr(self, name), str), "text")
        self._check("epsilon", _is_number(self.epsilon) and self.epsilon >= 0, "at least 0")
        self._check("delta", _is_number(self.delta) and 0 <= self.delta < 1, "in [0, 1)")
        relations = (ADD_REMOVE, REPLACEMENT)
        self._check("relation", self.relation in relations, " or ".join(relations))
        for name, least in (("window", 1), ("epsilon_add_remove", 0)):
            value = getattr(self, name)
            valid = value is None or (_is_number(value) and value >= least)
            self._check(name, valid, f"None or at least {least}")
        self._check("window", not isinstance(self.window, float), "a whole number")

    def _check(self, name: str, valid: bool, expected: str) -> None:
        if not valid:
            raise InvalidInput(
                f"DPGuarantee: {name} must be {expected}; got {getattr(self, name)!r}"
            )

    def units_touched(self, characters: int) -> int:
        """Return the largest number of units that a text of L characters overlaps.

        One record; or, of windows of T characters at any offset, ceil((L - 1) / T) + 1.
        """
        if self.window is None or characters <= 1:
            return 1
        return -(-(characters - 1) // self.window) + 1

    def to_facts(self) -> dict[str, Any]:
        """Return plain data without absent fields; an infinite epsilon is None."""
        facts = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "details"}
        facts = {name: value for name, value in facts.items() if value is not None}
        facts["epsilon"] = self.epsilon if math.isfinite(self.epsilon) else None
        return {**self.details, **facts}

    @classmethod
    def from_facts(cls, facts: Any) -> "DPGuarantee":
        """Read a guarantee from plain data, as written by any model.

        Raises
        ------
        InvalidInput
            If epsilon or delta is missing, or a value is outside its range.
        """
        if not isinstance(facts, Mapping) or not {"epsilon", "delta"} <= facts.keys():
            raise InvalidInput("DPGuarantee: facts must be a mapping with epsilon and delta")
        known = {f.name for f in fields(cls)} - {"details"}
        values: dict[str, Any] = {name: facts[name] for name in known & facts.keys()}
        if values["epsilon"] is None:
            values["epsilon"] = math.inf
        details = {name: value for name, value in facts.items() if name not in known}
        return cls(**values, details=details)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
