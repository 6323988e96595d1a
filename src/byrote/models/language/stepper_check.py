"""Check that a model's steps cost the same as its whole prefixes, before attacks rely on the steps.

A stepper with a faulty cache silently yields the ranks and certificates of a different model.
Layers may drop their state when several tokens come together, a second continuation may change a
state, rows of a batch may depend on one another. So the first tokens of a few completions are read
both ways, in batches of several sizes.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from byrote.errors import ByroteError, ByroteWarning, InvalidInput
from byrote.models.language.steppers import LN2, PrefixStepper, Stepper, bits
from byrote.models.language.token_format import TokenFormat

Array = NDArray[np.float64]
Ids = tuple[int, ...]
Fitted = tuple[tuple[str, int], ...]

_DEPTH = 4  # steps tested
_LONGEST = 64  # tokens of the text whose log-likelihood is tested
_EXCLUDED = 150.0  # bits; anything above counts as excluded
_ROUNDING = 3e-5  # relative, of whole prefixes in single precision
_MOST_ROUNDING = 0.02  # relative; more cannot be rounding, in any precision


def stepper_of(model: Any, *forms: TokenFormat) -> Stepper:
    """Return the model's ``stepper()`` if its costs are correct, or else one of whole prefixes.

    It is checked after the prefix of each form. The latter works for any language model, is slow,
    and comes with a warning. The result is cached for all prefixes up to this length, until the
    model is fitted again.

    Raises
    ------
    InvalidInput
        If the probabilities after a prefix depend on others in the batch, or the log-likelihood of
        a text is larger than their product.
    """
    steps = True
    for form in forms:
        steps &= _checked(model, form.prefix_ids, _paths(form))
    return _stepper(model, steps)


def checked_stepper(model: Any, start: Ids, paths: Sequence[Ids]) -> Stepper:
    """Return the stepper of ``stepper_of``, checked by the first tokens of paths after a prefix."""
    return _stepper(model, _checked(model, start, paths))


def _stepper(model: Any, steps: bool) -> Stepper:
    stepper: Stepper = model.stepper() if steps else PrefixStepper(_prefix_reader(model))
    return stepper


def _checked(model: Any, start: Ids, paths: Sequence[Ids]) -> bool:
    """Return whether the model's steps cost the same as whole prefixes."""
    fitted, result = _fitted(model), _cached_result(model)
    if result is None or result.fitted != fitted or result.length < len(start):
        result = _test(model, start, paths, fitted)
        with suppress(TypeError):  # without a hash or weak references: tested each time
            _RESULTS[model] = result
    return result.steps


class _Result(NamedTuple):
    fitted: Fitted
    length: int
    steps: bool


_RESULTS: "WeakKeyDictionary[Any, _Result]" = WeakKeyDictionary()


def _cached_result(model: Any) -> _Result | None:
    try:
        return _RESULTS.get(model)
    except TypeError:
        return None


def _fitted(model: Any) -> Fitted:
    """Identify what ``fit`` made, which changes with another fit of the same object."""
    attributes = getattr(model, "__dict__", {}).items()
    return tuple(sorted((name, id(value)) for name, value in attributes if name.endswith("_")))


def _test(model: Any, start: Ids, paths: Sequence[Ids], fitted: Fitted) -> _Result:
    reader = _prefix_reader(model)
    tolerance = _tolerance(model, reader, start, paths)
    _check_scores(model, reader, start + paths[0])
    depth = max(map(len, paths))
    length = len(start) + depth if depth else -1  # without a step nothing is known of steps
    steps = callable(getattr(model, "stepper", None))
    return _Result(fitted, length, steps and _steps_agree(model, reader, start, paths, tolerance))


def _steps_agree(
    model: Any, reader: Any, start: Ids, paths: Sequence[Ids], tolerance: float
) -> bool:
    """Return whether steps cost the same as whole prefixes, and warn if not."""
    try:
        stepped = list(_stepped(model.stepper(), start, paths))
        costs = _costs(reader, [prefix for prefix, _ in stepped])
        gap = np.abs(_capped(np.stack([row for _, row in stepped])) - costs)
        problem = "" if (gap <= tolerance).all() else "gives other costs than whole prefixes do"
    except ByroteError:
        raise
    except Exception as error:  # of a network's cache, or of a user's stepper
        problem = f"raises {type(error).__name__}"
    if problem:
        warnings.warn(
            f"the stepper of {type(model).__name__} {problem}: prefixes are read whole instead,"
            " which is correct but slower",
            ByroteWarning,
            stacklevel=6,
        )
    return not problem


