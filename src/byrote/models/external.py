"""Models that byrote does not train itself: a program that a run starts, or fits made elsewhere.

They read the records themselves, so a fit gets an ``Assignment``: rows and ids in place of values.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from byrote import checks
from byrote.data.id_lists import encode_ids
from byrote.errors import InvalidInput, did_you_mean
from byrote.models.assignment import Assignment, ProgramFailed

REHEARSAL = "BYROTE_REHEARSAL"  # variable of the environment, "1" in the trial before the first fit
_PLACEHOLDERS = (
    "rows", "ids", "score_rows", "score_ids", "log_prob", "seed", "epochs", "work",
)  # fmt: skip
_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_OUTPUT = "log_prob"


class Elsewhere(BaseEstimator):  # type: ignore[misc]
    """A model whose fits are made elsewhere, and collected (``byrote collect``)."""

    takes_assignments = True
    rehearse = False

    def fit(self, X: Any) -> "Elsewhere":  # noqa: ARG002
        """Refuse: the fits of this model are made elsewhere."""
        raise InvalidInput(
            "the fits of this run are made elsewhere: byrote rows prints what each trains on, and"
            " byrote collect takes their log-likelihoods"
        )

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Refuse, as ``fit`` does."""
        raise NotImplementedError


class Command(BaseEstimator):  # type: ignore[misc]
    """A program that trains on some records and writes the log-likelihoods of others.

    It is started once for each fit. Its command line has placeholders; no shell reads it.

    Parameters
    ----------
    command
        The command line. ``{rows}`` or ``{ids}`` is a text file with the rows (counted from 0) or
        ids to train on, one on a line; ``{score_rows}`` or ``{score_ids}`` one with those to score;
        ``{log_prob}`` the file to write, as ``byrote collect`` reads it, with or without a suffix
        such as ``{log_prob}.npy``. ``{seed}`` is the fit's seed, ``{epochs}`` the parameter below
        and ``{work}`` an empty folder for the program's own files, which is removed.
    epochs
        Number of epochs, for ``{epochs}``.
    timeout
        Seconds after which a fit's program is ended and the fit has failed (default: no limit).
    rehearse
        Try the program on few records before the first fit, with ``BYROTE_REHEARSAL=1`` in its
        environment.
    random_state
        The seed; a run sets it for each fit.

    Examples
    --------
    >>> Command("python train.py --rows {rows} --seed {seed} --out {log_prob}").command
    'python train.py --rows {rows} --seed {seed} --out {log_prob}'
    """

    takes_assignments = True
    incidental_parameters = ("timeout", "rehearse")

    def __init__(
        self,
        command: str,
        epochs: int | None = None,
        timeout: float | None = None,
        rehearse: bool = True,
        random_state: int = 0,
    ) -> None:
        self.command = command
        self.epochs = epochs
        self.timeout = timeout
        self.rehearse = rehearse
        self.random_state = random_state

    def words(self) -> list[str]:
        """Return the command line in words, after checking it and the other parameters."""
        command = self.command
        if not isinstance(command, str):
            raise InvalidInput(f"command must be text; got {checks.brief(command)}")
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise InvalidInput(f"command must be a command line; {str(error).lower()}") from None
        used = set(_PLACEHOLDER.findall(command))
        for name in sorted(used - {*_PLACEHOLDERS}):
            raise InvalidInput(
                f"command must have placeholders of {', '.join(_PLACEHOLDERS)} alone; got"
                f" {{{name}}}{did_you_mean(name, _PLACEHOLDERS)}"
            )
        if not used & {"rows", "ids"} or _OUTPUT not in used:
            raise InvalidInput(
                "command must have {rows} or {ids}, the records to train on, and {log_prob}, the"
                f" file to write; got {checks.brief(command)}"
            )
        if "epochs" in used and self.epochs is None:
            raise InvalidInput("epochs must be a number for {epochs} (--set epochs=N); got None")
        if self.epochs is not None:
            checks.integer("epochs", self.epochs, at_least=1)
        if self.timeout is not None:
            checks.positive("timeout", self.timeout)
        checks.flag("rehearse", self.rehearse)
        return words

    def check_assignment(self, options: Mapping[str, str]) -> None:
        """Check the parameters; refuse rows of a part of the data, which are not those of the file.

        ``options``: those that the records were loaded with.
        """
        self.words()
        part = sorted({"records", "only"} & options.keys())
        if part and {"rows", "score_rows"} & {*_PLACEHOLDER.findall(self.command)}:
            raise InvalidInput(
                f"command must name records by ids, {{ids}}, where --{part[0]} takes a part of the"
                " data: rows of the part are not those of the file"
            )

    def fit(self, X: Assignment) -> "Command":
        """Run the program, and read what it wrote."""
        values = {"seed": str(self.random_state), "epochs": str(self.epochs)}
        values |= _written(X, {*_PLACEHOLDER.findall(self.command)})
        words = [_PLACEHOLDER.sub(lambda m: values[m[1]], word) for word in self.words()]
        try:
            self._run(words, X)
            self.log_prob_ = _read(X)
        except InvalidInput as error:
            text = str(error).replace(f"{X.work}{os.sep}", "")
            raise ProgramFailed(f"the program ended well, but {text}; see {X.log}") from None
        finally:
            shutil.rmtree(X.work, ignore_errors=True)
        return self

    def score_samples(self, X: Assignment) -> NDArray[np.float64]:  # noqa: ARG002
        """Return the log-likelihoods of the rows to score, (k,) nats."""
        return self.log_prob_

    def _run(self, words: list[str], assignment: Assignment) -> None:
        """Run the program to its end, with its output in the log."""
        environment = {**os.environ, REHEARSAL: "1"} if assignment.rehearsal else dict(os.environ)
        if not assignment.rehearsal:
            environment.pop(REHEARSAL, None)
        started = time.perf_counter()
        with _log_file(assignment.log) as log:
            try:
                process = subprocess.Popen(  # noqa: S603 (the user's command, without a shell)
                    words,
                    cwd=assignment.directory,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=os.name == "posix",
                )
            except OSError as error:
                raise ProgramFailed(f"cannot start {words[0]}: {error.strerror}") from None
            code = self._wait(process, assignment)
        if code != 0:
            after = time.perf_counter() - started
            how = f"was ended by signal {-code}" if code < 0 else f"exited with code {code}"
            raise ProgramFailed(f"the program {how} after {after:.1f} s; see {assignment.log}")

    def _wait(self, process: "subprocess.Popen[bytes]", assignment: Assignment) -> int:
        try:
            return process.wait(self.timeout)
        except subprocess.TimeoutExpired:
            raise ProgramFailed(
                f"the program was ended after its timeout of {self.timeout:g} s; see"
                f" {assignment.log}"
            ) from None
        finally:
            _end(process)


