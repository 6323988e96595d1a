"""Text files, gzipped or not: one is one document, a folder holds one for each."""

from collections import Counter
from pathlib import Path

from byrote.data.corpus.corpus import Corpus
from byrote.data.corpus.text_stream import read_text
from byrote.errors import InvalidInput

SUFFIXES = (".adoc", ".log", ".markdown", ".md", ".org", ".rst", ".tex", ".text", ".txt")


def load_file(source: str, *, limit: int | None = None) -> Corpus:
    """Load a text file as one document; its suffix does not matter."""
    return Corpus((read_text(Path(source), limit=limit),))


def load_folder(source: str, *, limit: int | None = None) -> Corpus:
    """Load the text files of a folder and of those in it, in the order of their paths.

    Hidden files and files of other kinds are skipped and counted in ``notes``. With ``limit``, the
    first files that hold more characters are enough.

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
    texts: list[str] = []
    length = 0
    for name in found:
        texts.append(read_text(folder / name, name, None if limit is None else limit - length))
        length += len(texts[-1])
        if limit is not None and length > limit:
            break
    return Corpus(tuple(texts), notes=notes)


def _why_skipped(name: str) -> str | None:
    if any(part.startswith(".") for part in name.split("/")):
        return "hidden"
    suffix = Path(name.lower().removesuffix(".gz")).suffix
    return None if suffix in SUFFIXES else suffix or "without suffix"
