"""For Hugging Face's Trainer: the exposure of canaries while a model trains."""

import copy
import inspect
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from byrote import checks
from byrote.data.canaries import Canary
from byrote.errors import InvalidInput, MissingExtra
from byrote.models import CausalLM
from byrote.runs.determinism import preserved_generators
from byrote.scores.exposure.expose import expose
from byrote.scores.exposure.exposure import Exposure

try:
    from transformers import Trainer, TrainerCallback
except ImportError as error:
    raise MissingExtra(
        "byrote.hf needs transformers, which is not installed: pip install 'byrote[hf]'"
    ) from error


class ExposureCallback(TrainerCallback):  # type: ignore[misc]
    """Measure the exposure of canaries while a ``transformers.Trainer`` trains.

    Each measurement goes through the Trainer's log, and so into ``state.log_history`` and to every
    reporter: ``exposure/canary-0`` and ``exposure/mean`` in bits, ``exposure/seconds`` spent.
    Canaries are named by their place; secrets are never logged. Training is unchanged bit for bit.

    Parameters
    ----------
    canaries
        Canaries with secrets, which the caller has inserted into the training data.
    tokenizer
        The model's tokenizer (default: the Trainer's ``processing_class``).
    every
        Measure after every N optimizer steps, and after the last one (default: at the end of each
        epoch and at each evaluation).
    method, references, max_queries, seed
        As for ``byrote.expose``.

    Attributes
    ----------
    history : list of (step, Exposure)
        Every measurement, with intervals and ranks.

    Raises
    ------
    InvalidInput
        If ``canaries`` is empty, or one lacks a secret.

    Examples
    --------
    >>> import byrote
    >>> canary = byrote.Canary("the random number is {digits:4}", secret="2812")
    >>> callback = byrote.hf.ExposureCallback([canary], every=50)
    >>> callback.history  # Trainer(model, arguments, ..., callbacks=[callback]).train() fills it
    []
    """

    def __init__(
        self,
        canaries: Sequence[Canary],
        *,
        tokenizer: Any = None,
        every: int | None = None,
        method: str = "auto",
        references: int | None = None,
        max_queries: int | None = None,
        seed: int = 0,
    ) -> None:
        self.canaries = _checked(canaries)
        self.tokenizer = tokenizer
        self.every = None if every is None else checks.integer("every", every, at_least=1)
        options = {"method": method, "references": references, "max_queries": max_queries}
        self._options: dict[str, Any] = {k: v for k, v in options.items() if v is not None}
        self._options["seed"] = checks.integer("seed", seed, at_least=0)
        self.history: list[tuple[int, Exposure]] = []
        self._trainer: Any = None
        self._reader: CausalLM | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Reject a missing tokenizer, or a model that is not causal, before training."""
        del args, control
        tokenizer = self.tokenizer or more.get("processing_class")
        if tokenizer is None:
            raise InvalidInput(
                "tokenizer must be given where the Trainer has no processing_class; got neither"
            )
        self._trainer = _calling_trainer(state)
        with preserved_generators():
            self._reader = CausalLM.of(more["model"], tokenizer)
        self.history.clear()

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Measure after every N optimizer steps, and the last."""
        del args, more
        if self.every is not None and (
            state.global_step % self.every == 0 or state.global_step == state.max_steps
        ):
            self._measure(state, control)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Measure after an epoch, unless steps are counted."""
        del args, more
        if self.every is None:
            self._measure(state, control)

    def on_evaluate(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Measure at an evaluation in training, unless steps are counted."""
        del args, more
        if self.every is None and self._trainer is not None and self._trainer.is_in_train:
            self._measure(state, control)

    def on_train_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Release the Trainer and its model."""
        del args, state, control, more
        self._trainer = self._reader = None

    def _measure(self, state: Any, control: Any) -> None:
        """Measure at most once a step, since weights change only between steps."""
        done = bool(self.history) and self.history[-1][0] == state.global_step
        if done or not state.is_world_process_zero:
            return
        started = time.perf_counter()
        reader = copy.copy(self._reader)  # whose stepper is checked again, for the new weights
        with preserved_generators():
            exposure = expose(reader, self.canaries, **self._options)
        self.history.append((state.global_step, exposure))
        logs = _logs(exposure) | {"exposure/seconds": round(time.perf_counter() - started, 3)}
        wanted = control.should_log  # logging would unset it, and the training loss go unlogged
        self._trainer.log(logs)
        control.should_log = wanted


def _checked(canaries: Sequence[Canary]) -> tuple[Canary, ...]:
    checked = tuple(canaries) if isinstance(canaries, Sequence) else ()
    if not checked or not all(isinstance(canary, Canary) for canary in checked):
        raise InvalidInput(
            "canaries must be a sequence of one or more byrote.Canary;"
            f" got {type(canaries).__name__}"
        )
    for place, canary in enumerate(checked):
        if canary.completion is None:
            raise InvalidInput(f"canaries must have their secrets; number {place} has none")
    return checked


def _logs(exposure: Exposure) -> dict[str, float]:
    """Bits by canary and their mean, leaving out unknown ones."""
    known, bits = np.isfinite(exposure.bits), exposure.bits
    logs = {f"exposure/canary-{row}": float(bits[row]) for row in np.flatnonzero(known)}
    return logs | ({"exposure/mean": float(bits[known].mean())} if known.any() else {})


def _calling_trainer(state: Any) -> Any:
    """Find the calling Trainer: events do not pass it, and only its ``log`` reaches reporters."""
    frame = inspect.currentframe()
    while frame is not None:
        owner = frame.f_locals.get("self")
        if isinstance(owner, Trainer) and owner.state is state:
            return owner
        frame = frame.f_back
    raise InvalidInput("ExposureCallback must be called by a transformers.Trainer; got none")
