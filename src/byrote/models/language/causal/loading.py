"""Networks and tokenizers from local files or from a configuration; nothing is run or fetched."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from numpy.typing import ArrayLike

from byrote.errors import InvalidInput
from byrote.models.language.causal import files
from byrote.models.language.causal.library import offline, transformers
from byrote.models.network_weights import check_sizes

_SPECIAL = ("bos_token_id", "eos_token_id", "pad_token_id")


def tokenizer_of(source: Any) -> Any:
    """A tokenizer from the files of a local folder.

    Raises
    ------
    InvalidInput
        If there is none that can be read.
    """
    path = Path(source) if isinstance(source, str | Path) else None
    if path is None or not path.is_dir() or not files.has_tokenizer(path):
        raise InvalidInput(
            "tokenizer must be a folder on this machine with a tokenizer's files (tokenizer.json);"
            f" got {str(source)!r}"
        )
    auto = transformers().AutoTokenizer.from_pretrained
    return _read("tokenizer", path, lambda: auto(str(path), **_local()))


def tokenizer_folder(path: Any, config: Any, tokenizer: Any) -> Any:
    """Where the tokenizer is: as said, or beside the model or its configuration."""
    if tokenizer is not None:
        return tokenizer
    if path is not None:
        return path
    if isinstance(config, str | Path):
        place = Path(config)
        return place.parent if place.is_file() else place
    raise InvalidInput("tokenizer must be the folder of a tokenizer where config is a mapping")


def pretrained(path: str | Path) -> Any:
    """The network of a local folder with its weights, in single precision.

    Raises
    ------
    InvalidInput
        If the folder holds no causal model with weights as safetensors.
    """
    place = files.folder("path", path, holding="config.json")
    files.check_weights(place)
    load = transformers().AutoModelForCausalLM.from_pretrained
    model = _read(
        "path",
        place,
        lambda: load(str(place), use_safetensors=True, dtype=torch.float32, **_local()),
    )
    return model.train()


def untrained(config: Any, weights: Mapping[str, ArrayLike] | None = None) -> Any:
    """A network of this configuration with random weights, from PyTorch's global generator.

    Raises
    ------
    InvalidInput
        If none can be made, or none so large that is to be given the weights.
    """
    if weights is not None:
        check_sizes(weights, of="configuration", **_sizes(config.get_text_config()))
    make = transformers().AutoModelForCausalLM.from_config
    return _read(
        "config",
        config.model_type,
        lambda: make(config, dtype=torch.float32, trust_remote_code=False),
    ).train()


def configuration(source: Any, tokenizer: Any) -> Any:
    """A configuration from a mapping, a config.json or its folder, made to fit the tokenizer.

    A mapping without vocabulary size or special tokens gets the tokenizer's.

    Raises
    ------
    InvalidInput
        If it names no architecture or has too small a vocabulary.
    """
    values = dict(source) if isinstance(source, Mapping) else _from_file(source)
    name = values.pop("model_type", None)
    if not isinstance(name, str) or name not in transformers().CONFIG_MAPPING:
        raise InvalidInput(
            f"config must name an architecture of transformers as model_type; got {name!r}"
        )
    values.setdefault("vocab_size", len(tokenizer))
    for key in _SPECIAL:
        if not isinstance(source, Mapping):
            break
        values.setdefault(key, getattr(tokenizer, key))
    make = transformers().AutoConfig.for_model
    made = _read("config", name, lambda: make(name, **values))
    size = made.get_text_config().vocab_size
    if size < len(tokenizer):
        raise InvalidInput(
            f"config must have a vocab_size of at least the tokenizer's {len(tokenizer)};"
            f" got {size}"
        )
    return made


def _from_file(source: Any) -> dict[str, Any]:
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
        raise InvalidInput(f"config must be a JSON object; {path} is none")
    return {key: value for key, value in values.items() if key != "transformers_version"}


def _sizes(config: Any) -> dict[str, int]:
    sizes = {name: getattr(config, name, 0) for name in ("hidden_size", "vocab_size")}
    sizes["layers"] = getattr(config, "num_hidden_layers", 0)
    return {name: size if isinstance(size, int) else 0 for name, size in sizes.items()}


def _local() -> dict[str, bool]:
    return {"local_files_only": True, "trust_remote_code": False}


def _read(name: str, source: Any, load: Callable[[], Any]) -> Any:
    try:
        with offline():
            return load()
    except InvalidInput:
        raise
    except Exception as error:  # the library raises whatever a damaged file makes it stumble over
        text = " ".join(str(error).split())[:300]
        raise InvalidInput(
            f"{name}: transformers cannot load {source}: {type(error).__name__}: {text}"
        ) from None
