"""Options of records: how a table is read, and what else a data set may be."""

from dataclasses import dataclass, fields
from typing import Annotated, Any

import typer

from byrote.cli.options.shared import TextColumn, argument, number, value

Key = Annotated[
    str | None,
    value("NAME", "Read the records from this array of a .npz or image column of a .parquet."),
]
Labels = Annotated[str | None, value("NAME", "Read the labels from this column, array or file.")]
SubsetSize = Annotated[int | None, number("Use a fixed random subset of N records (default: all).")]


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """Options of tables."""

    ids: Annotated[str | None, value("NAME", "Read ids from this column, array or file.")] = None
    columns: Annotated[
        str | None,
        value(
            "A,B,…", "Take only these columns of a table for values, even if they look like ids."
        ),
    ] = None
    drop: Annotated[str | None, value("A,B,…", "Leave out these columns of a table.")] = None
    categories: Annotated[
        str | None,
        value("A,B,…", "Take these columns of a table for categories, though they hold numbers."),
    ] = None
    separator: Annotated[
        str | None, value("MARK", "Split cells of a .csv at this mark, such as ; or tab.")
    ] = None
    decimal: Annotated[
        str | None, value("MARK", "Read decimals of a .csv with this mark: . or ,.")
    ] = None
    encoding: Annotated[
        str | None, value("NAME", "Read a .csv in this encoding, such as cp1252 or utf-16.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class RecordOptions(TableOptions):
    """Options of records."""

    data: Annotated[
        str,
        argument(
            "DATA",
            "Use digits or fashion-mnist (built in), a .npy, .npz, .csv, .parquet or IDX"
            " file, a folder of images, or one with the files of CIFAR-10, CelebA or MNIST;"
            " or texts: a .jsonl, .csv, .parquet or text file, or a folder of text files.",
        ),
    ]
    key: Key = None
    labels: Labels = None
    standardize: Annotated[
        bool | None,
        typer.Option(
            "--standardize/--no-standardize",
            help="Train on columns of a table at mean 0 and standard deviation 1; log p stays in"
            " its units (default for tables).",
            show_default=False,
        ),
    ] = None
    part: Annotated[
        str | None,
        value(
            "PART",
            "Use this part of the data set: train, test, or CelebA's valid (default: train).",
        ),
    ] = None
    image: Annotated[
        str | None,
        value(
            "WORDS",
            "Transform each image, in the order given: pad=N, crop=LEFT,TOP,RIGHT,BOTTOM,"
            " resize=N, celeba.",
        ),
    ] = None
    column: TextColumn = None
    unit: Annotated[
        str | None,
        value(
            "UNIT",
            "Make each document (row, file), line or window=N (characters) of texts a record"
            " (default: line for a text file, else document).",
        ),
    ] = None
    records: SubsetSize = None
    only: Annotated[
        str | None,
        value(
            "FILE",
            "Use only the records listed in this file: a .csv or .parquet with a column id,"
            " or a .txt with one id per line (byrote prune writes one).",
        ),
    ] = None


def load_options(options: TableOptions) -> dict[str, Any]:
    """Return the options of records, or of tables alone, as ``byrote.load`` takes them."""
    kind = RecordOptions if isinstance(options, RecordOptions) else TableOptions
    return {f.name: getattr(options, f.name) for f in fields(kind) if f.name != "data"}
