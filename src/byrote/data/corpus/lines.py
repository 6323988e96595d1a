r"""Lines of documents: where they begin, text put before them, cuts between them.

Lines end with ``"\n"`` alone, and a final one opens no further line. Each function is linear in the
size of the text.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate


def plain_newlines(text: str) -> str:
    r"""End every line with ``"\n"``, as Python reads text.

    Examples
    --------
    >>> plain_newlines("one\r\ntwo\rthree\n")
    'one\ntwo\nthree\n'
    """
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def count_lines(document: str) -> int:
    r"""Number of lines of a document that is not empty.

    Examples
    --------
    >>> count_lines("one"), count_lines("one\n"), count_lines("one\n\n"), count_lines("one\ntwo")
    (1, 1, 2, 2)
    """
    return document.count("\n") + (not document.endswith("\n"))


def put_before(document: str, lines: Iterable[tuple[int, str]]) -> str:
    r"""Put lines into a document, each before the line of the given number, counted from 0.

    Examples
    --------
    >>> put_before("one\ntwo\n", [(1, "new"), (1, "newer"), (0, "first")])
    'first\none\nnew\nnewer\ntwo\n'
    """
    old = document.split("\n")
    before: dict[int, list[str]] = {}
    for number, line in lines:
        before.setdefault(number, []).append(line)
    for number, some in before.items():
        old[number] = "\n".join([*some, old[number]])
    return "\n".join(old)


def nearest_cut(documents: Sequence[str], offset: int) -> int:
    r"""Offset of the line's begin or end that is nearest to an offset into the text of all.

    Examples
    --------
    >>> nearest_cut(["one\ntwo", "three"], 5), nearest_cut(["one\ntwo", "three"], 6)
    (4, 7)
    """
    before, after = _cuts_around(documents, offset)
    return before if offset - before <= after - offset else after


def last_cut(documents: Sequence[str], offset: int) -> int:
    """Offset of the last line's begin or end at or before an offset into the text of all."""
    before, after = _cuts_around(documents, offset)
    return after if after == offset else before


def cut(documents: Sequence[str], offset: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Documents up to an offset into the text of all, and from there on; one may be cut in two.

    Examples
    --------
    >>> cut(["one", "three"], 5)
    (('one', 'th'), ('ree',))
    >>> cut(["one", "three"], 3)
    (('one',), ('three',))
    """
    place, start = _find(documents, offset)
    document = documents[place]
    head, tail = document[: offset - start], document[offset - start :]
    first = (*documents[:place], *([head] if head else []))
    return first, (*([tail] if tail else []), *documents[place + 1 :])


def _find(documents: Sequence[str], offset: int) -> tuple[int, int]:
    """The document that an offset falls into, and where it starts; the last one has its end."""
    starts = list(accumulate(map(len, documents[:-1]), initial=0))
    place = bisect_right(starts, offset) - 1
    return place, starts[place]


def _cuts_around(documents: Sequence[str], offset: int) -> tuple[int, int]:
    """Nearest begin of a line at or before an offset, and nearest end of one at or after it."""
    place, start = _find(documents, offset)
    document = documents[place]
    before = document.rfind("\n", 0, offset - start) + 1
    if start + before == offset:
        return offset, offset
    newline = document.find("\n", offset - start)
    return start + before, start + (len(document) if newline < 0 else newline + 1)
