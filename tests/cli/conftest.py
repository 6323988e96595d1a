"""The command line, called in this process, in a folder of the test's own."""

import pytest

from byrote.cli import app, exits


@pytest.fixture
def byrote_(tmp_path, monkeypatch, capfd):
    """Call the command: (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        arguments = [str(argument) for argument in arguments]
        code = exits.run(
            lambda: app.app(arguments, standalone_mode=False), debug="--debug" in arguments
        )
        return (int(code), *capfd.readouterr())

    return call
