"""Training of a causal network: AdamW on blocks of the concatenated documents' tokens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from byrote import checks
from byrote.errors import InvalidInput
from byrote.models.language.causal.inference import attention_mask, device_of
from byrote.models.language.length_batches import length_batches

FROM_SCRATCH, FINE_TUNING = 1e-3, 5e-5  # learning rates that suit most networks


def check_parameters(model: Any) -> None:
    """Refuse unusable parameters, reading no file; NumPy's numbers become Python's."""
    if (model.path is None) == (model.config is None):
        got = "neither" if model.path is None else "both"
        raise InvalidInput(
            "CausalLM needs path, a trained model's folder, or config, to train from scratch;"
            f" got {got}"
        )
    for name in ("epochs", "batch_size", "window"):
        setattr(model, name, checks.integer(name, getattr(model, name), at_least=1))
    model.random_state = checks.integer("random_state", model.random_state, at_least=0)
    if model.report_every is not None:
        model.report_every = checks.integer("report_every", model.report_every, at_least=1)
    if model.learning_rate is not None:
        model.learning_rate = checks.positive("learning_rate", model.learning_rate)
    model.weight_decay = checks.not_negative("weight_decay", model.weight_decay)
    model.shuffle = checks.flag("shuffle", model.shuffle)
    if model.separate is not None:
        model.separate = checks.flag("separate", model.separate)
    if model.overlap is not None:
        model.overlap = checks.integer("overlap", model.overlap, at_least=1)


def check_context(model: Any, context: int | None) -> None:
    """Refuse windows and overlaps beyond the tokens that the network reads, if these are known."""
    most = {"window": context, "overlap": model.window if model.path is None else context}
    for name, limit in most.items():
        value = getattr(model, name)
        if limit is not None and value is not None and value > limit:
            raise InvalidInput(
                f"{name} must be at most {limit}, the tokens that the network reads; got {value}"
            )


def remedy(model: Any) -> str:
    """Return the remedy for a training that diverged."""
    return f"lower learning_rate={learning_rate(model)}"


def learning_rate(model: Any) -> float:
    """Return the learning rate, by default that of fine-tuning or of training from scratch."""
    if model.learning_rate is not None:
        return float(model.learning_rate)
    return FROM_SCRATCH if model.path is None else FINE_TUNING


Blocks = tuple[NDArray[np.int64], NDArray[np.int64]]

_IGNORED = -100  # PyTorch's mark of a position without a target
_LARGEST_NORM = 1.0  # of the gradient


@dataclass(frozen=True)
class Schedule:
    """Length and speed of training, and its reports."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    shuffle: bool
    report_every: int | None
    separate: bool = False

    @classmethod
    def of(cls, model: Any, learning_rate: float) -> "Schedule":
        """Return the schedule of a model's parameters."""
        decay, every = float(model.weight_decay), model.report_every
        separate, shuffle = bool(model.separate), model.shuffle
        return cls(model.epochs, model.batch_size, learning_rate, decay, shuffle, every, separate)

    def batches(
        self, targets: NDArray[np.int64], generator: np.random.Generator
    ) -> list[NDArray[np.intp]]:
        """Draw the batches of an epoch: separate texts with others of similar length."""
        if self.separate:
            lengths = np.count_nonzero(targets != _IGNORED, axis=1)
            draw = generator.permutation if self.shuffle else None
            return length_batches(lengths, self.batch_size, draw)
        rows = generator.permutation(len(targets)) if self.shuffle else np.arange(len(targets))
        return [
            rows[start : start + self.batch_size] for start in range(0, len(rows), self.batch_size)
        ]


def stream(texts: Sequence[Sequence[int]], start: Sequence[int], end: Sequence[int]) -> list[int]:
    """Concatenate documents, each between its start and end tokens, with the last one ended.

    Examples
    --------
    >>> stream([[5, 6], [7]], start=[0], end=[])
    [0, 5, 6, 0, 7, 0]
    >>> stream([[5, 6], [7]], start=[1], end=[2])
    [1, 5, 6, 2, 1, 7, 2]
    """
    tokens = [token for ids in texts for token in (*start, *ids, *end)]
    return tokens if end or not tokens else [*tokens, *start]