def _paths(form: TokenFormat) -> list[Ids]:
    """Return the first tokens, never the last, of up to three completions across the format."""
    paths: dict[Ids, None] = {}
    for share in (0.0, 0.5, 1.0):
        state, path = form.start, list[int]()
        while state != form.end and len(path) < _DEPTH:
            edges = np.arange(form.offsets[state], form.offsets[state + 1])
            edge = edges[int(share * (len(edges) - 1))]
            if form.leaf[edge]:
                break
            path.append(int(form.tokens[edge]))
            state = int(form.targets[edge])
        paths[tuple(path)] = None
    return list(paths)


def _stepped(stepper: Stepper, start: Ids, paths: Sequence[Ids]) -> Iterator[tuple[Ids, Array]]:
    """Yield prefixes with the costs of the next token, by steps.

    First all paths in one batch; then all states on the way again, together, in another order and
    with one of a shorter prefix.
    """
    states, costs = stepper.start(start)
    yield start, costs[0]
    states, active = states.take(np.zeros(len(paths), dtype=np.intp)), list(paths)
    kept, onward = [], list[tuple[Ids, int]]()
    for depth in range(_DEPTH):
        rows = [row for row, path in enumerate(active) if len(path) > depth]
        if not rows:
            break
        states, active = states.take(np.array(rows)), [active[row] for row in rows]
        kept.append(states)
        onward += [(start + path[:depth], path[depth]) for path in active]
        states, costs = stepper.step(states, np.array([path[depth] for path in active]))
        yield from (
            (start + path[: depth + 1], row) for path, row in zip(active, costs, strict=True)
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


def _tolerance(model: Any, reader: Any, start: Ids, paths: Sequence[Ids]) -> float:
    """Return the largest difference of costs to tolerate: rounding, and the effect of the batch."""
    prefixes = [start, *(start + path for path in paths)]
    together = _costs(reader, prefixes)
    alone = np.concatenate([_costs(reader, [prefix]) for prefix in (prefixes[0], prefixes[-1])])
    gap = float(np.abs(together[[0, -1]] - alone).max())
    scale = 1 + float(np.ptp(np.where(together < _EXCLUDED, together, together.min())))
    if gap > _MOST_ROUNDING * scale:
        raise InvalidInput(
            f"model must give a prefix the same probabilities in any batch; those of"
            f" {type(model).__name__} change by {gap:.2g} bits"
        )
    relative = max(_ROUNDING, 4 * getattr(model, "rounding_", 0.0))
    return relative * scale + 8 * gap


def _check_scores(model: Any, reader: Any, ids: Ids) -> None:
    """Refuse log-likelihoods of texts above the product of their tokens' probabilities.

    They may be smaller, by what ends a text, and exclude the first token.
    """
    ids = ids[:_LONGEST]
    try:
        text = model.decode(list(ids))
        if len(ids) < 2 or tuple(model.encode(text)) != ids:
            return
        score = -float(np.asarray(model.score_samples([text]))[0]) / LN2
    except Exception:  # exposure does not need them
        return
    costs = _costs(reader, [ids[:end] for end in range(1, len(ids))])
    least = float(costs[np.arange(len(costs)), ids[1:]].sum())
    if score < least - _MOST_ROUNDING * (1 + least):
        raise InvalidInput(
            f"model must give texts no larger log-likelihood than its tokens have one after the"
            f" other; {type(model).__name__} gives one {score:.1f} bits by score_samples,"
            f" {least:.1f} or more by next_log_probs (does it see the tokens that follow?)"
        )


def _costs(reader: Any, prefixes: Sequence[Ids]) -> Array:
    return _capped(bits(reader.next_log_probs([list(prefix) for prefix in prefixes])))


def _capped(costs: Array) -> Array:
    return np.minimum(costs, _EXCLUDED)


def _prefix_reader(model: Any) -> Any:
    """The model if it reads whole prefixes itself, else its stepper restarted for each."""
    return model if callable(getattr(model, "next_log_probs", None)) else _Restarted(model)


class _Restarted:
    def __init__(self, model: Any) -> None:
        self._model = model

    def next_log_probs(self, prefixes: Sequence[Sequence[int]]) -> Array:
        stepper = self._model.stepper()
        return -LN2 * np.concatenate([stepper.start(list(prefix))[1] for prefix in prefixes])
