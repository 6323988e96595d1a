"""Plain text files, gzipped or not: one document each, alone or in a folder."""

from collections import Counter
from pathlib import Path

import numpy as np

from byrote.data.corpus import Corpus
from byrote.data.load_diagnostics import warn
from byrote.data.text_rows import TextRows
from byrote.data.text_stream import read_text
from byrote.errors import InvalidInput

SUFFIXES = (".adoc", ".log", ".markdown", ".md", ".org", ".rst", ".tex", ".text", ".txt")


def load_file(source: str, *, limit: int | None = None) -> Corpus:
    """Load a text file as one document, whatever its suffix."""
    return Corpus((read_text(Path(source), limit=limit),))


def load_folder(source: str, *, limit: int | None = None) -> Corpus:
    """Load the text files of a folder and its sub-folders, in the order of their paths.

    Hidden files and files of other kinds are skipped, and counted in ``notes``.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("b.txt", "a.md", ".hidden.txt", "c.png"):
    ...         _ = (Path(folder) / name).write_text(name)
    ...     corpus = load_folder(folder)
    >>> corpus.documents, corpus.notes
    (('a.md', 'b.txt'), {'files skipped': '1 .png, 1 hidden'})
    """
    names, skipped = _text_files(Path(source))
    texts: list[str] = []
    length = 0
    for name in names:
        left = None if limit is None else limit - length
        texts.append(read_text(Path(source) / name, name, left))
        length += len(texts[-1])
        if limit is not None and length > limit:
            break
    return Corpus(tuple(texts), notes={"files skipped": skipped} if skipped else {})


def read_rows(source: str) -> TextRows:
    """Read a text file, whatever its suffix, as one document without an id."""
    return TextRows([read_text(Path(source))])


def read_rows_of_folder(source: str) -> TextRows:
    """Read the text files of a folder and its sub-folders, with their relative paths as ids."""
    names, skipped = _text_files(Path(source))
    if skipped:
        warn(f"other files are skipped: {skipped}")
    return TextRows([read_text(Path(source) / name, name) for name in names], np.array(names))


def _text_files(folder: Path) -> tuple[list[str], str]:
    """Return the relative paths of text files, in order, and which other files there are."""
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    reasons = {name: _skip_reason(name) for name in sorted(paths)}
    names = [name for name, reason in reasons.items() if reason is None]
    counts = Counter(reason for reason in reasons.values() if reason is not None)
    skipped = ", ".join(f"{times} {reason}" for reason, times in sorted(counts.items()))
    if not names:
        kinds = ", ".join(SUFFIXES)
        raise InvalidInput(
            f"the folder holds no text files ({kinds}, also gzipped); "
            + (f"files of other kinds: {skipped}" if skipped else "it holds no files")
        )
    return names, skipped


def _skip_reason(name: str) -> str | None:
    if any(part.startswith(".") for part in name.split("/")):
        return "hidden"
    suffix = Path(name.lower().removesuffix(".gz")).suffix
    return None if suffix in SUFFIXES else suffix or "without suffix"
