"""States of an automaton in the making, and what a part of a canary's text must be able to do."""

from typing import Protocol

END = 0


class States:
    """States, made from the end of a text towards its start; equal ones are one.

    A state is its edges: character -> next state. The next states being there already, two states
    with the same edges read the same texts, so the automaton is the smallest there is.

    Examples
    --------
    >>> states = States()
    >>> last = states.add({"a": END, "b": END})
    >>> last, states.add({"a": END, "b": END}), states.add({"c": last})
    (1, 1, 2)
    """

    def __init__(self) -> None:
        self.edges: list[dict[str, int]] = [{}]
        self._known: dict[tuple[tuple[str, int], ...], int] = {(): END}

    def add(self, edges: dict[str, int]) -> int:
        """The state with these edges."""
        state = self._known.setdefault(tuple(edges.items()), len(self.edges))
        if state == len(self.edges):
            self.edges.append(edges)
        return state


class Form(Protocol):
    """What a stretch of text can be: the form of a slot, or of the fixed text around it."""

    @property
    def longest(self) -> int:
        """How many characters its longest text has."""

    def onto(self, states: States, follow: int) -> int:
        """Put states for all texts of this form in front of state ``follow``; the first of them."""

    def taken(self, text: str) -> str | None:
        """The beginning of ``text`` that has this form, or None."""
