"""What a library raises on a damaged file, turned into one sentence of ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from byrote.errors import InvalidInput


@contextmanager
def refused(sentence: str, *errors: type[Exception]) -> Iterator[None]:
    """Raise InvalidInput with this sentence in place of any of these errors.

    The original is not chained: its text may quote what the file contains, and records are private.

    Examples
    --------
    >>> with refused("the file is truncated", EOFError):
    ...     raise EOFError
    Traceback (most recent call last):
    byrote.errors.InvalidInput: the file is truncated
    """
    try:
        yield
    except InvalidInput:  # a ValueError too, but already a sentence
        raise
    except errors:
        raise InvalidInput(sentence) from None
