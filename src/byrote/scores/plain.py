"""Results that are plain data by their fields."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Plain:
    """Base of frozen results whose fields are numbers, text and the like."""

    def to_dict(self) -> dict[str, Any]:
        """The result as plain data, a name for each attribute."""
        return asdict(self)
