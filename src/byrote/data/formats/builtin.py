"""Built-in sets, which need no file: digits, Fashion-MNIST, Python's help, made-up e-mails."""

import builtins
import platform
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from byrote.data.corpus import Corpus
from byrote.data.formats.idx import load_idx_folder, part_images
from byrote.data.made_up_mails import made_up_mails
from byrote.data.records import Records
from byrote.data.text_rows import TextRows
from byrote.data.text_stream import normalize_newlines
from byrote.errors import InvalidInput

_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")


def load_builtin(name: str, *, part: str | None = None) -> Records:
    """Load a built-in set: grey images (n, h, w) with integer labels.

    ``digits`` is scikit-learn's, 1,797 images of 8x8, float32 in [0, 1]. ``fashion-mnist`` is that
    of Debian's package dataset-fashion-mnist, uint8 images of 28x28: 60,000 for training, or 10,000
    with ``part="test"``.

    Examples
    --------
    >>> load_builtin("digits").x.shape
    (1797, 8, 8)
    """
    if name == "fashion-mnist":
        return _fashion_mnist(part or "train")
    if part is not None:
        raise InvalidInput("part does not apply to digits, which has a single part")
    from sklearn.datasets import load_digits  # noqa: PLC0415 (slow to load)

    bunch = load_digits()
    return Records((bunch.images / 16).astype(np.float32), labels=bunch.target)


def _fashion_mnist(part: str) -> Records:
    if part_images(_FASHION_MNIST, part) is None:
        raise InvalidInput(
            "the set is not on this machine; install Debian's package dataset-fashion-mnist"
        )
    return load_idx_folder(str(_FASHION_MNIST), part=part)


def load_builtin_texts(name: str, *, limit: int | None = None) -> Corpus:  # noqa: ARG001
    """Load a built-in set of texts, sorted by name.

    ``python-help`` holds the topics of the running Python's own help, whose version is noted,
    ``python-classes`` its help of the built-in classes, in which inherited methods repeat, and
    ``made-up-mails`` 2,000 e-mails of an imaginary firm; one document each.

    Examples
    --------
    >>> corpus = load_builtin_texts("python-help")
    >>> len(corpus.documents) > 70, corpus.characters > 400_000, list(corpus.notes)
    (True, True, ['python'])
    >>> len(load_builtin_texts("python-classes").documents) > 80
    True
    """
    texts = _TEXTS[name]()
    notes = {} if name == _MAILS else {"python": platform.python_version()}
    return Corpus(tuple(texts.values()), notes=notes)


def read_rows(name: str) -> TextRows:
    """Return the topics or classes of Python's help, or the e-mails, with their names as ids."""
    texts = _TEXTS[name]()
    return TextRows(list(texts.values()), np.array(list(texts)))


def _help_topics() -> dict[str, str]:
    try:
        from pydoc_data.topics import topics  # noqa: PLC0415 (half a megabyte)
    except ModuleNotFoundError:
        raise InvalidInput("this Python was installed without its help (pydoc_data)") from None
    return {topic: normalize_newlines(topics[topic]) for topic in sorted(topics)}


@cache
def _help_of_classes() -> dict[str, str]:
    import pydoc  # noqa: PLC0415 (slow to load)

    named = sorted(vars(builtins).items())
    classes = {  # each once: IOError is OSError
        name: value for name, value in named if isinstance(value, type) and value.__name__ == name
    }
    return {name: pydoc.plain(pydoc.render_doc(each)) for name, each in classes.items()}


_MAILS = "made-up-mails"
_TEXTS: dict[str, Callable[[], dict[str, str]]] = {
    "python-help": _help_topics,
    "python-classes": _help_of_classes,
    _MAILS: made_up_mails,
}
