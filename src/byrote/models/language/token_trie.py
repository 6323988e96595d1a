"""A trie of a vocabulary's token strings, and the completions that change a prefix's tokens."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from byrote.data.canaries.format import Format

_EVEN = 16  # completions from all over the format


def token_trie(strings: Sequence[str]) -> dict[str, Any]:
    """A trie of token strings; the tokens that end at a node are under ''."""
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
    """Completions from ``state`` that may change the tokens of the text before.

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
    """A completion for each token that continues from this node of the trie into the format."""
    for character, following in space.edges[state].items():
        below = node.get(character)
        if below is not None:
            if "" in below:
                yield character + _ending(space, following)
            yield from (character + text for text in _merged_completions(below, space, following))


def _ending(space: Format, state: int) -> str:
    """The first path to the end."""
    text = ""
    while state != space.end:
        character, state = next(iter(space.edges[state].items()))
        text += character
    return text


def common_length(a: Sequence[int], b: Sequence[int]) -> int:
    """Number of tokens that two encodings share at their beginning."""
    same = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        same += 1
    return same
