"""A text with canaries put into it, as a fit uses it."""

import json
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote.attacks.completion_bits import candidate_bits
from byrote.attacks.enumeration import check_size
from byrote.attacks.ranks import find_ranks
from byrote.data.canaries import Canary
from byrote.data.canary_records import CanaryRecords
from byrote.data.corpus import Corpus
from byrote.errors import InvalidInput
from byrote.fits.content import Scored, checked
from byrote.models import contract

if TYPE_CHECKING:
    from byrote.fits.job import Job

# What a fit's file holds of each ``Ranks``, by the end of the column's name.
RANK_COLUMNS = {"": "rank", **{f"_{name}": name for name in ("low", "high", "least", "most")}}
# How a rank was found, by the number that stands for it in a fit's file.
RANK_METHODS = ("", "search", "enumeration", "model_sampled")
_SAMPLES = 10_000  # of the model, where a search does not reach
_SPOKEN = {"exact": "enumeration"}


class TextContent:
    """The content of an exposure run: ``CanaryRecords`` as the bytes that workers share.

    Every row is a completion of a pattern. It is scored by its log-likelihood after the pattern's
    prefix, nats; beside that stands, for canaries, their rank among all completions as far as the
    model itself tells it (diagnostics ``rank``, its bounds, and by which method).
    """

    def __init__(self, array: NDArray[Any]) -> None:
        self._content = json.loads(array.tobytes())
        self._pattern = np.array(self._content["pattern"])
        self._canary = np.arange(len(self._pattern)) < self._content["canaries"]

    @staticmethod
    def check(model: Any, records: CanaryRecords) -> None:
        """Only a language model takes them; it may refuse the documents."""
        if not contract.takes_texts(model):
            raise InvalidInput(
                f"model must be a language model, with takes_texts; {type(model).__name__} is none"
            )
        if records.measurement.method == "exact":
            for pattern in records.patterns:
                check_size(pattern)
        contract.check_texts(model, records.corpus.documents)

    @cached_property
    def _corpus(self) -> Corpus:
        return Corpus(tuple(self._content["documents"]))

    @cached_property
    def _patterns(self) -> list[Canary]:
        return [Canary(**given) for given in self._content["patterns"]]

    def training(self, model: Any, job: "Job") -> list[str]:  # noqa: ARG002
        """The documents, with each copy of each canary as a line of its own."""
        completions = self._content["completions"]
        lines = [
            self._patterns[self._pattern[row]].prefix + completions[row]
            for row in job.training_rows()
        ]
        places = np.empty(0, dtype=np.int64) if job.places is None else job.places
        return self._corpus.with_lines(places, lines)

    def scored(self, model: Any, job: "Job", *, in_passing: bool = False) -> Scored:
        """Log-likelihoods of all completions, and what the model tells of the canaries' ranks.

        In passing, in the middle of training, the model is asked a fifth as much for ranks.
        """
        n = len(self._pattern)
        log_prob = np.empty(n)
        found = {f"rank{end}": np.full(n, np.nan) for end in RANK_COLUMNS}
        found["rank_method"] = np.zeros(n)
        for number, pattern in enumerate(self._patterns):
            rows = np.flatnonzero(self._pattern == number)
            log_prob[rows] = -np.log(2) * candidate_bits(model, pattern, self._texts(rows))
            if self._content["measurement"]["method"] != "none":
                share = 5 if in_passing else 1
                self._rank(model, pattern, rows[self._canary[rows]], job, found, share)
        return Scored(checked(log_prob, n), found)

    def _rank(
        self,
        model: Any,
        pattern: Canary,
        rows: NDArray[np.intp],
        job: "Job",
        found: Mapping[str, NDArray[np.float64]],
        share: int,
    ) -> None:
        how = self._content["measurement"]
        ranks = find_ranks(
            model,
            pattern,
            self._texts(rows),
            method=_SPOKEN.get(how["method"], how["method"]),
            max_queries=-(-how["max_queries"] // share),
            samples=_SAMPLES // share,
            seed=job.evaluation_seed,
        )
        for end, name in RANK_COLUMNS.items():
            found[f"rank{end}"][rows] = getattr(ranks, name)
        found["rank_method"][rows] = [RANK_METHODS.index(name) for name in ranks.method]

    def _texts(self, rows: NDArray[np.intp]) -> list[str]:
        return [self._content["completions"][row] for row in rows]

    def loss(self, model: Any, job: "Job") -> float:  # noqa: ARG002
        """The model's loss of the text that was set apart, nats per token."""
        held_out = self._content["held_out"]
        if not held_out or not contract.has_loss(model):
            return float("nan")
        return float(model.loss(held_out))

    def facts(self, model: Any, job: "Job") -> Mapping[str, Any]:
        """The test loss at the end of training, nats per token, and the size of the model."""
        loss = self.loss(model, job)
        known = {"test_loss": loss} if np.isfinite(loss) else {}
        size = getattr(model, "size", None)
        return {**known, "model": dict(size)} if isinstance(size, Mapping) else known
