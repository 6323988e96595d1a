"""Findings of studies: functions from runs to tables, sentences, figures and data, by name."""

from collections.abc import Callable, Mapping, Sequence

from byrote.studies.execute import StudyRun
from byrote.studies.findings import (
    by_copies,
    by_insertions,
    by_sharing,
    copying,
    extraction,
    families,
    fine_tuning,
    mitigations,
    onion,
    over_training,
    perplexity_pareto,
    privacy,
    published_scores,
    skew_normal,
)
from byrote.studies.findings.finding import Findings

FINDINGS: Mapping[str, Callable[[Sequence[StudyRun]], Findings]] = {
    "published-scores": published_scores.compare_with_published,
    "exposure-over-training": over_training.exposure_over_training,
    "exposure-by-insertions": by_insertions.exposure_by_insertions,
    "extraction": extraction.extraction,
    "model-size": by_insertions.model_size,
    "perplexity-pareto": perplexity_pareto.perplexity_pareto,
    "skew-normal-fit": skew_normal.skew_normal_fit,
    "privacy": privacy.exposure_by_privacy,
    "mitigations": mitigations.compare_mitigations,
    "onion": onion.onion,
    "families": families.compare_families,
    "copying": copying.compare_copying,
    "fine-tuning": fine_tuning.fine_tuning,
    "recitation-by-copies": by_copies.recitation_by_copies,
    "memorized-or-predictable": by_sharing.memorized_or_predictable,
}
