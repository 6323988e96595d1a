"""What stands beside the scores in their table."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Beside:
    """A sentence for the summary, and a cell for each of n records, empty where nothing is said."""

    title: str
    sentence: str
    cells: Sequence[str]
