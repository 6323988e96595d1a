"""What pairs are for: fits with the same seeds and places have most of their noise in common."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neighbors import KernelDensity

import byrote
from byrote import Probes
from byrote.data.sources import as_records
from byrote.models import VAE
from byrote.runs.paths import RunPaths
from byrote.runs.request import Request, Settings
from byrote.runs.run_folder import RunFolder
from byrote.scores.outlook.outlook import foresee


@pytest.fixture(scope="module")
def images():
    return (load_digits().images[:200] / 16).astype(np.float32)


def small():
    return VAE(latent_dim=4, hidden=(32,), epochs=8, draws=4, batch_size=100)


def correlation(store, plan, x):
    """Median over records of the correlation of twins around the records' means in and out."""
    byrote.score_memorization(small(), x, plan=plan, out=store)
    table = RunFolder.open(RunPaths(store)).table()
    roles, values = table.roles(), table.log_prob.copy()
    for role in (-1, 1):
        there = roles == role
        values -= np.where(there, (values * there).sum(axis=0) / there.sum(axis=0), 0)
    first, second = values[::2], values[1::2]
    return np.median((first * second).sum(axis=0) / (values**2).sum(axis=0) * 2)


def test_twins_of_a_vae_have_most_of_their_noise_in_common(images, tmp_path):
    assert correlation(tmp_path / "pairs", Probes(40, fits=8, pairs=True), images) > 0.6
    assert abs(correlation(tmp_path / "single", Probes(40, fits=12), images)) < 0.3


def test_a_forecast_knows_pairs(images):
    def asked(model=None, **how):
        plan = Probes(40, **how)
        return foresee(Request(model or small(), as_records(images), plan, Settings()))[1]

    single, paired = asked(fits=20), asked(fits=20, pairs=True)
    assert (paired.values_in, paired.values_out) == (10, 10)
    assert paired.standard_error < 0.7 * single.standard_error
    assert np.isnan(asked(KernelDensity(), fits=2, pairs=True).standard_error)
