"""Text in: corpora from files, folders, tables and built-in sets."""

from byrote.data.corpus.corpus import Corpus

__all__ = ["Corpus"]
