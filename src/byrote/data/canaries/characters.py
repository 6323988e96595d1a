"""Text with so many places, and at each place one character of an alphabet of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from byrote.data.canaries.states import States


@dataclass(frozen=True)
class Characters:
    """One alphabet for each place. A text is the alphabets of its own characters, hence fixed.

    Examples
    --------
    >>> Characters(["0123456789"] * 2).taken("42nd"), Characters("the ").taken("the cat")
    ('42', 'the ')
    """

    alphabets: Sequence[str]

    @property
    def longest(self) -> int:
        """How many characters there are."""
        return len(self.alphabets)

    def onto(self, states: States, follow: int) -> int:
        """One state for each place."""
        for alphabet in reversed(self.alphabets):
            follow = states.add(dict.fromkeys(alphabet, follow))
        return follow

    def taken(self, text: str) -> str | None:
        """As many characters as there are places, if each is of its place's alphabet."""
        head = text[: self.longest]
        fits = len(head) == self.longest and all(map(str.__contains__, self.alphabets, head))
        return head if fits else None
