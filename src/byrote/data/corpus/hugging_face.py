"""Corpora from data sets that Hugging Face's ``datasets`` saved to a folder; never from its hub."""

from importlib.util import find_spec
from pathlib import Path

from byrote import checks
from byrote.data.corpus import text_columns
from byrote.data.corpus.corpus import Corpus
from byrote.data.damage import refused
from byrote.errors import InvalidInput, MissingExtra


def load_saved(source: str, *, column: str | None = None, part: str | None = None) -> Corpus:
    """Load one column of a data set that ``save_to_disk`` wrote, one row a document.

    Parameters
    ----------
    source
        Path of the folder.
    column
        Name of the column of texts; may be left out as for tables.
    part
        Which part of a data set in parts; train if not given.

    Raises
    ------
    InvalidInput
        If the folder is damaged, or there is no such part or column of texts.
    MissingExtra
        If ``datasets`` is not installed.
    """
    if find_spec("datasets") is None:
        raise MissingExtra(
            "a data set saved by Hugging Face needs datasets, which is not installed:"
            " pip install 'byrote[hf]'"
        )
    import datasets  # noqa: PLC0415  # an extra

    with refused("the saved data set is damaged or incomplete", Exception):
        # an absolute path can be taken for nothing but a folder
        found = datasets.load_from_disk(str(Path(source).resolve()))
        if isinstance(found, datasets.DatasetDict):
            found = found[checks.choice("part", part or "train", found)]
        elif part is not None:
            raise InvalidInput("part means nothing for a data set that was saved as one")
        schema = found.features.arrow_schema
        name = text_columns.choose(schema.names, text_columns.text_names(schema), column)
        return Corpus(text_columns.values(name, found.with_format("arrow")[:].column(name)))
