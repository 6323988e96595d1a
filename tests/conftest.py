"""Nothing in a test is left to chance or to how busy the machine is."""

import gc
import itertools
import os
import random
import sys
from functools import cache, partial
from importlib import import_module
from multiprocessing import get_context
from types import SimpleNamespace

import hypothesis
import numpy as np
import pytest
import typer.main
from loky import ProcessPoolExecutor

from byrote.cli import app, exits

hypothesis.settings.register_profile(
    "byrote",
    deadline=None,
    derandomize=True,
    print_blob=True,
    max_examples=50,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("byrote")


class Numbered(np.random.SeedSequence):
    """Where nobody gives a seed, the next number of the test at hand."""

    numbers = itertools.count()

    def __init__(self, entropy=None, **more):
        super().__init__(next(self.numbers) if entropy is None else entropy, **more)


np.random.SeedSequence = Numbered


def left_to_the_system(descriptor):
    """Tests end processes, never the machine: no file waits for the disk."""


os.fsync = left_to_the_system

# What the processor says that it can do, PyTorch need not try by compiling small programs.
os.environ.setdefault("TORCHINDUCTOR_VEC_ISA_OK", "1")

# The command line is put together once: a call takes 2 ms of processor in place of 28.
typer.main.get_command = cache(typer.main.get_command)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    """Before any fixture: tests draw the same numbers alone, together and in any order."""
    Numbered.numbers = itertools.count()
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 (some estimators draw from it)
    if "torch" in sys.modules:
        sys.modules["torch"].default_generator.manual_seed(0)


gc.disable()  # until all is collected


def pytest_collection_finish():
    """What was imported and collected stays: the garbage collector need not look at it again, nor
    at every few hundred objects that a test makes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


@pytest.fixture
def without_torch(monkeypatch):
    """Workers load torch because other tests have; models that do without need not wait for it."""
    monkeypatch.setattr("byrote.runs.execute.sys", SimpleNamespace(modules={}))


@pytest.fixture
def forked_workers(monkeypatch):
    """Workers begin as forks, which have imported everything: how they begin is not the matter."""
    forked = partial(ProcessPoolExecutor, context=get_context("fork"))
    monkeypatch.setattr("byrote.runs.executors.processes.ProcessPoolExecutor", forked)


@pytest.fixture
def byrote_(tmp_path, monkeypatch, capfd):
    """Call the command in this process, in a folder of the test's own: (exit code, out, err)."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        arguments = [str(argument) for argument in arguments]
        code = exits.run(
            lambda: app.app(arguments, standalone_mode=False), debug="--debug" in arguments
        )
        return (int(code), *capfd.readouterr())

    return call


@pytest.fixture
def coarse(monkeypatch):
    """Figures have few pixels."""
    monkeypatch.setattr("byrote.cli.verbs.figures._DPI", 20)


@pytest.fixture
def first_rendered(coarse, monkeypatch):
    """The first figure is rendered; its content stands for the others, which are only drawn."""
    figures, contents = import_module("byrote.cli.verbs.figures"), []  # slow to import
    render = figures._render

    def rendered(*arguments):
        contents.extend([] if contents else [render(*arguments)])
        return contents[0]

    monkeypatch.setattr(figures, "_render", rendered)


@pytest.fixture
def unrendered(monkeypatch):
    """Figures are drawn, and their files written, where it is no matter how they look."""
    content = memoryview(b"a figure")
    monkeypatch.setattr("byrote.cli.verbs.figures._render", lambda *_: (content, False))
