"""The registry of formats: every entry can be read, and every module has an entry."""

import inspect
from importlib import import_module
from pathlib import Path

import pytest

from byrote.data import formats
from byrote.data.formats.registry import RECORD_FORMATS, TEXT_FORMATS

ENTRIES = [*RECORD_FORMATS.values(), *TEXT_FORMATS.values()]


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.reader for entry in ENTRIES])
def test_an_entry_names_a_function_that_takes_its_options(entry):
    module, name = entry.reader.split(":")
    function = getattr(import_module(f"byrote.data.formats.{module}"), name)
    taken = set(inspect.signature(function).parameters) - {"source", "name"}
    if entry in TEXT_FORMATS.values():
        expected = {*entry.options, "limit"}
    elif entry.selects:
        expected = {*entry.options, "records"}
    else:
        expected = set(entry.options) - {"image"}
    assert taken == expected
    assert not entry.parts or "part" in entry.options


def test_every_module_of_a_format_has_an_entry():
    modules = {path.stem for path in Path(formats.__file__).parent.glob("*.py")}
    used = {entry.reader.split(":")[0] for entry in ENTRIES}
    assert modules - {"__init__", "registry"} == used
