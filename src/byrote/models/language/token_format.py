"""A format of secrets in the tokens of one model: an automaton of tokens after a prefix.

A token may hold several characters, and a sub-word tokenizer may merge the end of the prefix with
the beginning of the secret ("is 28" as "is", " 28"). The prefix is then cut back to the tokens that
never change, and its remaining characters become forced first characters of the automaton. The
automaton is that of spellings, if the tokenizer folds letters or drops spaces.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from math import log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.data.canaries.format import Format
from byrote.errors import InvalidInput
from byrote.models.language.spelling import Reading, Spelling
from byrote.models.language.steppers import token_strings

_EVEN = 16  # completions from all over the format


def token_trie(strings: Sequence[str]) -> dict[str, Any]:
    """Return a trie of token strings; the tokens that end at a node are under ''."""
    root: dict[str, Any] = {}
    for token, string in enumerate(strings):
        if string:
            node = root
            for character in string:
                node = node.setdefault(character, {})
            node.setdefault("", []).append(token)
    return root


def boundary_completions(
    trie: Mapping[str, Any], before: str, space: Format, state: int
) -> Iterator[str]:
    """Yield completions from ``state`` that may change the tokens of the text before.

    One for every token that spells the end of that text and the beginning of a completion, and some
    from all over the format.
    """
    if state == space.start:
        last = space.size - 1
        yield from (space.at(last * i // (_EVEN - 1)) for i in range(_EVEN if last else 1))
    else:
        yield from (first + _ending(space, at) for first, at in space.edges[state].items())
    for begin in range(len(before)):
        node: Mapping[str, Any] | None = trie
        for character in before[begin:]:
            node = node.get(character) if node else None
        if node:
            yield from _merged_completions(node, space, state)


def _merged_completions(node: Mapping[str, Any], space: Format, state: int) -> Iterator[str]:
    """Yield a completion for each token that continues from this node into the format."""
    for character, following in space.edges[state].items():
        below = node.get(character)
        if below is not None:
            if "" in below:
                yield character + _ending(space, following)
            yield from (character + text for text in _merged_completions(below, space, following))


def _ending(space: Format, state: int) -> str:
    text = ""
    while state != space.end:
        character, state = next(iter(space.edges[state].items()))
        text += character
    return text


def common_length(a: Sequence[int], b: Sequence[int]) -> int:
    """Return the number of tokens that two encodings share at their beginning."""
    pairs = enumerate(zip(a, b, strict=False))
    return next((place for place, (x, y) in pairs if x != y), min(len(a), len(b)))


Index = NDArray[np.intp]
_LARGEST = 2**1000  # completions; ranks are float64


class TokenFormat:
    """The completions of a format as paths of tokens after a prefix.

    Edges are numbered: those that leave automaton state s are ``offsets[s]:offsets[s + 1]``, in the
    format's order of characters. ``tokens`` and ``targets`` hold each one's token and next state,
    ``leaf`` whether a completion ends with it.

    Parameters
    ----------
    model
        A language model: ``encode``, ``decode``, and ``stepper`` or ``next_log_probs``.
    prefix
        The text before the completion.
    space
        The format of the completions.
    begun
        First characters of the completion, if known: they belong to the prefix.

    Raises
    ------
    InvalidInput
        If the model's vocabulary lacks a character of the prefix or of the format, its tokenizer
        changes characters depending on their neighbours, or there are more than 2^1000 completions.
    """

    def __init__(self, model: Any, prefix: str, space: Format, begun: str = "") -> None:
        if space.size > _LARGEST:
            raise InvalidInput(
                f"canary must have at most 2^1000 completions; it has 2^{log2(space.size):.0f}"
            )
        self._model, self._before = model, prefix + begun
        self._strings: Sequence[str] = token_strings(model, self._before)
        self.space, self.begun = space, begun
        self._begun_state = _state_after(space, begun)
        self._trie = token_trie(self._strings)
        self.spelling = Spelling(model, self._strings, prefix, space)
        first = _state_after(self.spelling.format, self.spelling.fold(begun))
        self.prefix_ids, self.lead = self._split_prefix(first)
        self._lay_out(first)

    def _split_prefix(self, first: int) -> tuple[tuple[int, ...], str]:
        """Return the tokens of the prefix that never change, and what else the first tokens spell.

        That is the end of the prefix, or a space that the tokenizer puts before a text.
        """
        prefix_ids = list(self._model.encode(self._before))
        texts = [
            self.spelling.reading(text, self._begun_state).text
            for text in boundary_completions(
                self._trie, self.spelling.spelled(prefix_ids), self.spelling.format, first
            )
        ]
        encoded = [list(self._model.encode(self._before + text)) for text in texts]
        stable = min(common_length(prefix_ids, ids) for ids in encoded)
        leads = {self._lead(ids[stable:], text) for ids, text in zip(encoded, texts, strict=True)}
        if len(leads) > 1 or None in leads:
            raise InvalidInput(
                "prefix must be spelled by whole tokens of the model; the token where the"
                " completion begins shares a character with the one before"
            )
        return tuple(int(token) for token in prefix_ids[:stable]), leads.pop() or ""

    def _lead(self, ids: Sequence[int], completion: str) -> str | None:
        """Return the spelling before a completion; None if a token spells part of a character."""
        tail, folded = self.spelling.spelled(ids), self.spelling.fold(completion)
        aligned = tail.endswith(folded) and all(self._strings[token] for token in ids)
        return tail[: len(tail) - len(folded)] if aligned else None

    def _lay_out(self, first: int) -> None:
        """Number states and edges, without those from which no completion can be finished."""
        rows: list[Mapping[str, int]] = list(self.spelling.format.edges)
        self.start, self.end = first, self.spelling.format.end
        for character in reversed(self.lead):
            rows.append({character: self.start})
            self.start = len(rows) - 1
        reachable = self._reachable(rows)
        alive = _finishing(reachable, self.end)
        counts = np.zeros(len(rows), dtype=np.intp)
        tokens: list[int] = []
        targets: list[int] = []
        for state in range(len(rows)):
            edges = [edge for edge in reachable.get(state, ()) if edge[1] in alive]
            counts[state] = len(edges)
            tokens.extend(token for token, _ in edges)
            targets.extend(target for _, target in edges)
        self.offsets: Index = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
        self.counts = counts
        self.tokens: Index = np.array(tokens, dtype=np.intp)
        self.targets: Index = np.array(targets, dtype=np.intp)
        self.leaf = self.targets == self.end
        self.single = self._one_path_each(reachable)
        if not tokens:
            raise InvalidInput(
                "canary must be one that the model's tokens can spell; none of its completions is"
            )

    def _reachable(self, rows: Sequence[Mapping[str, int]]) -> dict[int, list[tuple[int, int]]]:
        edges: dict[int, list[tuple[int, int]]] = {}
        waiting = [self.start]
        while waiting:
            state = waiting.pop()
            if state in edges or state == self.end:
                continue
            edges[state] = list(_allowed(self._trie, rows, state))
            waiting.extend(target for _, target in edges[state])
        return edges

    def _one_path_each(self, reachable: Mapping[int, list[tuple[int, int]]]) -> bool:
        """Whether tokens are characters here, so that each completion has one path."""
        if not self.spelling.plain:
            return False
        for edges in reachable.values():
            texts = [self._strings[token] for token, _ in edges]
            if len(set(texts)) < len(texts) or any(len(text) != 1 for text in texts):
                return False
        return True

    def children(self, states: Index) -> tuple[Index, Index]:
        """Return all edges of many automaton states: each one's row, and its number."""
        counts = self.counts[states]
        total = int(counts.sum())
        rows = np.repeat(np.arange(len(states)), counts)
        begin = self.offsets[states] - (np.cumsum(counts) - counts)
        return rows, np.repeat(begin, counts) + np.arange(total)

    def path(self, completion: str) -> list[int]:
        """Return the tokens of one completion after ``prefix_ids``, by the model's own encoding.

        InvalidInput if it does not have the format, or changes the tokens of the prefix.
        """
        return self.tokens[self.edges(completion)].tolist()

    def edges(self, completion: str) -> Index:
        """Return the numbered edges of one completion; errors as for ``path``."""
        self.space.index(completion)  # refuses what is not of the format
        ids = list(self._model.encode(self._before + completion[len(self.begun) :]))
        kept = len(self.prefix_ids)
        path = self._find_path(ids[kept:]) if tuple(ids[:kept]) == self.prefix_ids else None
        if path is None or not completion.startswith(self.begun):
            raise InvalidInput(
                "canary must keep the tokens of its prefix whatever secret follows; those of one"
                " completion begin differently"
            )
        return path

    def _find_path(self, ids: Sequence[int]) -> Index | None:
        state, path = self.start, []
        for token in ids:
            edge = self._leaving.get((state, token))
            if edge is None:
                return None
            path.append(edge)
            state = int(self.targets[edge])
        return np.array(path, dtype=np.intp) if state == self.end else None

    @cached_property
    def _leaving(self) -> dict[tuple[int, int], int]:
        states = np.repeat(np.arange(len(self.counts)), self.counts)
        pairs = zip(states.tolist(), self.tokens.tolist(), strict=True)
        return {pair: edge for edge, pair in enumerate(pairs)}

    def is_canonical(self, edges: Iterable[int]) -> bool:
        """Whether the model encodes prefix and completion as this path."""
        tokens = [int(self.tokens[edge]) for edge in edges]
        text = self._reading(tokens).text
        return list(self._model.encode(self._before + text)) == [*self.prefix_ids, *tokens]

    def text(self, edges: Iterable[int], like: str = "") -> str:
        """Return the completion that a path spells; of several, the most similar to ``like``."""
        tokens = [int(self.tokens[edge]) for edge in edges]
        return self.begun + self._reading(tokens, like[len(self.begun) :]).text

    def ways(self, edges: Iterable[int]) -> int:
        """Count the completions of this path: more than one if the tokenizer folds letters."""
        return self._reading([int(self.tokens[edge]) for edge in edges]).ways

    def _reading(self, tokens: Sequence[int], like: str = "") -> Reading:
        spelled = self.spelling.spelled(tokens)[len(self.lead) :]
        return self.spelling.reading(spelled, self._begun_state, like)


def _allowed(
    node: Mapping[str, Any], rows: Sequence[Mapping[str, int]], state: int
) -> Iterator[tuple[int, int]]:
    """Yield tokens that the automaton can read from here, and their next states."""
    for character, target in rows[state].items():
        below = node.get(character)
        if below is not None:
            yield from ((token, target) for token in below.get("", ()))
            yield from _allowed(below, rows, target)


def _finishing(reachable: Mapping[int, list[tuple[int, int]]], end: int) -> set[int]:
    before: dict[int, list[int]] = {}
    for state, edges in reachable.items():
        for _, target in edges:
            before.setdefault(target, []).append(state)
    alive, waiting = set(), [end]
    while waiting:
        state = waiting.pop()
        if state not in alive:
            alive.add(state)
            waiting.extend(before.get(state, ()))
    return alive


def _state_after(space: Format, begun: str) -> int:
    state = space.start
    for position, character in enumerate(begun, 1):
        if character not in space.edges[state]:
            raise InvalidInput(
                f"completion must be of the canary's format; character {position} is not"
            )
        state = space.edges[state][character]
    return state
