"""--track of a language model: after which epochs, or every so many batches, it is measured."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from byrote.errors import InvalidInput

if TYPE_CHECKING:
    from byrote.fits.request import Request

_EVERY = "every="


def epochs(text: str, *, others: str = "") -> tuple[int, ...]:
    """Epochs from text like 5,10,20; ``others`` says in a refusal what else could be given."""
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise InvalidInput(
            f"--track must be epochs separated by commas, like 5,10,20{others}; got {text!r}"
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
    _check_comes(request.model, text)
    if text == "epoch":
        return replace(request, track=range(1, _last(request.model) + 1))
    if text.startswith(_EVERY):
        # The last report is measured anyway; texts of other fits may have one more or less.
        count = request.reports(request.plan.draw(request.context())) or 0
        return replace(request, track=range(1, max(2, count)))
    return replace(request, track=epochs(text, others=", or epoch, or every=BATCHES"))


def _check_comes(model: Any, text: str) -> None:
    """Refuse all reports of a model that may end before the last."""
    from byrote.models import contract  # noqa: PLC0415 (slow to load)

    if (text == "epoch" or text.startswith(_EVERY)) and contract.stops_early(model):
        raise InvalidInput(
            f"--track must name epochs with patience, like 1,2,5: {type(model).__name__} may stop"
            f" before its last; got {text!r}"
        )


def _last(model: Any) -> int:
    from byrote.models import contract  # noqa: PLC0415 (slow to load)

    last = contract.epochs(model)
    if last is None:
        raise InvalidInput(
            f"--track epoch needs a model with a number of epochs; {type(model).__name__} has none"
        )
    return last
