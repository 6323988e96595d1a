"""What attacks left in a run, in sentences and as plain data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from byrote.report import counterfactual_recitation, extracted_records, extraction
from byrote.scores.exposure.secret_extraction import SecretExtraction
from byrote.scores.neighbors.record_extraction import RecordExtraction
from byrote.scores.recitation.counterfactual import CounterfactualRecitation

AttackResult = CounterfactualRecitation | RecordExtraction | SecretExtraction


@dataclass(frozen=True)
class AttackReport:
    """The result of an attack: the verb that ran it, sentences, and plain data for JSON."""

    verb: str
    sentences: Sequence[str]
    data: dict[str, Any]

    def render(self) -> Iterator[object]:
        """Yield the sentences after the command, and an empty line before."""
        yield ""
        yield Text(f"byrote {self.verb}: {' '.join(self.sentences)}")


def report_of(result: AttackResult) -> AttackReport:
    """Return the report of a recitation or an extraction; secrets are masked."""
    if isinstance(result, CounterfactualRecitation):
        sentence = counterfactual_recitation.sentence(result)
        return AttackReport("recite", [sentence], counterfactual_recitation.to_json(result))
    if isinstance(result, RecordExtraction):
        sentences = extracted_records.sentences(result)
        return AttackReport("extract", sentences, extracted_records.run_to_json(result))
    return AttackReport("extract", extraction.sentences(result), extraction.run_to_json(result))
