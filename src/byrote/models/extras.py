"""Optional libraries: imported when needed, refused with the line that installs them."""

import importlib
from importlib.util import find_spec
from typing import Any

from byrote.errors import MissingExtra

# By importable name: what needs it, its distribution, and the extra of byrote that has it.
_EXTRAS = {
    "opacus": ("dp", "opacus", "dp"),
    "dp_accounting": ("dp", "dp-accounting", "dp"),
    "ray": ("executor 'ray'", "Ray", "ray"),
    "transformers": ("CausalLM", "transformers", "hf"),
    "zuko": ("Flow", "Zuko", "flows"),
}
DP_LIBRARIES = ("opacus", "dp_accounting")


def check_installed(*packages: str) -> None:
    """Refuse work that needs a missing library, before any of it is done."""
    for package in packages:
        if find_spec(package) is None:
            needed_by, distribution, extra = _EXTRAS[package]
            raise MissingExtra(
                f"{needed_by} needs {distribution}, which is not installed:"
                f" pip install 'byrote[{extra}]'"
            )


def import_extra(module: str) -> Any:
    """Import a module of an optional library."""
    check_installed(module.partition(".")[0])
    return importlib.import_module(module)
