"""Shares on the command line: 5% or 0.05."""

from byrote import checks
from byrote.errors import InvalidInput


def share(name: str, text: str) -> float:
    """A share written as a percentage or as a number, between 0 and 1.

    Raises
    ------
    InvalidInput
        If it is neither, or not between the two.

    Examples
    --------
    >>> share("--top", "5%"), share("--top", "0.05")
    (0.05, 0.05)
    """
    value = checks.parse_share(text)
    if not 0 < value < 1:  # NaN neither
        raise InvalidInput(f"{name} must be a share such as 5% or 0.05; got {text!r}")
    return value
