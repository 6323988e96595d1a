"""The preflight: a trial fit on few records, before a run starts.

A model that refuses few records gets more. If it refuses those too, it is tried on made-up records:
if they fail in the same way, the text of the error can be shown, because no private record is in
it. Otherwise the error is named by type and place alone.
"""

import traceback
import warnings
from pathlib import Path
from typing import Any

from byrote.errors import InvalidInput
from byrote.plans import Design
from byrote.runs.determinism import controlled
from byrote.runs.kinds import Kind


def preflight(
    kind: Kind,
    model: Any,
    design: Design,
    *,
    seed: int,
    threads: int,
    track: bool,
    keep: bool,
    show: bool = False,
) -> int:
    """Train and score on growing parts of the records, in this process; return the size needed.

    Raises
    ------
    InvalidInput
        If the model refuses its parameters or the records.
    """

    def problem_with(part: Any) -> BaseException | None:
        try:
            with controlled(seed % 2**32, threads, needs_torch=False), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # they come again with the fits
                kind.try_fit(model, part, track=track, keep=keep, threads=threads)
        except (Exception, SystemExit) as error:  # a user's model may raise anything
            return error
        return None

    problem: BaseException | None = None
    for size, part in kind.parts(design, seed):
        problem = problem_with(part)
        if problem is None:
            return size
    assert problem is not None  # noqa: S101 (there is a part at least)
    made_up = kind.made_up(design, seed)
    unreal = None if made_up is None else problem_with(made_up)
    raise InvalidInput(_refusal(kind, model, problem, unreal, show=show))


def _refusal(
    kind: Kind, model: Any, problem: BaseException, unreal: BaseException | None, *, show: bool
) -> str:
    name = type(model).__name__
    if show or isinstance(problem, kind.own_errors):
        return f"model: {name} refuses {kind.refused}: {_one_line(problem)}"
    if unreal is not None and type(unreal) is type(problem):
        return f"model: {name} cannot be trained, not even on made-up records: {_one_line(unreal)}"
    last = traceback.extract_tb(problem.__traceback__)[-1]
    return (
        f"model: {name} refuses {kind.refused}: {type(problem).__name__} at"
        f" {Path(last.filename).name}:{last.lineno} (its text may quote them; --debug shows it)"
    )


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, InvalidInput) else f"{type(error).__name__}: {text}"
