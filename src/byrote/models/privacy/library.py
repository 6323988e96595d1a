"""Opacus and dp-accounting: loaded when needed, named with the extra that has them."""

import importlib
from importlib.util import find_spec
from typing import Any

from byrote.errors import MissingExtra

_INSTALLED_AS = {"opacus": "opacus", "dp_accounting": "dp-accounting"}


def load(module: str) -> Any:
    """A module of one of the two libraries.

    Raises
    ------
    MissingExtra
        With the line that installs it.
    """
    check_installed(module.partition(".")[0])
    return importlib.import_module(module)


def check_installed(*packages: str) -> None:
    """Refuse private training before any work, not where a library is needed first.

    Raises
    ------
    MissingExtra
        As ``load``, if one of the packages, or of both if none is named, is not installed.
    """
    for package in packages or _INSTALLED_AS:
        if find_spec(package) is None:
            raise MissingExtra(
                f"dp needs {_INSTALLED_AS[package]}, which is not installed:"
                " pip install 'byrote[dp]'"
            )
