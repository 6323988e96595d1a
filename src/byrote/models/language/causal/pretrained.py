"""Networks and tokenizers from local folders or configurations; nothing is run or downloaded."""

import hashlib
import importlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from numpy.typing import ArrayLike

from byrote.errors import InvalidInput
from byrote.models.extras import import_extra
from byrote.models.torch_utils import check_sizes

_SPECIAL_TOKENS = ("bos_token_id", "eos_token_id", "pad_token_id")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json", "merges.txt", "vocab.txt", "tokenizer.model", "spiece.model",
    "sentencepiece.bpe.model",
)  # fmt: skip
_WAY_OUT = ", where nothing is: byrote downloads no models, so save one first (save_pretrained)"
_OFFLINE = dict.fromkeys(
    ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"), "1"
)


def load_tokenizer(source: Any) -> Any:
    """Load a tokenizer from the files of a local folder."""
    path = Path(source) if isinstance(source, str | Path) else None
    if path is None or not path.is_dir() or not _has_tokenizer(path):
        raise InvalidInput(
            "tokenizer must be a folder on this machine with a tokenizer's files (tokenizer.json);"
            f" got {str(source)!r}{_WAY_OUT if path is not None and not path.exists() else ''}"
        )
    auto = import_extra("transformers").AutoTokenizer.from_pretrained
    return _load("tokenizer", path, lambda: auto(str(path), **_local()))


def _has_tokenizer(path: Path) -> bool:
    return any((path / name).is_file() for name in _TOKENIZER_FILES)


def tokenizer_folder(path: Any, config: Any, tokenizer: Any) -> Any:
    """Return the folder of the tokenizer; by default that of the model or its configuration."""
    if tokenizer is not None:
        return tokenizer
    if path is not None:
        return path
    if isinstance(config, str | Path):
        config = Path(config)
        return config.parent if config.is_file() else config
    raise InvalidInput("tokenizer must be the folder of a tokenizer where config is a mapping")


def load_network(path: str | Path) -> Any:
    """Load the network of a local folder with its weights, in single precision."""
    folder = check_folder(path)
    auto = import_extra("transformers").AutoModelForCausalLM.from_pretrained
    options = {"use_safetensors": True, "dtype": torch.float32, **_local()}
    return _load("path", folder, lambda: auto(str(folder), **options)).train()


def untrained_network(config: Any, weights: Mapping[str, ArrayLike] | None = None) -> Any:
    """Make a network with random weights, from PyTorch's global generator.

    With weights to be loaded, a network much larger than they are is refused.
    """
    if weights is not None:
        sizes = _sizes(config.get_text_config())
        check_sizes(weights, of="model's configuration", **sizes)
    auto = import_extra("transformers").AutoModelForCausalLM.from_config
    options = {"dtype": torch.float32, "trust_remote_code": False}
    return _load("config", config.model_type, lambda: auto(config, **options)).train()


def load_configuration(source: Any, tokenizer: Any) -> Any:
    """Read a configuration from a mapping, a config.json or its folder, for the tokenizer.

    Vocabulary size and special tokens missing in a mapping are the tokenizer's.
    """
    values = dict(source) if isinstance(source, Mapping) else _read_json(source)
    name = values.pop("model_type", None)
    transformers = import_extra("transformers")
    if not isinstance(name, str) or name not in transformers.CONFIG_MAPPING:
        raise InvalidInput(
            f"config must name an architecture of transformers as model_type; got {name!r}"
        )
    values.setdefault("vocab_size", len(tokenizer))
    if isinstance(source, Mapping):
        for key in _SPECIAL_TOKENS:
            values.setdefault(key, getattr(tokenizer, key))
    auto = transformers.AutoConfig.for_model
    configuration = _load("config", name, lambda: auto(name, **values))
    size = configuration.get_text_config().vocab_size
    if size < len(tokenizer):
        raise InvalidInput(
            f"config must have a vocab_size of at least the tokenizer's {len(tokenizer)};"
            f" got {size}"
        )
    return configuration


def _read_json(source: Any) -> dict[str, Any]:
    path = Path(source) if isinstance(source, str | Path) else None
    if path is not None and path.is_dir():
        path /= "config.json"
    if path is None or not path.is_file():
        raise InvalidInput(
            f"config must be a mapping, or the path of a config.json; got {str(source)[:200]!r}"
        )
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise InvalidInput(f"config must be a JSON object; {path} is not")
    return {key: value for key, value in values.items() if key != "transformers_version"}


def _sizes(config: Any) -> dict[str, int]:
    sizes = {name: getattr(config, name, 0) for name in ("hidden_size", "vocab_size")}
    sizes["layers"] = getattr(config, "num_hidden_layers", 0)
    return {name: size if isinstance(size, int) else 0 for name, size in sizes.items()}


def _local() -> dict[str, bool]:
    return {"local_files_only": True, "trust_remote_code": False}


def _load(name: str, source: Any, load: Callable[[], Any]) -> Any:
    try:
        with _offline():
            return load()
    except InvalidInput:
        raise
    except Exception as error:  # the library may raise anything on a damaged file
        text = " ".join(str(error).split())[:300]
        raise InvalidInput(
            f"{name}: transformers cannot load {source}: {type(error).__name__}: {text}"
        ) from None


@contextmanager
def _offline() -> Iterator[None]:
    """Disable hub, usage statistics and progress bars for the length of a block.

    The hub's library reads its environment once, when imported; so both are set and restored.
    """
    logging = import_extra("transformers").utils.logging
    constants = importlib.import_module("huggingface_hub.constants")
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        with (
            patch.dict(os.environ, _OFFLINE),
            patch.object(constants, "HF_HUB_OFFLINE", True),
            patch.object(constants, "HF_HUB_DISABLE_TELEMETRY", True),
        ):
            yield
    finally:
        if shown:
            logging.enable_progress_bar()


def check_folder(value: Any) -> Path:
    """Refuse a ``path`` without config.json and safetensors; a pickle is named, not read."""
    path = Path(value) if isinstance(value, str | Path) else None
    if path is None or not path.is_dir():
        raise InvalidInput(
            "path must be a folder on this machine (nothing is fetched from a hub);"
            f" got {str(value)!r}"
        )
    if not (path / "config.json").is_file():
        raise InvalidInput(f"path must be a folder with config.json; {path} has none")
    if any(path.glob("*.safetensors")):
        return path
    pickles = sorted(p.name for p in path.iterdir() if p.suffix in _PICKLES)
    if pickles:
        raise InvalidInput(
            f"path must hold weights as safetensors; {path} has only a pickle, {pickles[0]}, and"
            " pickles are never read (save the model again with save_pretrained)"
        )
    raise InvalidInput(f"path must hold weights as safetensors; {path} has no such file")


def content_hash(path: Path) -> str:
    """Hash the names and bytes of the files that define a model or a tokenizer.

    Other files in the folder, such as an optimizer's state, are ignored.
    """
    digest = hashlib.sha256()
    for file in sorted(_defining_files(path)):
        state = file.stat()
        hash_ = _file_hash(file, state.st_size, state.st_mtime_ns)
        digest.update(f"{file.name} {hash_}\n".encode())
    return digest.hexdigest()[:32]


def _defining_files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    yield from path.glob("*.safetensors")
    yield from path.glob("*.safetensors.index.json")
    for name in ("config.json", *_TOKENIZER_FILES):
        if (path / name).is_file():
            yield path / name


@lru_cache(maxsize=256)
def _file_hash(file: Path, size: int, modified: int) -> str:
    """Hash a file once per process, and again if size or modification time differ."""
    del size, modified
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
