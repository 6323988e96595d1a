"""What a run says about privacy: bounds on epsilon, attacks, and what was promised."""

from byrote.scores.evidence.result import Bound as Bound
from byrote.scores.evidence.result import PrivacyEvidence as PrivacyEvidence
from byrote.scores.evidence.result import Side as Side
