"""What folder Hugging Face's ``datasets`` wrote, told by the names of its files alone."""

from pathlib import Path

PARTS = "dataset_dict.json"
STATE = "state.json"
_ONE = ("dataset_info.json", STATE)


def is_saved(folder: Path) -> bool:
    """Tell whether ``save_to_disk`` wrote this folder, of one data set or of several parts."""
    return (folder / PARTS).is_file() or all((folder / name).is_file() for name in _ONE)
