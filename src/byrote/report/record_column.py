"""Further columns of tables of records."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class RecordColumn:
    """A further column of the table of records, and a sentence for the summary if there is one."""

    title: str
    sentence: str
    cells: Sequence[str]  # (n,) one for each record
    left: bool = False
