"""Texts as records: a language model is trained on some of them, and scores them one by one."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from byrote.data.text_records import PackedTexts, TextRecords
from byrote.errors import InvalidInput, TrainingDiverged
from byrote.models import contract
from byrote.models.weights import BadWeights
from byrote.plans import Design
from byrote.runs.job import BadLogProb, Content, Job
from byrote.runs.kinds.arrays import ArrayContent, Arrays


@dataclass(frozen=True, eq=False)
class TextsContent(ArrayContent):
    """The packed texts of all records."""

    def __len__(self) -> int:
        return len(PackedTexts(self.x))

    def values(self, rows: NDArray[np.integer] | None) -> list[str]:
        """Return the texts in these rows, or all."""
        return PackedTexts(self.x).take(rows)

    def training(self, model: Any, job: Job) -> list[str]:  # noqa: ARG002
        """Return the texts that are not held out."""
        return self.values(job.training_rows())


@dataclass(frozen=True, eq=False)
class Texts(Arrays):
    """A run on texts, each a record."""

    records: TextRecords
    content: ClassVar[type[Content]] = TextsContent
    noun = "the texts"
    safe_errors: ClassVar[tuple[type[BaseException], ...]] = (
        BadLogProb, BadWeights, InvalidInput, TrainingDiverged,
    )  # fmt: skip

    def check(self, model: Any) -> None:
        """Reject all but language models, and texts that the model rejects."""
        if not contract.takes_texts(model):
            raise InvalidInput(
                "model must be a language model, such as CharLSTM or CausalLM (--model char-lstm,"
                f" hf:PATH), or have takes_texts = True; {type(model).__name__} does not take texts"
            )
        contract.check_input(model, self._values)

    def made_up(self, design: Design, seed: int) -> None:
        """Return None: made-up text is not similar enough."""

    @property
    def _values(self) -> list[str]:
        """The texts as the model gets them."""
        return list(self.records.texts)

    def _taken(self, rows: NDArray[np.intp]) -> NDArray[np.uint8]:
        return self.records.take(rows).x