def blocks(tokens: Sequence[int], window: int) -> Blocks:
    """Return inputs and targets, (n, window): every token but the first is a target once.

    Examples
    --------
    >>> inputs, targets = blocks([0, 5, 6, 7], window=2)
    >>> inputs.tolist(), targets.tolist()
    ([[0, 5], [6, 0]], [[5, 6], [7, -100]])
    """
    steps = len(tokens) - 1
    if steps < 1:
        raise InvalidInput(f"X must hold texts of two tokens or more in all; got {len(tokens)}")
    rows = -(-steps // window)
    inputs = np.zeros(rows * window, dtype=np.int64)
    targets = np.full(rows * window, _IGNORED, dtype=np.int64)
    inputs[:steps], targets[:steps] = tokens[:-1], tokens[1:]
    return inputs.reshape(rows, window), targets.reshape(rows, window)


def separate_blocks(
    texts: Sequence[NDArray[np.int32]], start: Sequence[int], end: Sequence[int], window: int
) -> Blocks:
    """Return inputs and targets, (n, window), each row of one text alone and padded at its end.

    A text is ended by its end tokens, or by the start of a next one.

    Examples
    --------
    >>> inputs, targets = separate_blocks([np.array([5, 6, 7])], start=[0], end=[], window=2)
    >>> inputs.tolist(), targets.tolist()
    ([[0, 5], [6, 7]], [[5, 6], [7, 0]])
    """
    streams = (stream([ids.tolist()], start, end) for ids in texts)
    parts = [blocks(tokens, window) for tokens in streams if len(tokens) > 1]
    if not parts:
        raise InvalidInput(
            f"X must hold a text of two tokens or more; got {len(texts)} shorter ones"
        )
    inputs, targets = zip(*parts, strict=True)
    return np.concatenate(inputs), np.concatenate(targets)


def train(
    model: Any,
    inputs: NDArray[np.int64],
    targets: NDArray[np.int64],
    schedule: Schedule,
    generator: np.random.Generator,
    report: Callable[[int, float], None],
) -> None:
    """Train in place; ``report(number, loss)`` gets the mean loss since the last, nats per token.

    Reports follow each epoch, or every ``report_every`` batches and the end, with the model in
    training mode. A report must not draw from the global generators.
    """
    step = _Step(model, schedule)
    total, counted, batches, reports = 0.0, 0, 0, 0
    for epoch in range(1, schedule.epochs + 1):
        order = schedule.batches(targets, generator)
        for number, batch in enumerate(order, start=1):
            loss, count = step(inputs[batch], targets[batch])
            total, counted, batches = total + loss * count, counted + count, batches + 1
            finished = number == len(order)
            last = finished and epoch == schedule.epochs
            every = schedule.report_every
            if last or (finished if every is None else batches % every == 0):
                reports += 1
                report(reports, total / counted)
                total, counted = 0.0, 0


class _Step:
    """One batch: gradient of the mean loss, its norm bounded, AdamW."""

    def __init__(self, model: Any, schedule: Schedule) -> None:
        self._model, self._device, self._separate = model, device_of(model), schedule.separate
        self._weights = [weight for weight in model.parameters() if weight.requires_grad]
        matrices = [weight for weight in self._weights if weight.ndim > 1]
        vectors = [weight for weight in self._weights if weight.ndim <= 1]  # not decayed
        groups = [
            {"params": matrices, "weight_decay": schedule.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ]
        self._optimizer = torch.optim.AdamW(groups, lr=schedule.learning_rate, fused=True)
        self._model.train()

    def __call__(self, inputs: NDArray[np.int64], targets: NDArray[np.int64]) -> tuple[float, int]:
        """Take a step; return the mean loss before it, nats per token, and the number of tokens."""
        longest = int(np.flatnonzero((targets != _IGNORED).any(axis=0))[-1]) + 1
        inputs, targets = inputs[:, :longest], targets[:, :longest]
        padding = attention_mask(
            np.count_nonzero(targets != _IGNORED, axis=1).tolist(), self._device
        )
        output = self._model(
            input_ids=self._tensor(inputs),
            attention_mask=padding if self._separate else None,
            use_cache=False,
        )
        loss = cross_entropy(output.logits.flatten(0, 1).float(), self._tensor(targets).flatten())
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._weights, _LARGEST_NORM)
        self._optimizer.step()
        return float(loss.detach()), int((targets != _IGNORED).sum())

    def _tensor(self, values: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(values).to(self._device)
