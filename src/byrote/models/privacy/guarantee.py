"""The differential-privacy guarantee of a fit, as its model reports it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from byrote.errors import InvalidInput

ADD_REMOVE, REPLACEMENT = "add/remove", "replacement"


@dataclass(frozen=True, kw_only=True)
class DPGuarantee:
    """An (epsilon, delta) guarantee: ``facts_["privacy"]`` of a fitted model.

    Parameters
    ----------
    epsilon, delta
        Of the released weights, for one unit; epsilon is infinite where nothing is guaranteed.
    unit
        What the guarantee is about, for reports: "record" or, for example, "window of 50
        characters".
    window
        Characters in a unit where units are the windows of a text, cut on a fixed grid; else None.
    relation
        Between neighbouring data sets: "add/remove" one unit, or its "replacement".
    epsilon_add_remove
        Of a guarantee for "replacement": epsilon for adding or removing a unit, if known.
    accountant
        How epsilon was computed.
    label
        A warning for reports; empty without one.
    details
        Anything else as plain data, such as the noise; it has no part in equality.

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
        """Largest number of units that a text of this length overlaps.

        One record; or of windows of T characters, whatever their offset, ceil((L - 1) / T) + 1.
        """
        if self.window is None or characters <= 1:
            return 1
        return -(-(characters - 1) // self.window) + 1

    def to_facts(self) -> dict[str, Any]:
        """Plain data for the files of a fit, without absent fields; an infinite epsilon is None."""
        facts = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "details"}
        facts = {name: value for name, value in facts.items() if value is not None}
        facts["epsilon"] = self.epsilon if math.isfinite(self.epsilon) else None
        return {**self.details, **facts}

    @classmethod
    def from_facts(cls, facts: Any) -> "DPGuarantee":
        """Read a guarantee from plain data, which other models than byrote's may have written.

        Raises
        ------
        InvalidInput
            If epsilon or delta are missing, or a value is outside its range.
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
