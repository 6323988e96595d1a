"""Text such as discover=5: the name of a goal or a question, and a number."""

from collections.abc import Mapping

from byrote import checks
from byrote.errors import InvalidInput, did_you_mean


def parse_named_number(argument: str, text: str, forms: Mapping[str, str]) -> tuple[str, float]:
    """Parse a name and a number above 0, which is whole where records are discovered.

    ``forms``: what the number is, by name, for the messages.

    Raises
    ------
    InvalidInput
        If the text has another form, or the number is out of range.

    Examples
    --------
    >>> parse_named_number("goal", "se=0.5", {"se": "X (nats)"})
    ('se', 0.5)
    """
    name, _, number = str(text).partition("=")
    expected = ", ".join(f"{form}={value}" for form, value in forms.items())
    expected = " or ".join(expected.rsplit(", ", 1))
    if name not in forms:
        suggestion = did_you_mean(name, forms)
        raise InvalidInput(f"{argument} must be {expected}; got {text!r}{suggestion}")
    try:
        value = float(number)
    except ValueError:
        raise InvalidInput(f"{argument} must be {expected}; got {text!r}") from None
    if name != "discover":
        return name, checks.positive(name, value)
    if not value.is_integer():
        raise InvalidInput(f"discover must be a number of records; got {number}")
    return name, float(checks.integer(name, int(value), at_least=1))
