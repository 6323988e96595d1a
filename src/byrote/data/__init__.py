"""Records and text in: arrays, tables, images, corpora and built-in sets, read from files."""

from byrote.data.corpus import Corpus, load_corpus
from byrote.data.loading import load
from byrote.data.records import Records

__all__ = ["Corpus", "Records", "load", "load_corpus"]
