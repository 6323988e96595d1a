"""What the parameters of a CharLSTM may be, what they stand for, and which texts it takes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from byrote import checks
from byrote.errors import InvalidInput
from byrote.models.language.char_lstm import pace
from byrote.models.language.char_lstm.optimizers import RATES, Descent
from byrote.models.language.char_lstm.private import settings as private
from byrote.models.language.char_lstm.training import Schedule
from byrote.models.language.char_lstm.windows import Cut, length
from byrote.models.precision import PRECISIONS, settled_precision
from byrote.models.stopping import check_options


def check_parameters(model: Any) -> None:
    """Refuse what cannot be used, before any work; numbers of NumPy become Python's own.

    Raises
    ------
    InvalidInput
        If a parameter of the CharLSTM is of the wrong kind.
    """
    for name in ("hidden", "layers", "epochs", "batch_size", "window"):
        most = {"hidden": checks.WIDEST, "layers": 1000, "batch_size": checks.WIDEST}.get(
            name, checks.MOST
        )
        setattr(model, name, checks.integer(name, getattr(model, name), at_least=1, at_most=most))
    checks.choice("optimizer", model.optimizer, RATES)
    for name in ("learning_rate", "clip"):
        if name == "clip" or model.learning_rate is not None:
            setattr(model, name, checks.positive(name, getattr(model, name)))
    for name in ("dropout", "weight_decay"):
        setattr(model, name, checks.share(name, getattr(model, name)))
    model.shuffle = checks.flag("shuffle", model.shuffle)
    if model.report_every is not None:
        model.report_every = checks.integer("report_every", model.report_every, at_least=1)
    if model.random_state is not None:
        model.random_state = checks.integer("random_state", model.random_state, at_least=0)
    checks.choice("precision", model.precision, ("auto", *PRECISIONS))
    check_options(model.patience, model.validation)
    private.check(model)


def check_training(model: Any, texts: list[str]) -> None:
    """Refuse texts that the model cannot be trained on.

    Raises
    ------
    InvalidInput
        If they are too little, or ``dp`` asks what cannot be kept on so much text.
    """
    check_texts(texts, model.window)
    if model.dp is not None:
        private.account_of(model, length(texts))


def schedule_of(model: Any) -> Schedule:
    """Training as the parameters say."""
    return Schedule(
        model.epochs,
        Cut(model.batch_size, model.window),
        Descent(model.optimizer, rate_of(model), model.weight_decay, model.clip),
        dropout=model.dropout,
        shuffle=model.shuffle,
        report_every=model.report_every,
        dtype=PRECISIONS[precision_of(model)],
    )


def rate_of(model: Any) -> float:
    """The learning rate that is meant."""
    return RATES[model.optimizer] if model.learning_rate is None else float(model.learning_rate)


def way_out(model: Any) -> str:
    """What helps a training that diverged."""
    return f"lower learning_rate={rate_of(model)}"


def precision_of(model: Any) -> str:
    """The precision that is meant on this machine."""
    if model.precision != "auto":
        return str(model.precision)

    def pays() -> bool:
        private = model.dp is not None
        return pace.in_bfloat16(model.hidden, model.layers, model.batch_size, private=private)

    return settled_precision("cpu", tolerant=True, pays=pays)


def as_texts(X: Any) -> list[str]:
    """The texts given, in a list.

    Raises
    ------
    InvalidInput
        If they are no sequence of text.
    """
    if not isinstance(X, Sequence | np.ndarray) or isinstance(X, str | bytes):
        raise InvalidInput(f"X must be a list of texts; got {type(X).__name__}")
    texts = list(X)
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise InvalidInput(f"X must be a list of texts; item {place} is {type(text).__name__}")
    return [str(text) for text in texts]


def check_texts(texts: list[str], window: int) -> None:
    """Refuse texts that are too little to train on.

    Raises
    ------
    InvalidInput
        If they are none, or shorter together than a window.
    """
    characters = sum(map(len, texts))
    if not characters:
        raise InvalidInput("X must hold text to train on; it is empty")
    if characters < window:
        raise InvalidInput(
            f"X must hold at least one window of {window} characters; it has {characters}"
        )
