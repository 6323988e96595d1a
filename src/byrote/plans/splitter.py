"""A scikit-learn splitter as a plan."""

import copy
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from byrote import seeds
from byrote.errors import InvalidInput
from byrote.plans.design import Design, rows
from byrote.plans.plan import Context, Plan

# By name, so that a plan does not load scikit-learn. Subclasses may assign records differently.
_ALWAYS_RANDOM = (
    "ShuffleSplit",
    "StratifiedShuffleSplit",
    "RepeatedKFold",
    "RepeatedStratifiedKFold",
)
_RANDOM_IF_SHUFFLED = ("KFold", "StratifiedKFold")


@dataclass(frozen=True)
class Splitter(Plan):
    """Train on the train indices of a scikit-learn splitter and hold out its test indices.

    Records in neither (some splitters leave gaps) do not count in that fit. Labels serve as classes
    and as groups. A ``random_state`` of None is replaced by one from the run's seed. Only splitters
    known to assign each record at random yield p-values, which excludes unshuffled and grouped
    ones.

    Raises
    ------
    InvalidInput
        If the splitter cannot split these records.

    Examples
    --------
    >>> from sklearn.model_selection import KFold
    >>> from byrote.plans import design_of
    >>> design = design_of(Splitter(KFold(2)), 4)
    >>> design.held_out[0].tolist(), design.randomized
    ([0, 1], False)
    """

    splitter: Any
    kind: ClassVar[str] = "splitter"
    size: ClassVar[str] = "fits"
    grows: ClassVar[bool] = False
    by_row: ClassVar[bool] = True

    def spec(self) -> dict[str, Any]:
        """Return class and attributes of the splitter; its membership is also compared."""
        kind = type(self.splitter)
        settings = {name: str(value) for name, value in sorted(vars(self.splitter).items())}
        return {"kind": self.kind, "splitter": f"{kind.__module__}.{kind.__qualname__}", **settings}

    def _draw(self, context: Context, after: Design | None) -> Design:  # noqa: ARG002
        """Draw all splits; consecutive ones whose test sets partition the records form a repeat."""
        splits = self._splits(context)
        repeat = _repeats([test for _, test in splits], context.n)
        partitions = bool((repeat >= 0).all())
        if not partitions:
            repeat = np.zeros(len(splits), dtype=np.int64)
        order = np.arange(len(splits))
        first = np.searchsorted(repeat, repeat)
        everyone = np.arange(context.n)
        return Design(
            n=context.n,
            repeat=repeat,
            fold=order - first,
            held_out=[rows(np.setdiff1d(everyone, train)) for train, _ in splits],
            counted=[_counted(train, test, context.n) for train, test in splits],
            randomized=self._is_random(),
            units="repeats" if partitions else "fits",
        )

    def _splits(self, context: Context) -> list[tuple[Any, Any]]:
        splitter = copy.deepcopy(self.splitter)
        if getattr(splitter, "random_state", 0) is None and getattr(splitter, "shuffle", True):
            splitter.random_state = seeds.integer(context.seed, seeds.Purpose.PLAN)
        x, labels = np.zeros((context.n, 1)), context.labels
        # Splitters that use groups have this base; the others warn about groups.
        bases = {base.__name__ for base in type(splitter).__mro__}
        groups = labels if "GroupsConsumerMixin" in bases else None
        try:
            splits = list(splitter.split(x, labels, groups))
            fits = [np.arange(context.n)[train] for train, _ in splits]
        except Exception as error:  # third-party code may raise anything
            name, text = type(splitter).__name__, _safe_message(splitter, error)
            raise InvalidInput(f"plan: {name} cannot split the records: {text}") from None
        if not splits or any(len(train) == 0 for train in fits):
            raise InvalidInput(
                f"plan: {type(splitter).__name__} must give every fit a record to train on"
            )
        return splits

    def _is_random(self) -> bool:
        kind = type(self.splitter)
        if not kind.__module__.startswith("sklearn.model_selection"):
            return False
        shuffled = kind.__name__ in _RANDOM_IF_SHUFFLED and bool(self.splitter.shuffle)
        return shuffled or kind.__name__ in _ALWAYS_RANDOM


def _repeats(tests: list[Any], n: int) -> Any:
    """Return the repeat of each split, (F,); -1 throughout if test sets do not form partitions."""
    repeat, seen = [], np.zeros(n, dtype=int)
    for test in tests:
        complete = seen.min() == seen.max()
        repeat.append(int(seen.max()) - (0 if complete else 1))
        seen[test] += 1
        if seen.max() > seen.min() + 1:
            return np.full(len(tests), -1)
    return np.asarray(repeat) if seen.min() == seen.max() else np.full(len(tests), -1)


def _safe_message(splitter: Any, error: Exception) -> str:
    """Return scikit-learn's message, which quotes no labels; of other errors only the type."""
    known = type(splitter).__module__.startswith("sklearn.")
    return " ".join(str(error).split()) if known else type(error).__name__


def _counted(train: Any, test: Any, n: int) -> Any:
    used = np.union1d(train, test)
    return None if len(used) == n else rows(used)
