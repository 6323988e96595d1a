"""Can one tell from a model whether it trained on a record?"""

from byrote.scores.membership.inference import ATTACKS as ATTACKS
from byrote.scores.membership.inference import infer_membership as infer_membership
from byrote.scores.membership.result import HitsAtRate as HitsAtRate
from byrote.scores.membership.result import MembershipInference as MembershipInference
