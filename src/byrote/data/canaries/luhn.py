"""Card numbers of 16 digits whose last digit is right by Luhn's rule (ISO/IEC 7812-1)."""

from byrote.data.canaries.states import States

_DIGITS = "0123456789"
_PLACES = 16


def _weights(place: int) -> list[int]:
    """What each digit adds at this place: itself, or at every other place its double's digits."""
    return [2 * d - 9 * (d > 4) if place % 2 == 0 else d for d in range(10)]


class Luhn:
    """16 digits whose weighted sum is a multiple of 10; a state knows the sum so far, modulo 10.

    Examples
    --------
    >>> Luhn().taken("4111111111111111"), Luhn().taken("4111111111111112")
    ('4111111111111111', None)
    """

    longest = _PLACES

    def onto(self, states: States, follow: int) -> int:
        """Ten states for each place, one for each sum, except the first."""
        after = {0: follow}
        for place in reversed(range(_PLACES)):
            sums = range(10) if place else range(1)
            steps = [(_DIGITS[d], weight) for d, weight in enumerate(_weights(place))]
            after = {
                s: states.add({d: after[(s + w) % 10] for d, w in steps if (s + w) % 10 in after})
                for s in sums
            }
        return after[0]

    def taken(self, text: str) -> str | None:
        """The first 16 characters, if they are digits with the right sum."""
        head = text[:_PLACES]
        if len(head) < _PLACES or not set(head) <= set(_DIGITS):
            return None
        total = sum(_weights(place)[int(digit)] for place, digit in enumerate(head))
        return None if total % 10 else head
