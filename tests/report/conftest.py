"""A result with numbers of one's own."""

from dataclasses import replace

import numpy as np
import pytest

import byrote

from estimators import PureNoise


@pytest.fixture(scope="session")
def template():
    return byrote.score_memorization(PureNoise(), np.zeros((2, 1)), plan=byrote.KFold(2, 1))


@pytest.fixture
def made(template):
    """A result of n records; what is not given is 0."""

    def make(score, log_prob_in=None, log_prob_out=None, labels=None, ids=None, q_value=1.0):
        n = len(score)
        zeros = np.zeros(n)
        return replace(
            template,
            score=np.asarray(score, float),
            log_prob_in=zeros if log_prob_in is None else np.asarray(log_prob_in, float),
            log_prob_out=zeros if log_prob_out is None else np.asarray(log_prob_out, float),
            standard_error={"score": np.full(n, 0.5)},
            mean_log=np.full(n, 2.5),
            q_value=np.broadcast_to(np.asarray(q_value, float), n),
            interval=np.tile([1.0, 4.0], (n, 1)),
            labels=None if labels is None else np.asarray(labels),
            ids=np.arange(n) if ids is None else np.asarray(ids),
        )

    return make
