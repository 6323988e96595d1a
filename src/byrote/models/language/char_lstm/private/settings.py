"""What is refused of a private CharLSTM, and what its parameters lead to."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from byrote.errors import InvalidInput
from byrote.models.language.char_lstm.private.training import Private, steps
from byrote.models.language.char_lstm.private.windows import cut
from byrote.models.language.char_lstm.training import Schedule, Step
from byrote.models.language.char_lstm.vocabulary import Tokens
from byrote.models.privacy.accounting import Account, noise_for, spent
from byrote.models.privacy.dp import check_parameter
from byrote.models.vae.streams import Stream, seed_of

CLIP = 5.0  # what CharLSTM's clip is unless it is set


def check(model: Any) -> None:
    """Refuse a ``dp`` that cannot be kept, and parameters that do not go with it.

    Raises
    ------
    InvalidInput
        Of the first that does not.
    """
    check_parameter(model.dp)
    if model.dp is None:
        return
    if model.clip != CLIP:
        raise InvalidInput(
            f"clip must be left at {CLIP} with dp, whose max_grad_norm clips the gradient of each"
            f" window instead; got {model.clip}"
        )
    if not model.shuffle:
        raise InvalidInput("shuffle must be True with dp, whose batches are drawn; got False")


def account_of(model: Any, characters: int) -> Account:
    """The noise and the batches for a text of so many characters.

    Raises
    ------
    InvalidInput
        If no noise keeps the promise.
    MissingExtra
        If Opacus or dp-accounting is not installed.
    """
    windows = -(-characters // model.window)
    return noise_for(model.dp, windows, model.batch_size, model.epochs)


def prepared(model: Any, text: Tokens, schedule: Schedule) -> tuple[Iterator[Step], dict[str, Any]]:
    """Private training of the model's network as the parameters say, and what it promises."""
    account = account_of(model, len(text))
    own = np.random.SeedSequence(seed_of(model.random_state, Stream.TRAINING)).generate_state(3)
    draws, dropout, noise = own.tolist()
    private = Private(model.dp, account, model.vocabulary_.newline, (draws, dropout, noise))
    unit = f"window of {model.window} characters"
    facts = {**spent(model.dp, account, unit=unit), "window": model.window}
    return steps(model.network_, cut(text, model.window), schedule, private), facts
