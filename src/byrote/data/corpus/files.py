"""Text files, gzipped or not: one is one document, a folder holds one for each."""

from collections import Counter
from pathlib import Path

from byrote.data.corpus.corpus import Corpus
from byrote.data.gzipped import contents
from byrote.errors import InvalidInput

SUFFIXES = (".adoc", ".log", ".markdown", ".md", ".org", ".rst", ".tex", ".text", ".txt")

_BOM = "\ufeff"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_text(path: Path, name: str = "the file") -> str:
    """Read a file of UTF-8, unzipped; a byte order mark at its begin is dropped.

    Raises
    ------
    InvalidInput
        If a byte is no UTF-8, which is named by its position in the unzipped file, or if the file
        is cut off.

    Examples
    --------
    >>> import gzip, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.txt.gz"
    ...     _ = path.write_bytes(gzip.compress("naïve".encode()))
    ...     read_text(path)
    'naïve'
    """
    data, whole = contents(path)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        position = error.start
    else:
        if not whole:
            raise InvalidInput(f"{name} is damaged: its gzip stream ends early or wrongly")
        return text.removeprefix(_BOM)
    begins = " (it begins as UTF-16 does)" if data.startswith(_UTF_16) else ""
    raise InvalidInput(
        f"{name} must be UTF-8 text; byte {position}, counted from 0, is not{begins}"
    )


def load_file(source: str) -> Corpus:
    """Load a text file as one document; its suffix does not matter."""
    return Corpus((read_text(Path(source)),))


def load_folder(source: str) -> Corpus:
    """Load the text files of a folder and of those in it, in the order of their paths.

    Hidden files and files of other kinds are skipped and counted in ``notes``.

    Raises
    ------
    InvalidInput
        If there is no text file, or one is not UTF-8.

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
    folder = Path(source)
    names = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    found, skipped = [], Counter[str]()
    for name in names:
        why = _why_skipped(name)
        if why is None:
            found.append(name)
        else:
            skipped[why] += 1
    said = ", ".join(f"{times} {why}" for why, times in sorted(skipped.items()))
    if not found:
        kinds = ", ".join(SUFFIXES)
        raise InvalidInput(
            f"the folder holds no text files ({kinds}, also gzipped); "
            + (f"files of other kinds: {said}" if said else "it holds no files")
        )
    notes = {"files skipped": said} if said else {}
    return Corpus(tuple(read_text(folder / name, name) for name in found), notes=notes)


def _why_skipped(name: str) -> str | None:
    if any(part.startswith(".") for part in name.split("/")):
        return "hidden"
    suffix = Path(name.lower().removesuffix(".gz")).suffix
    return None if suffix in SUFFIXES else suffix or "without suffix"
