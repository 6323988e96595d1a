"""Local folders of the Hugging Face library: what is read from them, what is refused."""

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from byrote.errors import InvalidInput

_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
)


def folder(name: str, value: Any, *, holding: str) -> Path:
    """A local folder that has a file of that name.

    Raises
    ------
    InvalidInput
        If there is none: names on a hub are not looked up.
    """
    path = Path(value) if isinstance(value, str | Path) else None
    if path is None or not path.is_dir():
        raise InvalidInput(
            f"{name} must be a folder on this machine (nothing is fetched from a hub);"
            f" got {str(value)!r}"
        )
    if not (path / holding).is_file():
        raise InvalidInput(f"{name} must be a folder with {holding}; {path} has none")
    return path


def check_weights(path: Path) -> None:
    """Refuse a folder without weights as safetensors.

    Raises
    ------
    InvalidInput
        Naming the pickle, where there is one.
    """
    if any(path.glob("*.safetensors")):
        return
    pickles = sorted(p.name for p in path.iterdir() if p.suffix in _PICKLES)
    if pickles:
        raise InvalidInput(
            f"path must hold weights as safetensors; {path} has {pickles[0]}, a pickle, which is"
            " never read (save the model again with save_pretrained)"
        )
    raise InvalidInput(f"path must hold weights as safetensors; {path} has no such file")


def has_tokenizer(path: Path) -> bool:
    """Whether the folder has a tokenizer's files."""
    return any((path / name).is_file() for name in _TOKENIZER)


def content(path: Path) -> str:
    """A hash of what decides a model or a tokenizer: names and bytes of its files.

    Whatever else lies in the folder, an optimizer's state or a model card, has no part in it.
    """
    digest = hashlib.sha256()
    for file in sorted(_deciding(path)):
        state = file.stat()
        digest.update(f"{file.name} {_hash(file, state.st_size, state.st_mtime_ns)}\n".encode())
    return digest.hexdigest()[:32]


def _deciding(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    yield from path.glob("*.safetensors")
    yield from path.glob("*.safetensors.index.json")
    for name in ("config.json", *_TOKENIZER):
        if (path / name).is_file():
            yield path / name


@lru_cache(maxsize=256)
def _hash(file: Path, size: int, changed: int) -> str:
    """Read once per process, again where size or time of change differ."""
    del size, changed
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
