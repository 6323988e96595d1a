"""Records and texts: loaded from files of many formats and built-in sets, or given as arrays."""

from byrote.data.corpus import Corpus
from byrote.data.records import Records
from byrote.data.sources import load, load_corpus
from byrote.data.text_records import TextRecords
from byrote.data.text_sources import load_texts

__all__ = ["Corpus", "Records", "TextRecords", "load", "load_corpus", "load_texts"]
