"""Checks of a flow's parameters and of its records, before any fit."""

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike, NDArray

from byrote import checks
from byrote.errors import InvalidInput
from byrote.models import torch_utils
from byrote.models.early_stopping import check_options
from byrote.models.extras import check_installed
from byrote.models.flows.networks import AFFINE, KINDS, NICE
from byrote.models.flows.spaces import (
    MOST_LEVELS,
    REAL,
    WHOLE,
    Levels,
    Numbers,
    Space,
    recognized,
    space_from,
)
from byrote.models.privacy.dp import check_parameter


def check_parameters(flow: Any) -> None:
    """Refuse parameters of a wrong type or in conflict; NumPy's numbers become Python's."""
    checks.choice("kind", flow.kind, KINDS)
    if flow.kind != AFFINE:
        check_installed("zuko")
    for name in ("transforms", "epochs", "batch_size"):
        setattr(flow, name, checks.integer(name, getattr(flow, name), at_least=1))
    flow.bins = checks.integer("bins", flow.bins, at_least=2, at_most=checks.WIDEST)
    torch_utils.check_training(flow)
    flow.weight_decay = checks.share("weight_decay", flow.weight_decay)
    _check_levels(flow.levels)
    check_options(flow.patience, flow.validation)
    check_parameter(flow.dp)
    if flow.dp is not None and flow.kind in (NICE, AFFINE):
        raise InvalidInput(
            "kind must be 'nsf', 'maf' or 'realnvp' with dp, as the gradients of single records can"
            f" be had for layers of networks alone; got {flow.kind!r}"
        )
    torch_utils.check_device(flow.device)


def _check_levels(levels: Any) -> None:
    if levels is None or (isinstance(levels, str) and levels == REAL):
        return
    if isinstance(levels, list | tuple) and levels:
        for kind in levels:
            checks.choice("levels", kind, (WHOLE, REAL))
    elif isinstance(levels, str | list | tuple):
        raise InvalidInput(
            f"levels must be a number of levels, {REAL!r}, or a list of {WHOLE!r} and {REAL!r} for"
            f" the columns of a table; got {checks.brief(levels)}"
        )
    else:
        checks.integer("levels", levels, at_least=2, at_most=MOST_LEVELS)


def resolved_levels(levels: Any, x: NDArray[Any], names: Sequence[Any] | None = None) -> Any:
    """Resolve ``levels`` for all records, (n, *shape): a number of levels, or a kind per column.

    Raises
    ------
    InvalidInput
        If a column is constant, or holds whole numbers that ``levels`` says are real.
    """
    if not (levels is None or isinstance(levels, str)):
        return levels
    found = recognized(x, names)
    if levels is None:
        return found
    whole = found if isinstance(found, int) else found.count(WHOLE)
    if whole:
        what = f"{whole} levels" if isinstance(found, int) else f"whole numbers in {whole} columns"
        raise InvalidInput(
            f"levels must not be {REAL!r} for {what}, at each of which a density grows without"
            " bound (leave levels out: they are recognized, and spread by noise)"
        )
    return found


def space_of(flow: Any, levels: Any, values: int) -> Space:
    """Return the space of resolved levels, for records of this number of values.

    With ``dp`` numbers are not standardized, as means and deviations are read without noise.
    """
    if isinstance(levels, int):
        return Levels(levels)
    if len(levels) != values:
        raise InvalidInput(
            f"levels must list a kind for each of the {values} values of a record; got"
            f" {len(levels)}"
        )
    return Numbers(levels, standardized=flow.dp is None)


def check_weight_sizes(flow: Any, arrays: Mapping[str, ArrayLike], values: int) -> None:
    """Refuse a network larger than the weights, before it is made."""
    sizes = {} if flow.kind == AFFINE else {"hidden": max(flow.hidden), "bins": flow.bins}
    torch_utils.check_sizes(
        arrays,
        of="Flow's parameters",
        layers=0 if flow.kind == AFFINE else flow.transforms,
        values=values,
        **sizes,
    )


def loaded_space(
    flow: Any, arrays: Mapping[str, ArrayLike], values: int
) -> tuple[int | list[str], Space]:
    """Return levels and space of a flow's weights, which its parameters must not contradict."""
    space = space_from(arrays)
    if isinstance(space, Levels):
        levels: int | list[str] = space.levels
    else:
        levels = [WHOLE if each else REAL for each in space.arrays()["whole"]]
        space_of(flow, levels, values)  # of as many values
    said = flow.levels
    if said not in (None, REAL) and (said if isinstance(said, int) else [*said]) != levels:
        raise InvalidInput(
            f"weights must fit the Flow's parameters; levels is {checks.brief(said)}, and theirs"
            f" {checks.brief(levels)}"
        )
    return levels, space
