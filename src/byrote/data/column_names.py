"""Names of columns: checked, quoted in messages, and in lists as options give them."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from typing import Any

from byrote import checks
from byrote.errors import InvalidInput, did_you_mean

_MAX_QUOTED = 5  # names in one message


def check_columns(names: Sequence[str], **options: str | None) -> None:
    """Refuse repeated column names, and options that name no column."""
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        raise InvalidInput(
            f"column names must differ; repeated: {quote_names(repeated)} (rename all but one)"
        )
    for option, name in options.items():
        if name is not None and name not in names:
            raise InvalidInput(
                f"{option} must name a column; got {name!r}" + did_you_mean(name, names)
            )


def quote_names(names: Sequence[str]) -> str:
    """Quote the first few names, and count the others."""
    more = f" and {len(names) - _MAX_QUOTED} more" if len(names) > _MAX_QUOTED else ""
    return ", ".join(map(repr, names[:_MAX_QUOTED])) + more


def split_names(option: str, text: str | None) -> tuple[str, ...]:
    """Split names separated by commas; one that holds a comma is in double quotes.

    Examples
    --------
    >>> split_names("drop", 'name,"city, state"')
    ('name', 'city, state')
    """
    if text is None:
        return ()
    names = [name.strip() for name in next(csv.reader([text], skipinitialspace=True))]
    if not all(names):
        raise InvalidInput(f"{option} must be names separated by commas; got {checks.brief(text)}")
    return tuple(dict.fromkeys(names))


def join_names(option: str, names: Any) -> str | None:
    """Invert ``split_names``, for a text or a list of names; None for none.

    Examples
    --------
    >>> join_names("drop", ["name", "city, state"])
    'name,"city, state"'
    """
    if names is None or names == []:
        return None
    listed = [names] if isinstance(names, str) else names
    if not isinstance(listed, list | tuple) or not all(isinstance(n, str) and n for n in listed):
        raise InvalidInput(f"{option} must be a list of names; got {checks.brief(names)}")
    if isinstance(names, str):
        return names
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(listed)
    return line.getvalue()
