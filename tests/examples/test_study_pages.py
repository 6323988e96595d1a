"""The commands of the pages of studies, as they stand there, as far as the first fit.

They take hours. Here data are made up, of fewer records, and studies end where their first model
would be trained: tests/cli/test_study.py and tests/studies carry them through at tiny size. Other
commands run at a smaller size; of the programs that measure only the options are read.
"""

import argparse
import io
import re
import runpy
import shlex
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pages import ROOT, indented_commands, words_of

FOLDER = ROOT / "docs" / "studies"
PAGES = ["docs/demo.md", "docs/levels.md", "docs/studies.md"]
PAGES += [f"docs/studies/{path.name}" for path in sorted(FOLDER.glob("*.md"))]
OURS = re.compile(r"byrote study|python (-c|benchmarks/)")
SMALL = [
    ("--pairs", "--pairs --records 60"),
    ("epochs=25", "epochs=1 --set hidden=[8] --set draws=1"),
    ("--probes 2000 --fits 10", "--probes 4 --fits 2"),
    ("--canary", "--characters 6000 --canary"),
    ("--insertions 1,4,16,64", "--insertions 1,4 --references 50 --set hidden=4 --max-queries 9"),
    ("--epochs 6 --track 2,4", "--epochs 2 --track 1"),
    ("--epochs 3 --keep", "--epochs 1 --keep"),
    ("--workers 2", ""),
]


@pytest.fixture
def data(tmp_path):
    """The files that the pages name, with made-up images and texts."""
    generator = np.random.default_rng(0)
    (tmp_path / "mnist").mkdir()
    for name, start in (("train", "train"), ("test", "t10k")):
        x, y = generator.integers(0, 256, (700, 28, 28), dtype=np.uint8), np.arange(700) % 10
        np.savez(tmp_path / f"mnist_{name}.npz", x=x, y=y)
        for kind, head in (("images-idx3", (700, 28, 28)), ("labels-idx1", (700,))):
            content = (x if len(head) > 1 else y.astype(np.uint8)).tobytes()
            sizes = b"".join(size.to_bytes(4, "big") for size in head)
            path = tmp_path / "mnist" / f"{start}-{kind}-ubyte"
            path.write_bytes(bytes([0, 0, 8, len(head)]) + sizes + content)
    for name in ("cifar10_train_10000", "cifar10_test_2000"):
        x = generator.integers(0, 256, (64, 32, 32, 3), dtype=np.uint8)
        pd.DataFrame({"image": [{"bytes": png(each)} for each in x]}).to_parquet(
            tmp_path / f"{name}.parquet"
        )
    for name in ("kjv.txt", "tinyshakespeare.txt"):
        lines = (f"{k} {k % 7} cats on {k % 5} mats and " * 5 for k in range(240))
        (tmp_path / name).write_text("\n".join(lines))


def png(values):
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, format="png")
    return stream.getvalue()


def stop(data, settings, out, **_):
    """End a study before its first fit, with what it would fit in hand."""
    assert data.requests(settings)
    raise KeyboardInterrupt


@pytest.mark.usefixtures("data")
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("page", [page for page in PAGES if indented_commands(page)])
def test_the_commands_of_a_study_are_good_as_far_as_its_first_fit(byrote_, monkeypatch, page):
    monkeypatch.setattr("byrote.cli.verbs.study.execute", stop)
    lines = [line for line in indented_commands(page) if OURS.match(line) or "/studies/" in page]
    assert lines
    for line in lines:
        if line.startswith("python -c "):
            exec(shlex.split(line)[2], {})
        elif line.startswith("python "):
            read_options(line, monkeypatch)
        elif line.startswith("byrote study "):
            few = " --records 60" if re.search("--data (mnist|cifar)", line) else ""
            code, _, err = byrote_(*words_of(line + few))
            assert (code, "interrupted" in err) == (130, True), err
        else:
            code, _, err = byrote_(*words_of(line, SMALL))
            assert code == 0, err


def read_options(line, monkeypatch):
    """Run a program of the repository until it has read its options."""
    read = argparse.ArgumentParser.parse_args

    def parse(self, *arguments):
        read(self, *arguments)
        sys.exit(0)

    _, program, *arguments = shlex.split(line)
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse)
    monkeypatch.setattr(sys, "argv", [program, *arguments])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / program), run_name="__main__")
    assert ended.value.code == 0
