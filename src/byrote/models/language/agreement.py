"""Whether a model's steps cost what its whole prefixes cost, before anything rests on the steps.

A stepper keeps what it has read. Where it keeps it wrongly, ranks and certificates are of another
model, without a word: layers that drop their state when several tokens come at once, states that a
second continuation finds changed, rows that lean on their neighbours. So a few beginnings of the
completions in question are read both ways, in batches of several sizes.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from byrote.errors import ByroteError, ByroteWarning, InvalidInput
from byrote.models.language.stepping import LN2, PrefixStepper, Stepper, bits
from byrote.models.language.tokens import TokenFormat

Array = NDArray[np.float64]
Ids = tuple[int, ...]
Fitted = tuple[tuple[str, int], ...]

_DEPTH = 4  # steps tried
_LONGEST = 64  # tokens of the text whose log-likelihood is tried
_DEAREST = 150.0  # bits; what costs more is as good as excluded
_ROUNDING = 3e-5  # relative, of whole prefixes in single precision
_MOST = 0.02  # relative; more cannot be rounding, however coarse


def stepper_of(model: Any, form: TokenFormat) -> Stepper:
    """The model's own ``stepper()`` where its steps are right, else one that reads whole prefixes.

    The second is right for any language model and slow: a step costs a whole prefix. A warning
    says so. The finding holds for all prefixes up to this length, as long as the model is not
    fitted again.

    Raises
    ------
    InvalidInput
        If the model has no probabilities of its own for a prefix: they depend on what is read
        beside it, or its log-likelihood of a text is larger than their product.
    """
    fitted, found = _fitted(model), _recalled(model)
    if found is None or found.fitted != fitted or found.length < len(form.prefix_ids):
        found = _tried(model, form, fitted)
        with suppress(TypeError):  # without a hash or a weak reference it is tried each time
            _FINDINGS[model] = found
    return model.stepper() if found.steps else PrefixStepper(_whole(model))


class _Finding(NamedTuple):
    """Of which fit, for prefixes up to which length, whether the model's own steps are right."""

    fitted: Fitted
    length: int
    steps: bool


_FINDINGS: "WeakKeyDictionary[Any, _Finding]" = WeakKeyDictionary()


def _recalled(model: Any) -> _Finding | None:
    try:
        return _FINDINGS.get(model)
    except TypeError:
        return None


def _fitted(model: Any) -> Fitted:
    """What ``fit`` made, by identity: after another fit the same object is another model."""
    held = getattr(model, "__dict__", {})
    return tuple(sorted((name, id(value)) for name, value in held.items() if name.endswith("_")))


def _tried(model: Any, form: TokenFormat, fitted: Fitted) -> _Finding:
    """The model on the beginnings of a format."""
    whole, start, paths = _whole(model), form.prefix_ids, _paths(form)
    tolerance = _tolerance(model, whole, start, paths)
    _check_scores(model, whole, start + paths[0])
    depth = max(map(len, paths))
    length = len(start) + depth if depth else -1  # without a step nothing is known of steps
    steps = callable(getattr(model, "stepper", None))
    return _Finding(fitted, length, steps and _are_right(model, whole, start, paths, tolerance))


def _are_right(model: Any, whole: Any, start: Ids, paths: Sequence[Ids], tolerance: float) -> bool:
    """Whether steps cost what whole prefixes do; a warning if they do not."""
    try:
        tried = list(_stepped(model.stepper(), start, paths))
        costs = _costs(whole, [prefix for prefix, _ in tried])
        apart = np.abs(_capped(np.stack([row for _, row in tried])) - costs)
        problem = "" if (apart <= tolerance).all() else "gives other costs than whole prefixes do"
    except ByroteError:
        raise
    except Exception as error:  # of a network's cache, or of a stranger's stepper
        problem = f"raises {type(error).__name__}"
    if problem:
        warnings.warn(
            f"the stepper of {type(model).__name__} {problem}: prefixes are read whole instead,"
            " which is right and slower",
            ByroteWarning,
            stacklevel=5,
        )
    return not problem


def _paths(form: TokenFormat) -> list[Ids]:
    """The first tokens of up to three completions from all over the format, never the last one."""
    found: dict[Ids, None] = {}
    for share in (0.0, 0.5, 1.0):
        state, path = form.start, list[int]()
        while state != form.end and len(path) < _DEPTH:
            edges = np.arange(form.offsets[state], form.offsets[state + 1])
            edge = edges[int(share * (len(edges) - 1))]
            if form.leaf[edge]:
                break
            path.append(int(form.tokens[edge]))
            state = int(form.targets[edge])
        found[tuple(path)] = None
    return list(found)


