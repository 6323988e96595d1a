"""A format: the set of all completions of a canary, as an automaton that counts them."""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import accumulate
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.errors import InvalidInput

END = 0  # the state after the last character
MAX_SIZE_BITS = 4096  # larger formats take gigabytes to count
MAX_SAMPLE = 1_000_000  # completions drawn at a time
_INT64 = 1 << 63


class AutomatonBuilder:
    """States added from the end of the texts to their start; equal states are merged.

    A state is its edges: character -> next state. Next states are added first, so two states with
    equal edges read the same texts, and the automaton is minimal.

    Examples
    --------
    >>> builder = AutomatonBuilder()
    >>> last = builder.add({"a": END, "b": END})
    >>> last, builder.add({"a": END, "b": END}), builder.add({"c": last})
    (1, 1, 2)
    """

    def __init__(self) -> None:
        self.edges: list[dict[str, int]] = [{}]
        self._states: dict[tuple[tuple[str, int], ...], int] = {(): END}

    def add(self, edges: dict[str, int]) -> int:
        """Return the state with these edges, in this order."""
        state = self._states.setdefault(tuple(edges.items()), len(self.edges))
        if state == len(self.edges):
            self.edges.append(edges)
        return state


class Segment(Protocol):
    """A segment of a completion, slot or fixed text: the set of texts that can stand there."""

    @property
    def max_length(self) -> int:
        """Number of characters of its longest text."""

    def prepend(self, builder: AutomatonBuilder, target: int) -> int:
        """Add states that read this segment and then go to ``target``; return the first."""

    def match(self, text: str) -> str | None:
        """Return the beginning of ``text`` that belongs to this segment, or None."""


