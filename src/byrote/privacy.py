"""Privacy: bounds on epsilon, membership inference, guarantees, disclosure of attributes."""

from byrote.scores.privacy.attribute_disclosure import AttributeDisclosure, attribute_disclosure
from byrote.scores.privacy.density import DensityBound, epsilon_from_density
from byrote.scores.privacy.evidence import Bound
from byrote.scores.privacy.guarantee import (
    ExposureBound,
    exposure_bound,
    gaussian_delta,
    gaussian_epsilon,
)
from byrote.scores.privacy.membership import HitsAtRate, MembershipInference, infer_membership
from byrote.scores.privacy.one_run import OneRunAudit, audit_one_run, one_run_epsilon, one_run_mu
from byrote.scores.privacy.rates import RatesBound, epsilon_from_rates, epsilon_from_scores

__all__ = [
    "AttributeDisclosure",
    "Bound",
    "DensityBound",
    "ExposureBound",
    "HitsAtRate",
    "MembershipInference",
    "OneRunAudit",
    "RatesBound",
    "attribute_disclosure",
    "audit_one_run",
    "epsilon_from_density",
    "epsilon_from_rates",
    "epsilon_from_scores",
    "exposure_bound",
    "gaussian_delta",
    "gaussian_epsilon",
    "infer_membership",
    "one_run_epsilon",
    "one_run_mu",
]