def _stepped(stepper: Stepper, start: Ids, paths: Sequence[Ids]) -> Iterator[tuple[Ids, Array]]:
    """Prefixes with the costs of what may follow them, by steps.

    First all paths side by side; then all states on the way once more, together, in another order
    and beside one of a shorter prefix.
    """
    states, costs = stepper.start(start)
    yield start, costs[0]
    states, going = states.take(np.zeros(len(paths), dtype=np.intp)), list(paths)
    kept, onward = [], list[tuple[Ids, int]]()
    for depth in range(_DEPTH):
        rows = [row for row, path in enumerate(going) if len(path) > depth]
        if not rows:
            break
        states, going = states.take(np.array(rows)), [going[row] for row in rows]
        kept.append(states)
        onward += [(start + path[:depth], path[depth]) for path in going]
        states, costs = stepper.step(states, np.array([path[depth] for path in going]))
        yield from (
            (start + path[: depth + 1], row) for path, row in zip(going, costs, strict=True)
        )
    if half := start[: len(start) // 2]:
        states, costs = stepper.start(half)
        yield half, costs[0]
        kept.append(states)
        onward.append((half, start[len(half)]))
    if not kept:
        return
    order = np.arange(len(onward) - 1, -1, -1)
    _, costs = stepper.step(
        kept[0].joined(kept[1:]).take(order), np.array([token for _, token in onward])[order]
    )
    prefixes = [(*before, token) for before, token in onward[::-1]]
    yield from zip(prefixes, costs, strict=True)
    yield start + paths[-1], stepper.start(start + paths[-1])[1][0]


def _tolerance(model: Any, whole: Any, start: Ids, paths: Sequence[Ids]) -> float:
    """How far apart costs may be: by the rounding that the model tells, and what the batch does.

    Raises
    ------
    InvalidInput
        If it makes more of them than rounding can.
    """
    prefixes = [start, *(start + path for path in paths)]
    together = _costs(whole, prefixes)
    alone = np.concatenate([_costs(whole, [prefix]) for prefix in (prefixes[0], prefixes[-1])])
    apart = float(np.abs(together[[0, -1]] - alone).max())
    scale = 1 + float(np.ptp(np.where(together < _DEAREST, together, together.min())))
    if apart > _MOST * scale:
        raise InvalidInput(
            f"model must give a prefix the same probabilities whatever is read beside it; those of"
            f" {type(model).__name__} change by {apart:.2g} bits"
        )
    relative = max(_ROUNDING, 4 * getattr(model, "rounding_", 0.0))
    return relative * scale + 8 * apart


def _check_scores(model: Any, whole: Any, ids: Ids) -> None:
    """Refuse log-likelihoods of texts that the probabilities of their tokens cannot reach.

    They may be smaller, by what ends a text, and say nothing of the first token.
    """
    ids = ids[:_LONGEST]
    try:
        text = model.decode(list(ids))
        if len(ids) < 2 or tuple(model.encode(text)) != ids:
            return
        score = -float(np.asarray(model.score_samples([text]))[0]) / LN2
    except Exception:  # no exposure needs them: what a model does not give is not compared
        return
    costs = _costs(whole, [ids[:place] for place in range(1, len(ids))])
    least = float(costs[np.arange(len(costs)), ids[1:]].sum())
    if score < least - _MOST * (1 + least):
        raise InvalidInput(
            f"model must give texts no larger log-likelihood than its tokens have one after the"
            f" other; {type(model).__name__} gives one {score:.1f} bits by score_samples,"
            f" {least:.1f} or more by next_log_probs (does it see the tokens that follow?)"
        )


def _costs(whole: Any, prefixes: Sequence[Ids]) -> Array:
    return _capped(bits(whole.next_log_probs([list(prefix) for prefix in prefixes])))


def _capped(costs: Array) -> Array:
    return np.minimum(costs, _DEAREST)


def _whole(model: Any) -> Any:
    """The model where it reads whole prefixes itself, else its stepper started anew for each."""
    return model if callable(getattr(model, "next_log_probs", None)) else _Restarted(model)


class _Restarted:
    """Whole prefixes by a stepper that never steps."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def next_log_probs(self, prefixes: Sequence[Sequence[int]]) -> Array:
        """(n, V) nats of the token after each prefix."""
        stepper = self._model.stepper()
        return -LN2 * np.concatenate([stepper.start(list(prefix))[1] for prefix in prefixes])
