"""Files that a model's parameters name, as a part of what model it is."""

import hashlib
from pathlib import Path
from typing import Any


def hashes(**named: Any) -> dict[str, str]:
    """SHA-256 by parameter of those that are paths of files which are there."""
    places = {name: Path(value) for name, value in named.items() if isinstance(value, str | Path)}
    found = {}
    for name, place in places.items():
        if place.is_file():
            with place.open("rb") as file:
                found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
