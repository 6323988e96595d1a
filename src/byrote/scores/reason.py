"""Why a record has no score."""

from enum import IntEnum


class Reason(IntEnum):
    """Why a record has no score."""

    NONE = 0
    NOT_SCORED = 1
    NEVER_IN = 2
    NEVER_OUT = 3
    ZERO_DENSITY = 4

    def __str__(self) -> str:
        return _REASONS[self]


_REASONS = {
    Reason.NONE: "",
    Reason.NOT_SCORED: "not scored by the plan",
    Reason.NEVER_IN: "never trained on",
    Reason.NEVER_OUT: "never held out",
    Reason.ZERO_DENSITY: "zero density both in and out",
}
