"""Checks of a CharLSTM's parameters and texts, before any fit, and their defaults."""

import string
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from byrote import checks
from byrote.data.text_stream import read_text
from byrote.errors import InvalidInput
from byrote.models.arithmetic import (
    PRECISIONS,
    bfloat16_is_faster,
    lstm_precision,
    onednn_trains_lstm,
    resolve_precision,
)
from byrote.models.early_stopping import check_options
from byrote.models.language.char_lstm.network import untrained
from byrote.models.language.char_lstm.private_gradients import derivatives
from byrote.models.language.char_lstm.readings import (
    Joined,
    Reading,
    Separate,
    separate_steps,
)
from byrote.models.language.char_lstm.training import RATES, Descent, Schedule, check_private
from byrote.models.language.char_lstm.windows import (
    Cut,
    Vocabulary,
    encode_texts,
    text_lengths,
)

_TOKENS, _TIME = 100, 10  # of the text that is timed
_WIDEST = 512  # of the layers timed; wider ones have the same ratio


def check_parameters(model: Any) -> None:
    """Refuse parameters of a wrong type or in conflict; NumPy's numbers become Python's."""
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
    if model.separate is not None:
        model.separate = checks.flag("separate", model.separate)
    if model.characters is not None and not isinstance(model.characters, str):
        raise InvalidInput(
            f"characters must be a text of the further ones; got {type(model.characters).__name__}"
        )
    if model.report_every is not None:
        model.report_every = checks.integer("report_every", model.report_every, at_least=1)
    if model.random_state is not None:
        model.random_state = checks.integer("random_state", model.random_state, at_least=0)
    checks.choice("precision", model.precision, ("auto", *PRECISIONS))
    check_options(model.patience, model.validation)
    check_private(model)


def schedule_of(model: Any) -> Schedule:
    """Return the schedule of the parameters."""
    return Schedule(
        model.epochs,
        Cut(model.batch_size, model.window),
        Descent(model.optimizer, learning_rate(model), model.weight_decay, model.clip),
        dropout=model.dropout,
        shuffle=model.shuffle,
        report_every=model.report_every,
        dtype=PRECISIONS[precision_of(model)],
    )


def reading_of(model: Any, texts: list[str], vocabulary: Vocabulary) -> Reading:
    """Return how training reads the texts: each by itself, or all joined."""
    text, cut = encode_texts(texts, vocabulary), schedule_of(model).cut
    if not model.separate:
        return Joined(text, cut)
    return Separate(text, np.array(text_lengths(texts)), cut, vocabulary.newline)


def steps_of(model: Any, texts: list[str]) -> int:
    """Return the number of steps of an epoch on these texts."""
    lengths, cut = text_lengths(texts), schedule_of(model).cut
    return separate_steps(lengths, cut) if model.separate else cut.windows(sum(lengths))


def characters_of(model: Any, texts: Sequence[str]) -> Sequence[str]:
    """Return texts with all characters of the vocabulary."""
    if model.characters is not None:
        return [model.characters]
    return texts if model.dp is None else ()


def further_characters(texts: Sequence[str]) -> str:
    """Return the characters of texts beyond printable ASCII, sorted.

    Examples
    --------
    >>> further_characters(["naïve", "Öl"])
    'Öï'
    """
    return "".join(sorted(set().union(*texts) - set(string.printable)))


def check_private_texts(model: Any, texts: list[str]) -> None:
    """Refuse texts that no window holds, or with characters that the vocabulary may not reveal."""
    longest = max(text_lengths(texts))
    if longest > model.window:
        raise InvalidInput(
            "window must hold the longest text and its newline, with dp and separate: the guarantee"
            f" is about a whole text; the longest has {longest} characters, and window is"
            f" {model.window}"
        )
    known = {*string.printable, *(model.characters or "")}
    if unknown := sum(not known.issuperset(text) for text in texts):
        raise InvalidInput(
            "characters must name what texts hold beyond printable ASCII, with dp, whose guarantee"
            f" does not cover the vocabulary; {unknown} of {len(texts)} texts hold other characters"
        )


def learning_rate(model: Any) -> float:
    """Return the learning rate, by default that of the optimizer."""
    return RATES[model.optimizer] if model.learning_rate is None else float(model.learning_rate)


def remedy(model: Any) -> str:
    """Return the remedy for a training that diverged."""
    return f"lower learning_rate={learning_rate(model)}"


def precision_of(model: Any) -> str:
    """Return the precision, with "auto" resolved for this machine."""
    if model.precision != "auto":
        return str(model.precision)

    def is_faster() -> bool:
        sizes = (model.hidden, model.layers, model.batch_size)
        return lstm_is_faster_in_bfloat16(*sizes, private=model.dp is not None)

    return resolve_precision("cpu", tolerant=True, is_faster=is_faster)


@cache
def lstm_is_faster_in_bfloat16(hidden: int, layers: int, batch_size: int, *, private: bool) -> bool:
    """Time passes, plain or ``private``, over a few characters, once per process."""
    if not private and not onednn_trains_lstm(torch.bfloat16):
        return False
    batch_size = min(batch_size, _WIDEST)
    network = untrained(_TOKENS, min(hidden, _WIDEST), min(layers, 2), seed=0)
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(_TOKENS, (_TIME, batch_size), generator=generator)

    def work(dtype: torch.dtype) -> Callable[[], object]:
        def private_passes() -> None:
            derivatives(network, tokens, tokens, dtype=dtype)

        def plain_passes() -> None:
            with lstm_precision(dtype):
                output, _ = network(tokens, network.start(batch_size))
                logits = network.output(output)
            logits.float().logsumexp(2).sum().backward()

        return private_passes if private else plain_passes

    return bfloat16_is_faster(work)


def check_length(texts: list[str], window: int) -> None:
    """Refuse texts that are empty, or together shorter than a window."""
    characters = sum(map(len, texts))
    if not characters:
        raise InvalidInput("X must hold text to train on; it is empty")
    if characters < window:
        raise InvalidInput(
            f"X must hold at least one window of {window} characters; it has {characters}"
        )


def validation_texts(validation: Any) -> list[str]:
    """Return validation texts from a list, or the single one from a file."""
    texts = _read(validation) if isinstance(validation, str | Path) else validation
    is_list = isinstance(texts, Sequence) and not isinstance(texts, str | bytes)
    if not is_list or not all(isinstance(text, str) for text in texts):
        raise InvalidInput(
            "validation must be a list of texts, or the path of a text file; got"
            f" {type(validation).__name__}"
        )
    if not any(text.strip() for text in texts):
        raise InvalidInput("validation must hold text; it is empty")
    return list(texts)


def _read(validation: str | Path) -> list[str]:
    path = Path(validation)
    if not path.is_file():
        raise InvalidInput(
            "validation must be a list of texts, or the path of a text file; the file is missing"
        )
    return [read_text(path, "validation")]


def check_validation(validation: Any, training: Sequence[str]) -> None:
    """Refuse validation texts among the training texts, or a single one inside of them.

    White space at the ends is ignored.
    """
    texts = validation_texts(validation)
    stripped = {text.strip() for text in training}
    shared = sum(bool(text.strip()) and text.strip() in stripped for text in texts)
    if not shared and len(texts) == 1:
        shared = int(any(texts[0].strip() in text for text in training))
    if shared:
        raise InvalidInput(
            "validation must hold texts outside X, whose memorization is measured;"
            f" {shared} of {len(texts)} are among X"
        )
