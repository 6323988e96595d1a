"""Records and texts: loaded from files of many formats and built-in sets, or given as arrays."""

from byrote.data.corpus import Corpus
from byrote.data.records import Records
from byrote.data.sources import load, load_corpus

__all__ = ["Corpus", "Records", "load", "load_corpus"]
