"""What a model's tokens spell of a text, for tokenizers that fold case, accents or spaces.

A tokenizer that lower-cases writes "Ab" and "ab" with the same tokens. A format then has fewer
completions for the model than for the reader: those with the same spelling are one path of tokens
and cost the same, and all of them are counted.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from byrote.data.canaries.format import END, AutomatonBuilder, Format
from byrote.errors import InvalidInput

_ANCHORS = ("a", "0", "e", ".")  # precede a character where no prefix does


class Reading(NamedTuple):
    """Completions of one spelling: their number, and one of them."""

    ways: int
    text: str


class Spelling:
    """The spellings of a format's completions in a model's tokens.

    Attributes
    ----------
    format
        The spellings, each once.
    plain
        Whether each completion is its own spelling.

    Raises
    ------
    InvalidInput
        If no token holds a character of the format, or the spelling of a character depends on its
        neighbours.
    """

    def __init__(self, model: Any, strings: Sequence[str], before: str, space: Format) -> None:
        self._model, self._strings, self._before, self._space = model, strings, before, space
        known = set().union(*map(set, strings))
        samples = _samples(space)
        self.plain = space.alphabet <= known and all(
            self.spelled(model.encode(before + text)).endswith(text) for text in samples
        )
        self._letters = {} if self.plain else {c: self._letter(c) for c in sorted(space.alphabet)}
        self.format = space if self.plain else _folded(space, self._letters)
        if not self.plain:
            self._check(samples)

    def spelled(self, ids: Sequence[int]) -> str:
        """Return the text that tokens spell."""
        return "".join(self._strings[token] for token in ids)

    def fold(self, text: str) -> str:
        """Return the spelling of a completion, or of its beginning."""
        return text if self.plain else "".join(self._letters[character] for character in text)

    def reading(self, spelled: str, state: int, like: str = "") -> Reading:
        """Count the completions with this spelling, from a state of the format on.

        The returned one has the most characters in common with ``like``, position by position.
        """
        if self.plain:
            return Reading(1, spelled)
        places: list[dict[int, tuple[int, int, str]]] = [{} for _ in range(len(spelled) + 1)]
        places[0][state] = (1, 0, "")
        for place, here in enumerate(places):
            left = set(here)
            while left:  # the states from the beginning of the format on
                left.discard(at := max(left))
                ways, same, text = here[at]
                for character, target in self._space.edges[at].items():
                    letter = self._letters[character]
                    if not spelled.startswith(letter, place):
                        continue
                    there = places[place + len(letter)]
                    more = same + (like[len(text) : len(text) + 1] == character)
                    known = there.get(target, (0, -1, ""))
                    best = (more, text + character) if more > known[1] else known[1:]
                    there[target] = (known[0] + ways, *best)
                    if not letter:
                        left.add(target)
        ways, _, text = places[-1].get(END, (0, 0, ""))
        return Reading(ways, text)

    @cached_property
    def most_ways(self) -> float:
        """Upper bound on the number of completions that share a spelling."""
        if self.plain:
            return 1.0
        most = [1.0]
        for edges in self._space.edges[1:]:
            silent, by_first = 0.0, dict[str, float]()
            for character, target in edges.items():
                letter = self._letters[character][:1]
                if letter:
                    by_first[letter] = by_first.get(letter, 0.0) + most[target]
                else:
                    silent += most[target]
            most.append(silent + max(by_first.values(), default=0.0))
        return most[-1]

    def _letter(self, character: str) -> str:
        for anchor in (self._before, *_ANCHORS):
            if not anchor:
                continue
            try:
                alone, ids = self._model.encode(anchor), self._model.encode(anchor + character)
            except ValueError:  # the vocabulary lacks one of them
                continue
            head, both = self.spelled(alone), self.spelled(ids)
            if all(self._strings[token] for token in ids[len(alone) :]) and both.startswith(head):
                return both[len(head) :]
        raise InvalidInput(
            "canary must be made of characters in the model's tokens; no token contains"
            f" U+{ord(character):04X}"
        )

    def _check(self, samples: Sequence[str]) -> None:
        """Refuse a tokenizer that folds a character in one position and not in another."""
        for text in samples:
            ids = self._model.encode(self._before + text)
            twin = self.reading(self.fold(text), self._space.start).text
            if (
                not self.spelled(ids).endswith(self.fold(text))
                or self._model.encode(self._before + twin) != ids
            ):
                raise InvalidInput(
                    "canary must have characters that the tokenizer writes alike wherever they"
                    " stand; it drops or changes some depending on their neighbours: use an"
                    " alphabet or words that it leaves as they are"
                )


def _samples(space: Format) -> list[str]:
    """Return completions that together take each edge of a slot of single characters."""
    samples = []
    for number in range(max(map(len, space.edges))):
        state, text = space.start, ""
        while state != END:
            edges = list(space.edges[state].items())
            character, state = edges[number % len(edges)]
            text += character
        samples.append(text)
    return samples


def _folded(space: Format, letters: Mapping[str, str]) -> Format:
    """Make the automaton of a format's spellings deterministic."""
    edges = _spelled_edges(space, letters)
    start = _silently(edges, {(space.start, "")})
    states: dict[frozenset[tuple[int, str]], dict[str, frozenset[tuple[int, str]]]] = {}
    waiting = [start]
    while waiting:
        state = waiting.pop()
        if state in states:
            continue
        onward: dict[str, set[tuple[int, str]]] = {}
        for place in state:
            for letter, target in edges[place]:
                if letter:
                    onward.setdefault(letter, set()).add(target)
        states[state] = {letter: _silently(edges, places) for letter, places in onward.items()}
        if onward and (END, "") in state:
            raise InvalidInput(
                "canary must have completions of which the tokenizer spells none like the beginning"
                " of another"
            )
        waiting.extend(states[state].values())
    return _numbered(states, start)


Place = tuple[int, str]  # a state of the format, and letters left on the way to it


def _spelled_edges(
    space: Format, letters: Mapping[str, str]
) -> dict[Place, list[tuple[str, Place]]]:
    """Return edges of at most one letter."""
    edges: dict[Place, list[tuple[str, Place]]] = {}
    for state, ways in enumerate(space.edges):
        edges[state, ""] = []
        for character, target in ways.items():
            letter = letters[character]
            edges[state, ""].append((letter[:1], (target, letter[1:])))
            for begun in range(1, len(letter)):
                rest = letter[begun:]
                edges[target, rest] = [(rest[0], (target, rest[1:]))]
    return edges


def _silently(
    edges: Mapping[Place, Sequence[tuple[str, Place]]], places: set[Place]
) -> frozenset[Place]:
    """Return these places and all reachable from them without a letter."""
    closure, waiting = set(places), list(places)
    while waiting:
        for letter, target in edges[waiting.pop()]:
            if not letter and target not in closure:
                closure.add(target)
                waiting.append(target)
    return frozenset(closure)


def _numbered(
    folded: Mapping[frozenset[Place], Mapping[str, frozenset[Place]]], start: Any
) -> Format:
    """Number the states, from the end on, and merge equal ones."""
    states, number = AutomatonBuilder(), dict[frozenset[Place], int]()
    for state in sorted(folded, key=lambda state: max((k, len(rest)) for k, rest in state)):
        number[state] = states.add(
            {letter: number[target] for letter, target in folded[state].items()}
        )
    if number[start] == END:
        raise InvalidInput(
            "canary must have a secret that the tokenizer writes; it drops all of it"
        )
    return Format(tuple(states.edges[: number[start] + 1]))
