"""byrote: which training records did a generative model learn by rote, and how sure can one be?

Names load when they are first used, so that ``import byrote`` is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from byrote.attacks.extraction import Extraction as Extraction
    from byrote.attacks.extraction import extract as extract
    from byrote.data import Corpus as Corpus
    from byrote.data import Records as Records
    from byrote.data import load as load
    from byrote.data import load_corpus as load_corpus
    from byrote.data.canaries import Canary as Canary
    from byrote.errors import ByroteError as ByroteError
    from byrote.errors import CannotWrite as CannotWrite
    from byrote.errors import CorruptFile as CorruptFile
    from byrote.errors import ForeignFile as ForeignFile
    from byrote.errors import IncompleteRun as IncompleteRun
    from byrote.errors import InvalidInput as InvalidInput
    from byrote.errors import MissingExtra as MissingExtra
    from byrote.errors import RunMismatch as RunMismatch
    from byrote.plans import KFold as KFold
    from byrote.plans import LeaveOneOut as LeaveOneOut
    from byrote.plans import Membership as Membership
    from byrote.plans import Probes as Probes
    from byrote.plans import Subset as Subset
    from byrote.scores.compare.compare import compare as compare
    from byrote.scores.compare.comparison import Comparison as Comparison
    from byrote.scores.exposure.best_estimate import exposure_from_rank as exposure_from_rank
    from byrote.scores.exposure.curve import SkewNormalFit as SkewNormalFit
    from byrote.scores.exposure.estimate import estimate_exposure as estimate_exposure
    from byrote.scores.exposure.expose import expose as expose
    from byrote.scores.exposure.exposure import Exposure as Exposure
    from byrote.scores.exposure.exposure_result import ExposureResult as ExposureResult
    from byrote.scores.exposure.score_exposure import score_exposure as score_exposure
    from byrote.scores.exposure.trajectory import ExposureOverTraining as ExposureOverTraining
    from byrote.scores.gate.check import check as check
    from byrote.scores.gate.threshold import Gate as Gate
    from byrote.scores.gate.threshold import Threshold as Threshold
    from byrote.scores.memorization.memorization_result import (
        MemorizationResult as MemorizationResult,
    )
    from byrote.scores.memorization.percentiles import RecordPercentiles as RecordPercentiles
    from byrote.scores.memorization.percentiles import record_percentiles as record_percentiles
    from byrote.scores.memorization.pruning import Pruned as Pruned
    from byrote.scores.memorization.pruning import prune as prune
    from byrote.scores.memorization.score_memorization import (
        score_memorization as score_memorization,
    )
    from byrote.scores.memorization.trajectory import Trajectory as Trajectory
    from byrote.scores.neighbors.authenticity import Authenticity as Authenticity
    from byrote.scores.neighbors.authenticity import authenticity as authenticity
    from byrote.scores.neighbors.compare_neighbors import compare_neighbors as compare_neighbors
    from byrote.scores.neighbors.copying_test import CopyingTest as CopyingTest
    from byrote.scores.neighbors.copying_test import copying_test as copying_test
    from byrote.scores.neighbors.distance_ratio import distance_ratio as distance_ratio
    from byrote.scores.neighbors.near_duplicates import NearDuplicates as NearDuplicates
    from byrote.scores.neighbors.near_duplicates import near_duplicates as near_duplicates
    from byrote.scores.neighbors.neighbor_result import NeighborResult as NeighborResult
    from byrote.scores.privacy.density import DensityBound as DensityBound
    from byrote.scores.privacy.density import epsilon_from_density as epsilon_from_density
    from byrote.scores.privacy.evidence import Bound as Bound
    from byrote.scores.privacy.evidence import PrivacyEvidence as PrivacyEvidence
    from byrote.scores.privacy.guarantee import ExposureBound as ExposureBound
    from byrote.scores.privacy.guarantee import exposure_bound as exposure_bound
    from byrote.scores.privacy.guarantee import gaussian_delta as gaussian_delta
    from byrote.scores.privacy.guarantee import gaussian_epsilon as gaussian_epsilon
    from byrote.scores.privacy.membership import HitsAtRate as HitsAtRate
    from byrote.scores.privacy.membership import MembershipInference as MembershipInference
    from byrote.scores.privacy.membership import infer_membership as infer_membership
    from byrote.scores.privacy.one_run import OneRunAudit as OneRunAudit
    from byrote.scores.privacy.one_run import audit_one_run as audit_one_run
    from byrote.scores.privacy.one_run import one_run_epsilon as one_run_epsilon
    from byrote.scores.privacy.one_run import one_run_mu as one_run_mu
    from byrote.scores.privacy.rates import RatesBound as RatesBound
    from byrote.scores.privacy.rates import epsilon_from_rates as epsilon_from_rates
    from byrote.scores.privacy.rates import epsilon_from_scores as epsilon_from_scores
    from byrote.scores.run import Run as Run
    from byrote.scores.run import open_run as open_run

__version__ = "0.1.0"

_HOME = {
    "Authenticity": "byrote.scores.neighbors.authenticity",
    "Bound": "byrote.scores.privacy.evidence",
    "ByroteError": "byrote.errors",
    "Canary": "byrote.data.canaries",
    "Comparison": "byrote.scores.compare.comparison",
    "CopyingTest": "byrote.scores.neighbors.copying_test",
    "Corpus": "byrote.data",
    "CannotWrite": "byrote.errors",
    "CorruptFile": "byrote.errors",
    "DensityBound": "byrote.scores.privacy.density",
    "Exposure": "byrote.scores.exposure.exposure",
    "ExposureBound": "byrote.scores.privacy.guarantee",
    "ExposureOverTraining": "byrote.scores.exposure.trajectory",
    "ExposureResult": "byrote.scores.exposure.exposure_result",
    "Extraction": "byrote.attacks.extraction",
    "ForeignFile": "byrote.errors",
    "Gate": "byrote.scores.gate.threshold",
    "HitsAtRate": "byrote.scores.privacy.membership",
    "IncompleteRun": "byrote.errors",
    "InvalidInput": "byrote.errors",
    "KFold": "byrote.plans",
    "LeaveOneOut": "byrote.plans",
    "Membership": "byrote.plans",
    "MembershipInference": "byrote.scores.privacy.membership",
    "MemorizationResult": "byrote.scores.memorization.memorization_result",
    "MissingExtra": "byrote.errors",
    "NearDuplicates": "byrote.scores.neighbors.near_duplicates",
    "NeighborResult": "byrote.scores.neighbors.neighbor_result",
    "OneRunAudit": "byrote.scores.privacy.one_run",
    "PrivacyEvidence": "byrote.scores.privacy.evidence",
    "Probes": "byrote.plans",
    "Pruned": "byrote.scores.memorization.pruning",
    "RatesBound": "byrote.scores.privacy.rates",
    "RecordPercentiles": "byrote.scores.memorization.percentiles",
    "Records": "byrote.data",
    "Run": "byrote.scores.run",
    "RunMismatch": "byrote.errors",
    "SkewNormalFit": "byrote.scores.exposure.curve",
    "Subset": "byrote.plans",
    "Threshold": "byrote.scores.gate.threshold",
    "Trajectory": "byrote.scores.memorization.trajectory",
    "audit_one_run": "byrote.scores.privacy.one_run",
    "authenticity": "byrote.scores.neighbors.authenticity",
    "check": "byrote.scores.gate.check",
    "compare": "byrote.scores.compare.compare",
    "compare_neighbors": "byrote.scores.neighbors.compare_neighbors",
    "copying_test": "byrote.scores.neighbors.copying_test",
    "distance_ratio": "byrote.scores.neighbors.distance_ratio",
    "epsilon_from_density": "byrote.scores.privacy.density",
    "epsilon_from_rates": "byrote.scores.privacy.rates",
    "epsilon_from_scores": "byrote.scores.privacy.rates",
    "estimate_exposure": "byrote.scores.exposure.estimate",
    "expose": "byrote.scores.exposure.expose",
    "exposure_bound": "byrote.scores.privacy.guarantee",
    "exposure_from_rank": "byrote.scores.exposure.best_estimate",
    "extract": "byrote.attacks.extraction",
    "gaussian_delta": "byrote.scores.privacy.guarantee",
    "gaussian_epsilon": "byrote.scores.privacy.guarantee",
    "infer_membership": "byrote.scores.privacy.membership",
    "load": "byrote.data",
    "load_corpus": "byrote.data",
    "near_duplicates": "byrote.scores.neighbors.near_duplicates",
    "open_run": "byrote.scores.run",
    "one_run_epsilon": "byrote.scores.privacy.one_run",
    "one_run_mu": "byrote.scores.privacy.one_run",
    "prune": "byrote.scores.memorization.pruning",
    "record_percentiles": "byrote.scores.memorization.percentiles",
    "score_exposure": "byrote.scores.exposure.score_exposure",
    "score_memorization": "byrote.scores.memorization.score_memorization",
}
__all__ = ["__version__", *sorted(_HOME)]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name in ("data", "hf", "models", "plans"):
        return import_module(f"byrote.{name}")
    raise AttributeError(f"module 'byrote' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
