"""What tests of commands share: runs that are made once, and figures without their pixels."""

import shutil

import pytest


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Folders of finished runs, and the answers of the commands that made them."""
    return tmp_path_factory.mktemp("made"), {}


@pytest.fixture
def once(byrote_, made, tmp_path):
    """Call a command that makes the folder ``run``; on the same files it is called but once.

    A copy knows its records by the place where they lay for the first one.
    """
    folder, answers = made

    def call(*words):
        files = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
        key = (words, *sorted((path.name, content) for path, content in files.items()))
        if key not in answers:
            answers[key] = byrote_(*words), folder / str(len(answers))
            shutil.copytree(tmp_path / "run", answers[key][1])
        else:
            shutil.copytree(answers[key][1], tmp_path / "run")
        return answers[key][0]

    return call
