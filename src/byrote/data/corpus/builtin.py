"""Text that is on every machine, by name."""

import platform

from byrote.data.corpus.corpus import Corpus
from byrote.data.corpus.lines import plain_newlines
from byrote.errors import InvalidInput

NAMES = ("python-help",)


def load_builtin(name: str, *, limit: int | None = None) -> Corpus:  # noqa: ARG001  # all is here
    """Load ``python-help``: the topics of Python's own help, sorted, one document each.

    The text is that of the Python that runs, whose version is noted.

    Raises
    ------
    InvalidInput
        If Python was installed without its help.

    Examples
    --------
    >>> corpus = load_builtin("python-help")
    >>> len(corpus.documents) > 70, corpus.characters > 400_000, list(corpus.notes)
    (True, True, ['python'])
    """
    try:
        from pydoc_data.topics import topics  # noqa: PLC0415  # half a megabyte
    except ModuleNotFoundError:
        raise InvalidInput("this Python was installed without its help (pydoc_data)") from None
    documents = tuple(plain_newlines(topics[topic]) for topic in sorted(topics))
    return Corpus(documents, notes={"python": platform.python_version()})