def _written(assignment: Assignment, used: set[str]) -> dict[str, str]:
    """Write the files of an assignment that are used; return the paths by placeholder."""
    train, score, ids = assignment.train, assignment.score, assignment.ids
    files = {
        "rows": train, "ids": ids[train], "score_rows": score, "score_ids": ids[score],
    }  # fmt: skip
    for name in used & files.keys():
        (assignment.work / f"{name}.txt").write_bytes(encode_ids(files[name], ".txt"))
    paths = {name: str(assignment.work / f"{name}.txt") for name in files}
    folder = assignment.work / "work"
    folder.mkdir()
    return {**paths, _OUTPUT: str(assignment.work / _OUTPUT), "work": str(folder)}


def _read(assignment: Assignment) -> NDArray[np.float64]:
    """Read the log-likelihoods of the rows to score."""
    from byrote.data.log_likelihood_files import (  # noqa: PLC0415 (slow to load)
        SUFFIXES,
        load_log_likelihoods,
    )

    names = [assignment.work / f"{_OUTPUT}{suffix}" for suffix in ("", *SUFFIXES)]
    written = [path for path in names if path.is_file()]
    if len(written) != 1:
        raise InvalidInput(
            "it must write one file {log_prob}, with or without a suffix of"
            f" {', '.join(SUFFIXES)}; it wrote {len(written)}"
        )
    fits = load_log_likelihoods(written[0])
    if len(fits) != 1:
        raise InvalidInput(f"its file must hold the log-likelihoods of one fit; got {len(fits)}")
    return fits[0].aligned(assignment.ids, assignment.score, assignment.included)


@contextmanager
def _log_file(path: Path) -> Iterator[int]:
    """Open a new file for its owner alone; what a program prints may quote records."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the program and what it started, if it still runs."""
    if process.poll() is not None:
        return
    with suppress(ProcessLookupError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
