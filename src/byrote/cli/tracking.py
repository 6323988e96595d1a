"""--track of a language model: after which epochs, or every so many batches, it is measured."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from byrote.errors import InvalidInput

if TYPE_CHECKING:
    from byrote.fits.request import Request

_EVERY = "every="


def epochs(text: str) -> tuple[int, ...]:
    """Epochs from text like 5,10,20."""
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise InvalidInput(
            f"--track must be epochs separated by commas, like 5,10,20; got {text!r}"
        ) from None


def reports(model: Any, text: str) -> Any:
    """The model, changed to report every so many batches where ``text`` says so.

    Raises
    ------
    InvalidInput
        If it is no number, or the model cannot.
    """
    if not text.startswith(_EVERY):
        return model
    count = text.removeprefix(_EVERY)
    if not count.isdecimal() or int(count) < 1:
        raise InvalidInput(f"--track every= must say how many batches, like every=50; got {text!r}")
    name = type(model).__name__
    own = model.get_params(deep=False)
    if "report_every" not in own or not callable(getattr(model, "reports", None)):
        raise InvalidInput(
            f"--track every= needs a model that reports by batches; {name} has no report_every"
        )
    if own["report_every"] is not None:
        raise InvalidInput("--track every= and --set report_every exclude each other; got both")
    from sklearn.base import clone  # noqa: PLC0415 (slow to load)

    return clone(model).set_params(report_every=int(count))


def followed(request: "Request", text: str) -> "Request":
    """The request, tracked as ``text`` says: epoch, epochs between commas, or every=BATCHES."""
    model = request.model
    if text == "epoch":
        return replace(request, track=range(1, _last(model) + 1))
    if text.startswith(_EVERY):
        return replace(request, track=range(1, model.reports(_shortest(request)) + 1))
    return replace(request, track=epochs(text))


def _last(model: Any) -> int:
    from byrote.models import contract  # noqa: PLC0415 (slow to load)

    last = contract.epochs(model)
    if last is None:
        raise InvalidInput(
            f"--track epoch needs a model with a number of epochs; {type(model).__name__} has none"
        )
    return last


def _shortest(request: "Request") -> int:
    """Characters, line ends included, that every fit's text has at least.

    Fits differ a little where canaries differ in length; a report that is tracked must come in all.
    """
    from byrote.data.canary_records import CanaryRecords  # noqa: PLC0415 (slow to load)
    from byrote.plans import Insertions  # noqa: PLC0415

    records, plan = request.records, request.plan
    assert isinstance(records, CanaryRecords)  # noqa: S101 (the verb made them)
    assert isinstance(plan, Insertions)  # noqa: S101
    ends = sum(not text.endswith("\n") for text in records.corpus.documents)
    canaries = zip(records.pattern[: records.canaries], records.completions, strict=False)
    lines = (len(records.patterns[k].prefix) + len(text) + 1 for k, text in canaries)
    return records.corpus.characters + ends + int(plan.times.sum()) * min(lines)