class _Step(NamedTuple):
    characters: str
    states: tuple[int, ...]
    before: tuple[int, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Format:
    """All completions of a canary, in order: an acyclic deterministic automaton over characters.

    Each completion has one path from ``start`` to ``end``, and none is a prefix of another. The
    order is lexicographic by the alphabets and word lists as given; words with a common prefix
    stand together.

    Parameters
    ----------
    edges
        ``edges[state][character]`` is the next state, a lower number than ``state``. The last state
        is the start, state 0 the end; every state lies on a path between them.

    Examples
    --------
    >>> from byrote.data.canaries.slot_kinds import Characters
    >>> format = Format.of([Characters(["01", "abc"]), Characters("!")])
    >>> format.size, list(format)
    (6, ['0a!', '0b!', '0c!', '1a!', '1b!', '1c!'])
    >>> format.at(4), format.index("1b!")
    ('1b!', 4)
    """

    edges: tuple[dict[str, int], ...]

    @classmethod
    def of(cls, segments: Sequence[Segment]) -> "Format":
        """Concatenate segments; InvalidInput if a completion would have two readings."""
        builder, state = AutomatonBuilder(), END
        for segment in reversed(segments):
            state = segment.prepend(builder, state)
        made = cls(tuple(builder.edges))
        if made.size.bit_length() > MAX_SIZE_BITS:
            raise InvalidInput(
                f"text must have fewer than 2^{MAX_SIZE_BITS:,} completions; got more than"
                f" 2^{made.size.bit_length() - 1:,}: use shorter slots"
            )
        return made

    def __repr__(self) -> str:
        return f"Format({self.size:,} completions, {len(self.edges)} states)"

    def __iter__(self) -> Iterator[str]:
        stack = [(self.start, "")]
        while stack:
            state, text = stack.pop()
            if state == self.end:
                yield text
            for character, target in reversed(self.edges[state].items()):
                stack.append((target, text + character))

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
        """Exact number of completions."""
        return self._sizes[self.start]

    @cached_property
    def alphabet(self) -> frozenset[str]:
        """All characters that occur in a completion."""
        return frozenset().union(*self.edges)

    @cached_property
    def key(self) -> str:
        """16 hexadecimal digits, equal for equal completions in the same order."""
        digests: list[bytes] = []
        for edges in self.edges:
            digest = sha256()
            for character, target in edges.items():
                digest.update(character.encode("utf-8", "surrogatepass") + digests[target])
            digests.append(digest.digest())
        return digests[self.start].hex()[:16]

    def at(self, index: int) -> str:
        """Return the completion at a position in the order, from 0.

        Raises
        ------
        InvalidInput
            If ``index`` is not an integer from 0 to ``size - 1``.
        """
        if isinstance(index, int) and index >= self.size:
            raise InvalidInput(f"index must be below {self.size}, the size; got {index}")
        return self._text(checks.size("index", index, at_least=0))

    def index(self, completion: str) -> int:
        """Return the position of a completion in the order, from 0.

        Raises
        ------
        InvalidInput
            If ``completion`` does not have the format; the message does not quote it.
        """
        if not isinstance(completion, str):
            raise InvalidInput(f"completion must be a string; got {type(completion).__name__}")
        state, index = self.start, 0
        for position, character in enumerate(completion, 1):
            step = self._steps[state]
            edge = step.characters.find(character)
            if edge < 0:
                raise InvalidInput(
                    f"completion must have the canary's format; character {position} does not fit"
                )
            state, index = step.states[edge], index + step.before[edge]
        if state != self.end:
            raise InvalidInput("completion must have the canary's format; it is too short")
        return index

    def sample(
        self, n: int, generator: np.random.Generator, *, without: Collection[str] = ()
    ) -> list[str]:
        """Draw ``n`` distinct completions uniformly, in random order, none of them in ``without``.

        Positions are drawn, so nothing is sorted, cut or rounded, whatever the size.

        Raises
        ------
        InvalidInput
            If there are fewer than ``n``, or a text in ``without`` does not have the format.

        Examples
        --------
        >>> from byrote.data.canaries.slot_kinds import Characters
        >>> format = Format.of([Characters(["0123456789"] * 2)])
        >>> format.sample(3, np.random.default_rng(0), without=["00"])
        ['85', '64', '52']
        """
        n = checks.integer("n", n, at_least=0, at_most=MAX_SAMPLE)
        excluded = frozenset(map(self.index, without))
        available = self.size - len(excluded)
        if n > available:
            noun = "other completions" if excluded else "completions"
            raise InvalidInput(f"n must be at most {available}, the number of {noun}; got {n}")
        return self._texts(draw_distinct(n, self.size, generator, without=excluded))

    def _texts(self, indices: Sequence[int]) -> list[str]:
        if self._alternatives is None or self.size >= _INT64:
            return [self._text(index) for index in indices]
        places = np.array(indices, dtype=np.int64)
        columns = (c[places // size % len(c)].tolist() for c, size in self._alternatives)
        return list(map("".join, zip(*columns, strict=True)))

    @cached_property
    def _alternatives(self) -> list[tuple[NDArray[np.object_], int]] | None:
        """The characters of each position, and the number of ways to go on; None if these vary."""
        state, alternatives = self.start, []
        while state != END:
            edges = self.edges[state]
            if len(set(edges.values())) > 1:
                return None
            state = next(iter(edges.values()))
            alternatives.append((np.array([*edges], dtype=object), self._sizes[state]))
        return alternatives or None

    def _text(self, index: int) -> str:
        state, text = self.start, ""
        while state != END:
            step = self._steps[state]
            edge = bisect_right(step.before, index) - 1
            state, index = step.states[edge], index - step.before[edge]
            text += step.characters[edge]
        return text

    @cached_property
    def _sizes(self) -> list[int]:
        sizes = [1]
        for edges in self.edges[1:]:
            sizes.append(sum(sizes[target] for target in edges.values()))
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


def draw_distinct(
    n: int, size: int, generator: np.random.Generator, *, without: AbstractSet[int] = frozenset()
) -> list[int]:
    """Draw ``n`` distinct integers of ``range(size)`` outside ``without``, in random order.

    The first n steps of a sparse Fisher-Yates shuffle, so all ordered samples are equally likely,
    and with one generator a smaller sample is a prefix of a larger one. The size may exceed 64
    bits; at least ``n`` integers must be available.

    Examples
    --------
    >>> sorted(draw_distinct(4, 5, np.random.default_rng(0), without={3}))
    [0, 1, 2, 4]
    >>> draw_distinct(1, 2**122, np.random.default_rng(0))[0] > 2**64
    True
    """
    available = size - len(without)
    moved: dict[int, int] = {}
    sample = []
    for step, offset in enumerate(_draw_below(available, n, generator)):
        sample.append(moved.get(step + offset, step + offset))
        moved[step + offset] = moved.get(step, step)
    gaps = [number - rank for rank, number in enumerate(sorted(without))]
    return [number + bisect_right(gaps, number) for number in sample]


def _draw_below(bound: int, n: int, generator: np.random.Generator) -> list[int]:
    if bound < _INT64:
        numbers: list[int] = generator.integers(np.arange(bound, bound - n, -1)).tolist()
        return numbers
    return [_draw_large(bound - step, generator) for step in range(n)]


def _draw_large(bound: int, generator: np.random.Generator) -> int:
    bits = bound.bit_length()
    while True:
        number = int.from_bytes(generator.bytes(-(-bits // 8)), "little") >> -bits % 8
        if number < bound:
            return number
