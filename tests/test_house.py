"""The house: one-way imports, the public names, quick to import."""

import ast
import re
import runpy
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import byrote

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "byrote"

# A module imports from its own stage and from stages above it.
STAGES = [
    ["errors", "seeds", "checks", "display"],
    ["data", "stats"],
    ["plans"],
    ["models"],
    ["attacks"],
    ["runs"],
    ["columnar"],  # reads and writes the files of runs
    ["scores"],
    ["exposure", "memorization", "neighbors", "privacy"],  # public names alone
    ["hf"],
    ["report"],
    ["figures"],  # public names alone
    ["studies"],
    ["cli"],
]
RANK = {name: rank for rank, stage in enumerate(STAGES) for name in stage}
SECOND_STORE = {"data", "stats"}  # stand side by side: neither imports the other


def stage_of(module):
    return module.split(".")[1]


def within(statement):
    """All statements in one, however deep; expressions hold none."""
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        for each in getattr(statement, part, ()):
            yield each
            yield from within(each)


@cache
def nodes(path):
    """Imports of a file, those within functions and for types too."""
    tree = ast.parse(path.read_text())
    return [node for node in within(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def imports(path):
    for node in nodes(path):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("byrote"):
            yield from (
                [f"byrote.{alias.name}" for alias in node.names]
                if node.module == "byrote"
                else [node.module]
            )
        else:
            yield from (a.name for a in node.names if a.name.startswith("byrote."))


def test_imports_go_one_way():
    wrong = []
    for path in SOURCE.rglob("*.py"):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        if parts[0] in ("__init__", "__main__"):
            continue
        for module in imports(path):
            mine, theirs = parts[0], stage_of(module)
            if theirs == "__version__":
                continue
            beside = mine != theirs and {mine, theirs} <= SECOND_STORE
            if RANK[theirs] > RANK[mine] or beside:
                wrong.append(f"{'/'.join(parts)} imports {module}")
    assert not wrong


def module_of(path):
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_no_files_import_one_another_in_a_circle():
    """Imports for types and within functions count too."""
    files = {module_of(path): path for path in SOURCE.rglob("*.py")}
    needed = {module: set() for module in files}
    for module, path in files.items():
        for node in nodes(path):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    named = f"{node.module}.{alias.name}"
                    needed[module].add(named if named in files else node.module)
            else:
                needed[module].update(alias.name for alias in node.names)
        needed[module] &= files.keys() - {module, "byrote"}
    while free := {module for module, others in needed.items() if not others & needed.keys()}:
        needed = {module: others for module, others in needed.items() if module not in free}
    assert not needed


def test_the_map_is_the_tree():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    lines = re.search(r"fails\notherwise\.\n\n(.*?)\n\n", text, flags=re.DOTALL)[1].splitlines()
    folders, modules, above = set(), set(), []
    for line in lines:
        indent, names = len(line) - len(line.lstrip()), re.split(r"  +", line.strip())[0]
        if names.endswith("/"):
            above = [*above[: (indent - 4) // 2], names.removesuffix("/")]
            folders.add("/".join(above))
        else:
            modules.update(names.split(", "))
    here = [path.parent.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("__init__.py")]
    assert folders == set(here) - {"."}
    assert modules == {p.stem for p in SOURCE.glob("*.py")} - {"__init__", "__main__"}


UNSPOKEN = {"result", "loading", "text", "files", "settings"}  # names that say nothing twice


def test_no_two_files_have_a_name_that_says_nothing():
    names = [path.stem for path in SOURCE.rglob("*.py") if path.stem in UNSPOKEN]
    assert len(names) == len(set(names))


def test_first_modules_import_nothing_later():
    for name in STAGES[0]:
        found = {stage_of(module) for module in imports(SOURCE / f"{name}.py")}
        assert found <= {"errors"}


def test_stats_know_arrays_only():
    for path in (SOURCE / "stats").glob("*.py"):
        assert {stage_of(module) for module in imports(path)} <= {"stats", "threads"}


def test_figures_are_documented():
    text = (ROOT / "docs" / "figures.md").read_text()
    assert [name for name in byrote.figures.__all__ if f"`{name}`" not in text] == []


@pytest.mark.parametrize("name", byrote.__all__)
def test_public_name_exists_and_is_documented(name):
    value = getattr(byrote, name)
    assert name == "__version__" or value.__doc__


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        byrote.no_such_name  # noqa: B018


def test_import_is_quick():
    slow = {"torch", "pandas", "sklearn", "scipy"}
    code = f"import sys, byrote; print(sorted({slow} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_showing_a_run_waits_for_nothing_that_is_slow_to_load(tmp_path):
    included = np.arange(12)[:, None] % 2 == np.arange(30) % 2
    log_prob = np.random.default_rng(0).normal(size=included.shape)
    byrote.run_from_table(log_prob, included, randomized=True, out=tmp_path / "run")
    slow = {"torch", "pandas", "sklearn", "scipy.stats", "scipy.optimize", "matplotlib"}
    code = f"""
import atexit, sys
atexit.register(lambda: print(sorted({slow} & set(sys.modules))))
from byrote.cli import main
sys.argv = ["byrote", "show", {str(tmp_path / "run")!r}]
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "30 of 30 records scored" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_functions_and_files_stay_small():
    for path in SOURCE.rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 300, path


def test_readme_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "README.md").read_text()
    examples = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert examples
    for number, example in enumerate(examples):
        path = tmp_path / f"example_{number}.py"
        path.write_text(example)
        runpy.run_path(str(path), run_name="__main__")
