"""Text in: corpora from files, folders, tables and built-in sets."""

from byrote.data.corpus.corpus import Corpus
from byrote.data.corpus.loading import load_corpus

__all__ = ["Corpus", "load_corpus"]
