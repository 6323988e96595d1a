"""Tables of log-likelihoods made by mechanisms whose epsilon is known."""

import numpy as np

from byrote import Probes
from byrote.plans import design_of
from byrote.plans.design import IN
from byrote.runs.table import Table


def laplace(generator, included):
    return included + generator.laplace(size=included.shape)  # sensitivity 1: epsilon 1


def gaussian(generator, included):
    return included + generator.normal(size=included.shape)  # mu 1


def response(generator, included, epsilon=1.0):
    lies = generator.random(included.shape) < 1 / (1 + np.exp(epsilon))
    return np.where(included ^ lies, 1.0, -1.0)


def silent(generator, included):
    return generator.normal(size=included.shape)


def table_of(plan, n, seed, mechanism, *, level=3.0, common=1.0):
    """Records differ in level, fits in a shift of all; what tells is the mechanism's alone."""
    design = design_of(plan, n, seed)
    rows = design.scored
    table = Table(design, rows, np.zeros((design.fits, len(rows))))
    generator = np.random.default_rng(seed)
    roles = table.roles()
    values = mechanism(generator, roles == IN)
    values = values + level * generator.normal(size=len(rows))
    values += common * generator.normal(size=(design.fits, 1))
    table.log_prob[:] = np.where(roles == 0, np.nan, values)
    return table


def coins(records, fits):
    return Probes(list(range(records)), fits=fits, coins=True)


def balanced(records, fits):
    return Probes(list(range(records)), fits=fits)
