"""One door for text: finds out what a source is and hands it to what reads it."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from byrote import checks
from byrote.data.corpus.builtin import NAMES, load_builtin
from byrote.data.corpus.corpus import Corpus
from byrote.data.corpus.files import load_file, load_folder
from byrote.data.corpus.saved import is_saved
from byrote.data.notices import noticed
from byrote.data.sources import check_options, missing, text_of
from byrote.errors import InvalidInput

_OPTIONS = {  # what a source is called in messages, and the options that mean something for it
    "a built-in set": (),
    "a text file": (),
    "a folder of text files": (),
    "a saved data set": ("column", "part"),
    ".csv": ("column",),
    ".jsonl": ("column",),
    ".ndjson": ("column",),
    ".parquet": ("column",),
}


def load_corpus(
    source: str | os.PathLike[str],
    *,
    column: str | None = None,
    part: str | None = None,
    characters: int | str | None = None,
) -> Corpus:
    r"""Load text from a file, a folder, a table, a saved data set, or what Python has built in.

    Text is UTF-8, read strictly; a byte order mark is dropped. ``"\r\n"`` and ``"\r"`` become
    ``"\n"``, as Python reads text; all else stays as it is, characters of value 0 too. Empty
    documents are dropped, and counted in ``notes``.

    Parameters
    ----------
    source
        ``"python-help"``, the topics of Python's own help in the version that runs (noted), one
        document each; or the path of a text file (one document), of a folder of text files (.txt,
        .md and the like; one each, in the order of their paths, hidden ones skipped), of JSON
        lines (.jsonl, .ndjson), .csv or .parquet (one row, one document), or of a folder that
        Hugging Face's ``save_to_disk`` wrote. All but Parquet may be gzipped, ``.gz``.
    column
        Which column of a table holds the text; if not given, ``text`` or the only one that does.
    part
        Which part of a saved data set in parts; train if not given.
    characters
        Take the first so many characters at most, to the last end of a line among them. Little
        more than these is read.

    Returns
    -------
    Corpus
        With the source as written, the options given, and notes on what was dropped or skipped.

    Raises
    ------
    InvalidInput
        If the source is missing, damaged, empty or not UTF-8 (the file and the byte are named), an
        option means nothing for it, or a column cannot be told. The message never quotes text.

    Examples
    --------
    >>> corpus = load_corpus("python-help", characters=10_000)
    >>> 9_000 < corpus.characters <= 10_000, corpus.source, corpus.options
    (True, 'python-help', {'characters': '10000'})
    """
    name = text_of("source", source)
    asked = {"column": column, "part": part}
    given = {option: text_of(option, value) for option, value in asked.items() if value is not None}
    kind = _kind(name)
    with noticed(name):
        return _load(kind, name, given, characters)


def _load(kind: str, name: str, given: dict[str, str], characters: int | str | None) -> Corpus:
    try:
        check_options(kind, given, _OPTIONS[kind])
        limit = None if characters is None else checks.count("characters", characters)
        found = _READERS[kind](name, **given, limit=limit)
        if limit is not None:
            found = found.first(limit)
            given["characters"] = str(limit)
        return replace(found, source=name, options=given)
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error}") from None
    except OSError as error:
        raise InvalidInput(f"{name}: cannot be read ({error.strerror})") from None


def _kind(source: str) -> str:
    path = Path(source)
    if source in NAMES:
        return "a built-in set"
    if path.is_dir():
        return "a saved data set" if is_saved(path) else "a folder of text files"
    if not path.is_file():
        raise InvalidInput(missing(source, NAMES))
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    return suffix if suffix in _OPTIONS else "a text file"


# pyarrow is imported only for what needs it


def _load_csv(source: str, **options: Any) -> Corpus:
    from byrote.data.corpus.tables import load_csv  # noqa: PLC0415

    return load_csv(source, **options)


def _load_parquet(source: str, **options: Any) -> Corpus:
    from byrote.data.corpus.tables import load_parquet  # noqa: PLC0415

    return load_parquet(source, **options)


def _load_json_lines(source: str, **options: Any) -> Corpus:
    from byrote.data.corpus.json_lines import load_json_lines  # noqa: PLC0415

    return load_json_lines(source, **options)


def _load_saved(source: str, **options: Any) -> Corpus:
    from byrote.data.corpus.hugging_face import load_saved  # noqa: PLC0415

    return load_saved(source, **options)


_READERS: dict[str, Callable[..., Corpus]] = {
    "a built-in set": load_builtin,
    "a text file": load_file,
    "a folder of text files": load_folder,
    "a saved data set": _load_saved,
    ".csv": _load_csv,
    ".jsonl": _load_json_lines,
    ".ndjson": _load_json_lines,
    ".parquet": _load_parquet,
}
