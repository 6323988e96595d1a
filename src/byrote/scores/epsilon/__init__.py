"""What privacy loss is proven: lower bounds on epsilon, and what an epsilon promises."""

from byrote.scores.epsilon.density import DensityBound as DensityBound
from byrote.scores.epsilon.density import epsilon_from_density as epsilon_from_density
from byrote.scores.epsilon.exposure import ExposureBound as ExposureBound
from byrote.scores.epsilon.exposure import exposure_bound as exposure_bound
from byrote.scores.epsilon.gaussian import gaussian_delta as gaussian_delta
from byrote.scores.epsilon.gaussian import gaussian_epsilon as gaussian_epsilon
from byrote.scores.epsilon.one_run import OneRunAudit as OneRunAudit
from byrote.scores.epsilon.one_run import audit_one_run as audit_one_run
from byrote.scores.epsilon.one_run import one_run_epsilon as one_run_epsilon
from byrote.scores.epsilon.one_run import one_run_mu as one_run_mu
from byrote.scores.epsilon.rates import RatesBound as RatesBound
from byrote.scores.epsilon.rates import epsilon_from_rates as epsilon_from_rates
from byrote.scores.epsilon.rates import epsilon_from_scores as epsilon_from_scores
