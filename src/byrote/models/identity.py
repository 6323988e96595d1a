"""Identity of a model as plain data: its class, the code of a user's class, its parameters."""

import hashlib
import inspect
import json
import sysconfig
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from functools import lru_cache, partial
from pathlib import Path, PurePath
from typing import Any
from weakref import WeakKeyDictionary

import cloudpickle
import numpy as np
from numpy.typing import NDArray

SEED, NOISE = "random_state", "noise_seed"  # parameters that a run sets


def parameters(model: Any) -> Mapping[str, Any]:
    """Return the model's parameters as plain data, without the seeds that a run sets.

    What ``private_parameters`` hold, such as records, is replaced by a hash, as arrays always are;
    ``incidental_parameters`` are left out.
    """
    private = getattr(model, "private_parameters", ())
    left_out = (SEED, NOISE, *getattr(model, "incidental_parameters", ()))
    return {
        name: _hidden(plain(value)) if name in private else plain(value)
        for name, value in sorted(model.get_params(deep=False).items())
        if name not in left_out
    }


def _hidden(value: Any) -> Any:
    if not isinstance(value, list | dict):
        return value
    kind = {"class": value.get("class")} if isinstance(value, dict) else {"items": len(value)}
    return {**kind, "sha256": _hash(json.dumps(value).encode())}


def code(model: Any) -> str:
    """Hash the source of the model's class and its bases, except those of installed packages.

    Also that of the classes of its parameters, such as a generator. Empty if there is no source.
    Functions that a class calls are not followed.
    """
    classes = dict.fromkeys(map(type, (model, *model.get_params(deep=False).values())))
    codes = list(filter(None, map(_code_of_class, classes)))
    return _hash("".join(codes).encode())[:16] if len(codes) > 1 else "".join(codes)


def _code_of_class(cls: type) -> str:
    if cls not in _codes:
        _codes[cls] = _code_of(cls)
    return _codes[cls]


_codes: WeakKeyDictionary[type, str] = WeakKeyDictionary()  # reading a source takes 20 ms


def _code_of(cls: type) -> str:
    sources = []
    for base in cls.__mro__:
        with suppress(OSError, TypeError):
            if not _is_installed(inspect.getfile(base)):
                sources.append(inspect.getsource(base))
    return _hash("".join(sources).encode())[:16] if sources else ""


def _is_installed(path: str) -> bool:
    file = Path(path).resolve()
    return any(file.is_relative_to(folder) for folder in _installed_folders())


@lru_cache(maxsize=1)
def _installed_folders() -> set[Path]:
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    byrote = Path(__file__).parents[1]  # whose version is recorded
    return {folder.resolve() for folder in (byrote, *map(Path, folders))}


def file_hashes(model: Any) -> dict[str, str]:
    """Return hashes of the files that parameters name, by the model's own ``file_hashes``."""
    method = getattr(model, "file_hashes", None)
    return dict(method()) if callable(method) else {}


def class_path(model: Any) -> str:
    """Return module and qualified name of the model's class."""
    return f"{type(model).__module__}.{type(model).__qualname__}"


def plain(value: Any) -> Any:
    """Return a parameter's value as JSON: equal for equal values, different for different ones."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return _named(value)


def _named(value: Any) -> Any:  # noqa: PLR0911 (one for each kind)
    """Return an object's name or content, the same in every process."""
    if isinstance(value, Enum):
        return f"{class_path(value)}.{value.name}"
    if isinstance(value, type) or inspect.isroutine(value):
        if "<" not in value.__qualname__:  # not a lambda, nor local to a function
            return f"{value.__module__}.{value.__qualname__}"
        return {"sha256": _hash(cloudpickle.dumps(value))}
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, set | frozenset):
        return {"set": sorted(map(str, map(plain, value)))}
    if isinstance(value, bytes):
        return {"bytes": len(value), "sha256": _hash(value)}
    if hasattr(value, "__array__"):
        return _array(np.asarray(value))
    if hasattr(value, "get_params"):
        return {"class": class_path(value), **parameters(value)}
    if isinstance(value, partial):
        return {"partial": plain([value.func, value.args, value.keywords])}
    if hasattr(value, "__dict__"):
        return {"class": class_path(value), **plain(vars(value))}
    return {"class": class_path(value), "sha256": _hash(cloudpickle.dumps(value))}


def _array(array: NDArray[Any]) -> Any:
    if array.dtype.kind == "O":  # its bytes are addresses
        return plain(array.tolist())
    content = np.ascontiguousarray(array).tobytes()
    return {"array": f"{array.dtype} {array.shape}", "sha256": _hash(content)}


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def hash_files(**named: Any) -> dict[str, str]:
    """Return SHA-256, by parameter, of values that are paths of existing files."""
    paths = {name: Path(value) for name, value in named.items() if isinstance(value, str | Path)}
    hashes = {}
    for name, path in paths.items():
        if path.is_file():
            with path.open("rb") as file:
                hashes[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes
