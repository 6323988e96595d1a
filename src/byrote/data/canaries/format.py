"""A format: the set of all completions of a canary, as an automaton that counts them."""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from byrote import checks
from byrote.data.canaries.sampling import draw_distinct
from byrote.data.canaries.states import END, Form, States
from byrote.errors import InvalidInput

MOST_BITS = 4096  # of the size: larger ones take gigabytes to count through
MOST_DRAWN = 1_000_000  # completions at a time


class _Step(NamedTuple):
    """A state's ways on, in order: their characters, next states, and completions before each."""

    characters: str
    states: tuple[int, ...]
    before: tuple[int, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Format:
    """All completions of a canary, in order: an acyclic deterministic automaton over characters.

    A completion is read from ``start`` to ``end`` in one way only, and none begins another. The
    order is that of the alphabets and word lists given, the first character deciding first; words
    with a common beginning stand together.

    Parameters
    ----------
    edges
        ``edges[state][character]`` is the next state, of a lower number than ``state``. The last
        state is the start, state 0 the end; all lead from the one to the other.

    Examples
    --------
    >>> from byrote.data.canaries.characters import Characters
    >>> format = Format.of([Characters(["01", "abc"]), Characters("!")])
    >>> format.size, list(format)
    (6, ['0a!', '0b!', '0c!', '1a!', '1b!', '1c!'])
    >>> format.at(4), format.index("1b!")
    ('1b!', 4)
    """

    edges: tuple[dict[str, int], ...]

    @classmethod
    def of(cls, forms: Sequence[Form]) -> "Format":
        """One form after the other; InvalidInput if a completion could be read in two ways."""
        states, state = States(), END
        for form in reversed(forms):
            state = form.onto(states, state)
        made = cls(tuple(states.edges))
        if made.size.bit_length() > MOST_BITS:
            raise InvalidInput(
                f"text must have fewer than 2^{MOST_BITS:,} completions; got more than"
                f" 2^{made.size.bit_length() - 1:,}: take shorter slots"
            )
        return made

    def __repr__(self) -> str:
        return f"Format({self.size:,} completions, {len(self.edges)} states)"

    def __iter__(self) -> Iterator[str]:
        """All completions, in order."""
        waiting = [(self.start, "")]
        while waiting:
            state, text = waiting.pop()
            if state == self.end:
                yield text
            for character, following in reversed(self.edges[state].items()):
                waiting.append((following, text + character))

    @property
    def start(self) -> int:
        """The state before the first character."""
        return len(self.edges) - 1

    @property
    def end(self) -> int:
        """The state after the last character, the only one without edges."""
        return END

    @property
    def size(self) -> int:
        """How many completions there are, exactly."""
        return self._sizes[self.start]

    @cached_property
    def alphabet(self) -> frozenset[str]:
        """Every character that occurs in a completion."""
        return frozenset().union(*self.edges)

    @cached_property
    def key(self) -> str:
        """16 hexadecimal digits, the same for the same completions in the same order."""
        digests: list[bytes] = []
        for edges in self.edges:
            digest = sha256()
            for character, following in edges.items():
                digest.update(character.encode("utf-8", "surrogatepass") + digests[following])
            digests.append(digest.digest())
        return digests[self.start].hex()[:16]

    def at(self, index: int) -> str:
        """The completion at a place in the order, from 0.

        Raises
        ------
        InvalidInput
            If ``index`` is no whole number from 0 to ``size - 1``.
        """
        if isinstance(index, int) and index >= self.size:
            raise InvalidInput(f"index must be below {self.size}, the size; got {index}")
        index = checks.size("index", index, at_least=0)
        return self._text(index)

    def index(self, completion: str) -> int:
        """The place of a completion in the order, from 0.

        Raises
        ------
        InvalidInput
            If ``completion`` is not of the format; the message does not quote it.
        """
        if not isinstance(completion, str):
            raise InvalidInput(f"completion must be a text; got {type(completion).__name__}")
        state, index = self.start, 0
        for place, character in enumerate(completion, 1):
            step = self._steps[state]
            way = step.characters.find(character)
            if way < 0:
                raise InvalidInput(
                    f"completion must be of the canary's format; character {place} is not"
                )
            state, index = step.states[way], index + step.before[way]
        if state != self.end:
            raise InvalidInput("completion must be of the canary's format; it stops too early")
        return index

    def sample(
        self, n: int, generator: np.random.Generator, *, without: Collection[str] = ()
    ) -> list[str]:
        """``n`` different completions, uniformly, in random order; none of those in ``without``.

        Drawn by index, so nothing is sorted, cut or rounded, whatever the size.

        Raises
        ------
        InvalidInput
            If there are fewer than ``n``, or ``without`` has a text that is not of the format.

        Examples
        --------
        >>> from byrote.data.canaries.characters import Characters
        >>> format = Format.of([Characters(["0123456789"] * 2)])
        >>> format.sample(3, np.random.default_rng(0), without=["00"])
        ['85', '64', '52']
        """
        n = checks.integer("n", n, at_least=0, at_most=MOST_DRAWN)
        excluded = frozenset(map(self.index, without))
        left = self.size - len(excluded)
        if n > left:
            others = "other completions" if excluded else "completions"
            raise InvalidInput(f"n must be at most {left}: there are no more {others}; got {n}")
        indices = draw_distinct(n, self.size, generator, without=excluded)
        return [self._text(index) for index in indices]

    def _text(self, index: int) -> str:
        state, text = self.start, ""
        while state != END:
            step = self._steps[state]
            way = bisect_right(step.before, index) - 1
            state, index = step.states[way], index - step.before[way]
            text += step.characters[way]
        return text

    @cached_property
    def _sizes(self) -> list[int]:
        """How many ways there are from each state to the end."""
        sizes = [1]
        for edges in self.edges[1:]:
            sizes.append(sum(sizes[following] for following in edges.values()))
        return sizes

    @cached_property
    def _steps(self) -> list[_Step]:
        return [
            _Step(
                "".join(edges),
                tuple(edges.values()),
                tuple(accumulate((self._sizes[s] for s in edges.values()), initial=0))[:-1],
            )
            for edges in self.edges
        ]
