"""The likelihood of tables: densities of numbers, probabilities of categories and of gaps."""

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from byrote.errors import InvalidInput
from byrote.models import VAE
from byrote.models.vae.mixed import Layout, Mixed, MixedColumns, log_student, log_student_power

COLUMNS = ["number", 3, "number?", 2, "number?"]
SMALL = {"latent_dim": 2, "hidden": (8,), "epochs": 2, "draws": 16, "random_state": 0}


def table(n=40, seed=0):
    """Records of ``COLUMNS``: five values, then what is missing of two columns."""
    generator = np.random.default_rng(seed)
    numbers = generator.normal(size=(n, 3))
    codes = [generator.integers(size, size=n) for size in (3, 2)]
    missing = generator.integers(2, size=(n, 2))
    return np.column_stack(
        [numbers[:, 0], codes[0], numbers[:, 1], codes[1], numbers[:, 2], missing]
    )


def test_log_p_given_z_is_that_of_scipy_column_by_column():
    x, layout = table(), Layout(COLUMNS)
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(len(x), layout.outputs, generator=generator)
    likelihood = Mixed(COLUMNS)
    space = MixedColumns((layout.width,), "cpu", COLUMNS)
    inputs, log_determinant = space.fixed(x, 0)
    found = likelihood.log_prob(inputs.unsqueeze(-1), outputs.unsqueeze(-1)).detach().numpy()
    freedom = likelihood.freedom.detach().numpy()
    mean, log_variance, first, second, gaps = np.split(outputs.double().numpy(), [3, 6, 9, 11], 1)
    log_t = stats.t.logpdf(x[:, [0, 2, 4]], freedom, mean, np.exp(log_variance / 2))
    log_t[:, 1:] *= x[:, 5:] == 0
    rows = np.arange(len(x))
    expected = log_t.sum(axis=1)
    for logits, column in ((first, 1), (second, 3)):
        q = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        expected += np.log(q[rows, x[:, column].astype(int)])
    expected += stats.bernoulli.logpmf(x[:, 5:], 1 / (1 + np.exp(-gaps))).sum(axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)
    assert not log_determinant.any()


def test_student_tends_to_the_normal_and_its_powers_integrate():
    x = torch.linspace(-3, 3, 7, dtype=torch.float64)
    centre, log_variance = torch.tensor(0.5), torch.tensor(-0.8, dtype=torch.float64)
    found = log_student(x, centre, log_variance, torch.tensor(1e9, dtype=torch.float64))
    np.testing.assert_allclose(found, stats.norm.logpdf(x, 0.5, np.exp(-0.4)), atol=1e-5)
    for freedom, power in ((3.0, 1.0), (2.5, 1.3), (30.0, 2.0)):
        density = stats.t(freedom, 0, np.exp(-0.4)).pdf
        whole, _ = integrate.quad(lambda y, f=density, p=power: f(y) ** p, -np.inf, np.inf)
        log_power = log_student_power(log_variance, torch.tensor(freedom), power)
        np.testing.assert_allclose(float(log_power), np.log(whole), atol=1e-5)


def test_the_sum_over_all_records_of_categories_and_gaps_is_one():
    """And with a power, what ``log_power`` computes, numbers aside."""
    columns = [3, 2]
    layout = Layout(columns)
    outputs = torch.randn(layout.outputs, generator=torch.Generator().manual_seed(1))
    x = np.array([[a, b] for a in range(3) for b in range(2)], dtype=float)
    inputs, _ = MixedColumns((2,), "cpu", columns).fixed(x, 0)
    likelihood = Mixed(columns)
    log_prob = likelihood.log_prob(inputs.unsqueeze(-1), outputs.unsqueeze(-1))
    np.testing.assert_allclose(log_prob.exp().sum().detach(), 1.0, rtol=1e-5)
    expected = torch.logsumexp(1.5 * log_prob, 0).detach()
    found = likelihood.log_power(outputs.unsqueeze(-1), 1.5).detach()
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_samples_have_the_moments_and_frequencies_of_the_outputs():
    columns = ["number?", 3]
    layout, likelihood = Layout(columns), Mixed(columns)
    outputs = torch.tensor([2.0, 0.0, 0.3, -0.5, 1.0, -0.4]).expand(40_000, -1).unsqueeze(-1)
    generator = torch.Generator().manual_seed(0)
    space = MixedColumns((layout.width,), "cpu", columns)
    drawn = space.records(space.leave(likelihood.sample(outputs, generator).flatten(-2)))
    missing = drawn[:, 2] > 0
    np.testing.assert_allclose(missing.mean(), 1 / (1 + np.exp(0.4)), atol=0.01)
    freedom = float(likelihood.freedom.detach())
    assert stats.kstest(drawn[~missing, 0] - 2, stats.t(freedom).cdf).pvalue > 1e-3
    weights = np.exp([0.3, -0.5, 1.0])
    frequencies = np.bincount(drawn[:, 1].astype(int), minlength=3) / len(drawn)
    np.testing.assert_allclose(frequencies, weights / weights.sum(), atol=0.01)


def test_a_record_of_inputs_comes_back_and_a_missing_number_says_nothing():
    x = table()
    space = MixedColumns((7,), "cpu", COLUMNS)
    inputs, _ = space.fixed(x, 0)
    x[:, [2, 4]] *= x[:, 5:] == 0
    np.testing.assert_allclose(space.records(space.leave(inputs)), x.astype(np.float32))
    model = VAE(**SMALL, columns=COLUMNS).fit(x)
    other = x.copy()
    other[:, [2, 4]] += 7 * x[:, 5:]
    np.testing.assert_array_equal(model.score_samples(x), model.score_samples(other))
    assert model.sample(5).shape == (5, 7)
    weights = model.get_weights()
    again = VAE(**SMALL, columns=COLUMNS).set_weights(weights)
    np.testing.assert_array_equal(model.score_samples(x), again.score_samples(x))


def test_a_robust_cost_trains_too():
    assert np.isfinite(VAE(**SMALL, columns=COLUMNS, robust=0.05).fit(table()).losses_).all()


BAD = {
    "no columns": ({"likelihood": "mixed"}, "columns must list, for likelihood='mixed'"),
    "a word": ({"columns": ["numbers"]}, "'number\\?' .* got 'numbers'"),
    "no category": ({"columns": [0, "number"]}, "number of categories up to .* got 0"),
    "other likelihood": ({"likelihood": "gaussian"}, "columns must be None unless likelihood"),
    "network": ({"network": "convolutional"}, "network must be 'fully-connected' with likelihood="),
    "outlier": ({"outlier": 0.1}, "outlier must be None with likelihood='mixed'"),
    "space": ({"space": "real"}, "space must be auto or columns with likelihood='mixed'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_settings_are_refused(case):
    settings, message = BAD[case]
    columns = {} if case == "no columns" else {"columns": COLUMNS}
    with pytest.raises(InvalidInput, match=message):
        VAE(**{**SMALL, **columns, **settings}).fit(table())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x[:, :6], "must have the 7 values of 5 columns"),
        (lambda x: x + np.array([0, 3, 0, 0, 0, 0, 0]), "codes from 0 in columns of categories"),
        (lambda x: x + np.array([0, 0.5, 0, 0, 0, 0, 0]), "codes from 0"),
        (lambda x: x * [1e3, 1, 1, 1, 1, 1, 1], "near mean 0 and standard deviation 1"),
    ],
)
def test_records_that_do_not_fit_are_refused(change, message):
    with pytest.raises(InvalidInput, match=message):
        VAE(**SMALL, columns=COLUMNS).check_input(change(table()))
