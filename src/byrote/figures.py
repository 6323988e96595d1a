"""Figures: functions ``(result, …, ax=None) -> Axes``, or ``-> Figure`` where axes are several.

docs/figures.md lists them with the figures of the paper.
"""

from byrote.report.figures.classes import scores_by_label, thin_regions
from byrote.report.figures.copies import Copying, copies_by_configuration
from byrote.report.figures.distance_ratio import ratio_by_score, ratio_densities
from byrote.report.figures.distribution import score_distribution, score_distributions
from byrote.report.figures.estimators import Estimates, exposure_by_estimator
from byrote.report.figures.examples import memorized_examples
from byrote.report.figures.exposure_privacy import (
    PrivateModel,
    PublishedModel,
    exposure_by_epsilon,
)
from byrote.report.figures.exposure_training import ExposureCurves, exposure_over_training
from byrote.report.figures.images import gallery, reproduced
from byrote.report.figures.insertions import completion_by_prefix, exposure_by_insertions
from byrote.report.figures.log_prob import memorized_by_log_prob, memorized_share_by_log_prob
from byrote.report.figures.mitigations import (
    OnionRound,
    Quantiles,
    onion,
    quantiles_by_configuration,
)
from byrote.report.figures.one_record import one_record
from byrote.report.figures.over_epochs import losses, quantiles_over_epochs
from byrote.report.figures.paired_scores import PairedScores, paired_scores
from byrote.report.figures.pareto import ParetoPoint, pareto
from byrote.report.figures.recitation_by_copies import RecitationCurve, recitation_by_copies
from byrote.report.figures.recitation_by_sharing import SharedRecitation, recitation_by_sharing
from byrote.report.figures.skew_normal import skew_normal_fit
from byrote.report.figures.toy import toy_memorization, toy_overfitting
from byrote.report.figures.with_and_without import with_and_without

__all__ = [
    "Copying",
    "Estimates",
    "ExposureCurves",
    "OnionRound",
    "PairedScores",
    "ParetoPoint",
    "PrivateModel",
    "PublishedModel",
    "Quantiles",
    "RecitationCurve",
    "SharedRecitation",
    "completion_by_prefix",
    "copies_by_configuration",
    "exposure_by_epsilon",
    "exposure_by_estimator",
    "exposure_by_insertions",
    "exposure_over_training",
    "gallery",
    "losses",
    "memorized_by_log_prob",
    "memorized_examples",
    "memorized_share_by_log_prob",
    "one_record",
    "onion",
    "paired_scores",
    "pareto",
    "quantiles_by_configuration",
    "quantiles_over_epochs",
    "ratio_by_score",
    "ratio_densities",
    "recitation_by_copies",
    "recitation_by_sharing",
    "reproduced",
    "score_distribution",
    "score_distributions",
    "scores_by_label",
    "skew_normal_fit",
    "thin_regions",
    "toy_memorization",
    "toy_overfitting",
    "with_and_without",
]
