"""Parquet files opened with their checksums verified; what is damaged is refused in a sentence."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pa_parquet

from byrote.data.damage import refused

_BYTES = 1 << 26  # read at a time
_DAMAGE = (pa.ArrowException, OSError, ValueError, OverflowError)


@contextmanager
def open_parquet(source: str, categories: Sequence[str] = ()) -> Iterator[Any]:
    """Open a Parquet file for the length of a block, in which damage may come to light.

    Texts of the columns in ``categories`` come as categories: each is held once.
    """
    with (
        refused("the file is truncated, damaged or not Parquet", *_DAMAGE),
        pa_parquet.ParquetFile(
            source, page_checksum_verification=True, read_dictionary=list(categories)
        ) as file,
    ):
        yield file


def rows_at_a_time(file: Any, most: int) -> int:
    """How many rows of an open file to read at a time, as far as its metadata tell their size.

    The metadata of single columns would tell more, but where they contradict themselves pyarrow
    ends the process.
    """
    metadata = file.metadata
    size = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    return max(1, min(most, _BYTES * metadata.num_rows // max(1, size)))
