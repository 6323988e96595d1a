"""Parquet files opened with their checksums verified; what is damaged is refused in a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pa_parquet

from byrote.data.damage import refused

_DAMAGE = (pa.ArrowException, OSError, ValueError, OverflowError)


@contextmanager
def open_parquet(source: str) -> Iterator[Any]:
    """Open a Parquet file for the length of a block, in which damage may come to light."""
    with (
        refused("the file is truncated, damaged or not Parquet", *_DAMAGE),
        pa_parquet.ParquetFile(source, page_checksum_verification=True) as file,
    ):
        yield file
