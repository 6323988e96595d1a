"""Runs beside a baseline: did the mitigation work, and at what cost?"""

from byrote.scores.comparison.comparing import compare as compare
from byrote.scores.comparison.result import Comparison as Comparison
from byrote.scores.comparison.result import ExposureChange as ExposureChange
from byrote.scores.comparison.result import ScoreChange as ScoreChange
