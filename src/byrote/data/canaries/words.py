"""A word of a list."""

from collections.abc import Iterable
from typing import Any

from byrote import checks
from byrote.data.canaries.states import END, States
from byrote.errors import InvalidInput


class Words:
    """A word of a list, whatever the lengths of its words.

    Where a word begins another, what follows the slot must tell where the word stops: its first
    character must be none of those by which the shorter word goes on. So every completion is read
    in one way only, and none begins another.

    Parameters
    ----------
    name
        The slot's name, for messages. Words are named by their place: they may be private.
    words
        Texts that are not empty and all differ.

    Raises
    ------
    InvalidInput
        If there is no word, or one is empty, no text, or there twice.

    Examples
    --------
    >>> Words("name", ["ann", "anna", "bob"]).taken("anna came")
    'anna'
    """

    def __init__(self, name: str, words: Iterable[str]) -> None:
        self.name = name
        self.words = _checked(f"words[{name!r}]", words)

    @property
    def longest(self) -> int:
        """How many characters the longest word has."""
        return max(map(len, self.words))

    def onto(self, states: States, follow: int) -> int:
        """A tree of the words' beginnings, whose leaves are ``follow``."""
        tree, ends = self._tree()
        made = dict.fromkeys(ends, follow)
        for node in reversed(range(len(tree))):  # children come after their parents
            edges = {character: made[child] for character, child in tree[node].items()}
            if edges and node in ends:
                after = states.edges[follow]
                if follow == END or edges.keys() & after.keys():
                    raise InvalidInput(
                        f"words[{self.name!r}][{ends[node]}] begins another of these words, and "
                        "what follows the slot does not tell them apart: put a character after it "
                        "that no word contains"
                    )
                edges |= after
            if edges:
                made[node] = states.add(edges)
        return made[0]

    def taken(self, text: str) -> str | None:
        """The longest word that the text begins with; what follows a slot admits no other."""
        return max(filter(text.startswith, self.words), key=len, default=None)

    def _tree(self) -> tuple[list[dict[str, int]], dict[int, int]]:
        """Children of each node, by character; and the nodes where a word ends, with the word's."""
        tree: list[dict[str, int]] = [{}]
        ends = {}
        for place, word in enumerate(self.words):
            node = 0
            for character in word:
                node = tree[node].setdefault(character, len(tree))
                if node == len(tree):
                    tree.append({})
            ends[node] = place
        return tree, ends


def _checked(name: str, words: Any) -> tuple[str, ...]:
    if isinstance(words, str) or not isinstance(words, Iterable):
        raise InvalidInput(f"{name} must be a list of words; got {type(words).__name__}")
    words = tuple(words)
    if not words:
        raise InvalidInput(f"{name} must have at least one word; got an empty list")
    for place, word in enumerate(words):
        if not isinstance(word, str) or not word:
            got = "an empty text" if isinstance(word, str) else type(word).__name__
            raise InvalidInput(f"{name}[{place}] must be a word; got {got}")
        checks.encodable(f"{name}[{place}]", word)
    repeated = len(words) - len(set(words))
    if repeated:
        raise InvalidInput(
            f"{name} must all differ; {repeated} of {len(words)} repeat an earlier one"
        )
    return words
