"""CSV files as Arrow tables: what is no proper table is refused by its line."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from byrote.data.damage import refused
from byrote.errors import InvalidInput

_BLOCK = 1 << 24  # bytes parsed at a time, which a line must fit in
_DAMAGE = (pa.ArrowException, OSError, ValueError, OverflowError)
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")


def check_text(source: str) -> None:
    """Refuse what is not UTF-8 by its line, which Arrow does not give."""
    with Path(source).open("rb") as file:
        number = 1
        try:
            for line in file:
                line.decode()
                number += 1
        except UnicodeDecodeError:
            raise InvalidInput(f"the file must be UTF-8 text; line {number} is not") from None


def parse_csv(
    source: str | pa.BufferReader, *, text: Sequence[str] = (), newlines: bool = False
) -> pa.Table:
    r"""Parse commas, equally long lines, and a first line that names the columns.

    Parameters
    ----------
    source
        Path of the file, or its bytes.
    text
        Columns that stay text as written; the types of others follow what they hold.
    newlines
        Whether a quoted cell may hold several lines.

    Raises
    ------
    InvalidInput
        If lines differ in length, the first names no columns or the bytes are no CSV.

    Examples
    --------
    >>> table = parse_csv(pa.BufferReader(b"a,b\n1,x\n"))
    >>> table.to_pydict()
    {'a': [1], 'b': ['x']}
    """
    ragged: list[Any] = []

    def note(line: Any) -> str:
        ragged.append(line)
        return "skip"

    with refused("the file is not readable as CSV: commas, equally long lines", *_DAMAGE):
        table = pa_csv.read_csv(
            source,
            # without threads, since only then Arrow counts lines
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=_BLOCK),
            parse_options=pa_csv.ParseOptions(
                invalid_row_handler=note, newlines_in_values=newlines
            ),
            convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(text, pa.string())),
        )
        _check_lines(ragged, "row" if newlines else "line")
        header = table.column_names
    _check_header(header)
    return table


def _check_lines(ragged: Sequence[Any], name: str) -> None:
    if ragged:
        first = ragged[0]
        raise InvalidInput(
            f"every {name} must have {first.expected_columns} cells, as the first has; {name}"
            f" {first.number} has {first.actual_columns} ({name}s that differ: {len(ragged)})"
        )


def _check_header(header: Sequence[str]) -> None:
    """Refuse a first line that is data, or that leaves a column without a name."""
    numbers = [float(name) for name in header if _NUMBER.fullmatch(name)]
    counted = all(number.is_integer() for number in numbers) and numbers == sorted(set(numbers))
    if not counted:  # rising integers are how pandas names the columns of an array
        raise InvalidInput("the first line must name the columns; it holds numbers")
    if "" in header:
        raise InvalidInput(
            f"every column must have a name; column {header.index('') + 1} of {len(header)} has"
            " none (pandas writes its index so, unless told index=False)"
        )
