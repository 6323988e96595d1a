"""Near-duplicates among texts: the same text, nearly the same, or one with a shared passage."""

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from byrote import checks
from byrote.data.text_records import as_text_records
from byrote.errors import InvalidInput
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.neighbors.exact_copies import copies_of
from byrote.scores.neighbors.near_duplicates import Kind, NearDuplicates
from byrote.stats.minhash import near_pairs, ngram_hashes
from byrote.stats.shared_passages import shared_passages

Array = NDArray[np.float64]
Index = NDArray[np.intp]

NGRAM, SIMILAR, PASSAGE = 5, 0.8, 50
_EMPTY = np.empty(0, dtype=np.uint64)
_WORDS = re.compile(r"\w+|[^\w\s]")


def near_duplicate_texts(
    texts: Any,
    result: MemorizationResult | None = None,
    *,
    similarity: float = SIMILAR,
    passage: int = PASSAGE,
    encode: Callable[[str], Sequence[int]] | None = None,
) -> NearDuplicates:
    """Find texts with a near copy among the others, which hides memorization from scores.

    Two texts are near copies if the sets of their 5-grams of tokens have a Jaccard similarity of at
    least ``similarity``, as in Lee et al. (2022), "Deduplicating training data makes language
    models better". MinHash finds them, and the similarity is exact. Texts that share a passage of
    ``passage`` tokens or more are named too: a model may learn the passage from either.

    Parameters
    ----------
    texts
        As for ``byrote.recite``.
    result
        Their memorization scores, to stand beside them.
    encode
        Tokens of a text, such as a language model's ``encode`` (default: words and marks).

    Raises
    ------
    InvalidInput
        If an argument is not valid.

    Examples
    --------
    >>> text = "a copy of a text hides that either of the two was learned by heart"
    >>> duplicates = near_duplicate_texts([text, "another text", text + " indeed", text])
    >>> [str(Kind(kind)) for kind in duplicates.kind], duplicates.neighbor.tolist()
    (['copy', '', 'near copy', 'copy'], [3, -1, 0, 0])
    """
    records = as_text_records(texts)
    if result is not None and len(result) != len(records):
        raise InvalidInput(f"texts must be the {len(result)} that were scored; got {len(records)}")
    similarity = checks.fraction("similarity", similarity)
    passage = checks.integer("passage", passage, at_least=1)
    alike = _Alike(records.texts, similarity, encode)
    shared = shared_passages(alike.tokens, passage)
    group, first = alike.copies.group, alike.copies.first
    near, apart = alike.nearest()
    near, apart, other = near[group], apart[group], shared.other[group]
    kinds = [alike.copies.copied, near >= 0, other >= 0]
    return NearDuplicates(
        ids=records.ids,
        score=np.full(len(records), np.nan) if result is None else result.score,
        neighbor=np.select(kinds, [alike.copies.other, first[near], first[other]], -1),
        distance=np.select(kinds[:2], [0.0, apart], np.nan),
        q_value=np.full(len(records), np.nan),
        kind=np.select(kinds, [Kind.COPY, Kind.NEAR, Kind.PASSAGE], Kind.NONE).astype(np.int8),
        unjudged="",
        description={
            "train": len(records),
            "different": len(first),
            "space": "texts",
            "similarity": similarity,
            "passage": passage,
        },
    )


def cluster_texts(
    texts: Any,
    *,
    similarity: float = SIMILAR,
    encode: Callable[[str], Sequence[int]] | None = None,
) -> Index:
    """Return the cluster of each text, (n,): texts connected by copies and near copies.

    Clusters are numbered in the order of the texts. Arguments as for ``near_duplicate_texts``.

    Examples
    --------
    >>> cluster_texts(["one text", "another one", "one text", "a third"])
    array([0, 1, 0, 2])
    """
    records = as_text_records(texts)
    alike = _Alike(records.texts, checks.fraction("similarity", similarity), encode)
    return alike.clusters()[alike.copies.group]


class _Alike:
    """Copies among texts, and pairs of near copies among the g different ones.

    Attributes
    ----------
    copies
        Which texts are equal.
    tokens
        Tokens of the different texts.
    pairs, similarity
        (m, 2) and (m,); see ``near_pairs``.
    """

    def __init__(
        self,
        texts: Sequence[str],
        similarity: float,
        encode: Callable[[str], Sequence[int]] | None,
    ) -> None:
        digests = [hashlib.blake2b(text.encode(), digest_size=16).digest() for text in texts]
        self.copies = copies_of(np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(-1, 16))
        encode = _numbered_words() if encode is None else encode
        self.tokens = [np.asarray(encode(texts[row]), dtype=np.int64) for row in self.copies.first]
        sets = [
            np.unique(ngram_hashes(tokens, NGRAM)) if len(tokens) else _EMPTY
            for tokens in self.tokens
        ]
        self.pairs, self.similarity = near_pairs(sets, similarity)

    def nearest(self) -> tuple[Index, Array]:
        """Return the most similar text found for each, or -1, and 1 minus the similarity, (g,)."""
        both = np.concatenate([self.pairs, self.pairs[:, ::-1]])
        apart = np.tile(1 - self.similarity, 2)
        order = np.lexsort((both[:, 1], apart))[::-1]  # the nearest is written last
        neighbor = np.full(len(self.tokens), -1)
        distance = np.full(len(self.tokens), np.nan)
        neighbor[both[order, 0]] = both[order, 1]
        distance[both[order, 0]] = apart[order]
        return neighbor, distance

    def clusters(self) -> Index:
        """Return the connected component of each text, (g,)."""
        count = len(self.tokens)
        edges = (np.ones(len(self.pairs)), (self.pairs[:, 0], self.pairs[:, 1]))
        graph = coo_array(edges, shape=(count, count))
        return np.asarray(connected_components(graph, directed=False)[1], dtype=np.intp)


def _numbered_words() -> Callable[[str], list[int]]:
    """Return an encoder that numbers words and marks as they come."""
    numbers: dict[str, int] = {}
    return lambda text: [numbers.setdefault(word, len(numbers)) for word in _WORDS.findall(text)]
