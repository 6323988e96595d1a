"""Networks trained elsewhere: what they predict, read against the exact denoiser of some points."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from byrote.errors import InvalidInput
from byrote.models import Diffusion
from byrote.models.diffusion.pretrained import PretrainedDenoiser
from exact_denoisers import exact_denoiser, kernel_density

PREDICTIONS = ("epsilon", "v_prediction", "sample")
SIGMAS = np.geomspace(0.3, 80, 400)
POINTS, FRESH = np.random.default_rng(0).normal(size=(2, 12, 2))


def scheduler(prediction="epsilon", sigmas=SIGMAS):
    """What is read of a scheduler: records keep the share a of their variance at each step."""
    return SimpleNamespace(
        alphas_cumprod=torch.as_tensor(1 / (1 + sigmas**2)),
        config=SimpleNamespace(prediction_type=prediction),
    )


class Exact(torch.nn.Module):
    """The best network for some points, by the definitions of its three predictions.

    The noisy input is sqrt(a) x + sqrt(1 - a) eps. ``wrapped``: outputs as diffusers wraps them.
    """

    def __init__(self, points, prediction, wrapped=False):
        super().__init__()
        self.denoise, self.prediction = exact_denoiser(points.reshape(len(points), -1)), prediction
        self.wrapped = wrapped

    def forward(self, noisy, step):
        kept = torch.as_tensor(1 / (1 + SIGMAS**2))[step][:, None]
        flat = noisy.double().flatten(1)
        x = self.denoise(flat / kept.sqrt(), ((1 - kept) / kept).sqrt()[:, 0])
        noise = (flat - kept.sqrt() * x) / (1 - kept).sqrt()
        velocity = kept.sqrt() * noise - (1 - kept).sqrt() * x  # Salimans and Ho 2022
        found = {"epsilon": noise, "v_prediction": velocity, "sample": x}[self.prediction]
        output = found.view(noisy.shape).to(noisy.dtype)
        return SimpleNamespace(sample=output) if self.wrapped else output


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_every_prediction_is_read_as_the_same_denoiser(prediction):
    denoiser = PretrainedDenoiser(Exact(POINTS, prediction), scheduler(prediction), (2,))
    sigma = torch.as_tensor(denoiser.levels(40))
    z = torch.as_tensor(np.random.default_rng(1).normal(size=(len(sigma), 2))) * sigma[:, None]
    expected = exact_denoiser(POINTS)(z, sigma)
    np.testing.assert_allclose(denoiser(z, sigma), expected, atol=1e-6)
    assert (sigma[0], sigma[-1]) == pytest.approx((0.3, 80))


def test_log_prob_is_that_of_the_points_with_noise():
    model = Diffusion.of(
        Exact(POINTS, "v_prediction"), scheduler("v_prediction"), shape=(2,),
        estimator="both", levels=100, draws=200, steps=100,
    )  # fmt: skip
    records = np.concatenate([POINTS[:2], FRESH[:2]])
    log_prob = model.score_samples(records)
    noise = 0.3 * np.random.default_rng(2).normal(size=(20_000, 2))
    around = [kernel_density(POINTS, record + noise, 0.3).mean() for record in records]
    error = 5 * model.diagnostics_["mc_error"] + 0.05
    assert (np.abs(log_prob - around) < error).all()
    np.testing.assert_allclose(
        model.diagnostics_["ode"], kernel_density(POINTS, records, 0.3), atol=0.05
    )


def test_wrapped_outputs_of_colour_images_are_read_channels_first():
    images = np.random.default_rng(3).random((5, 3, 4, 2))
    seen = np.moveaxis(2 * images - 1, 3, 1)  # on [-1, 1], as the network knows them
    network = Exact(seen, "epsilon", wrapped=True)
    model = Diffusion.of(network, scheduler(), shape=(3, 4, 2), random_state=0)
    samples = model.sample(4)
    assert samples.shape == (4, 3, 4, 2)
    distances = np.abs(samples[:, None] - images).max(axis=(2, 3, 4)).min(axis=1)
    assert (distances < 0.3).all()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (SimpleNamespace(sigmas=[1, 2]), "alphas_cumprod, .* as DDPMScheduler has"),
        (scheduler(sigmas=SIGMAS[::-1]), "fall from step to step, between 0 and 1"),
        (SimpleNamespace(alphas_cumprod=[1.0, 0.5]), "fall from step to step, between 0 and 1"),
        (SimpleNamespace(alphas_cumprod=[0.5]), "fall from step to step, between 0 and 1"),
        (SimpleNamespace(alphas_cumprod=[[0.5], [0.4]]), "fall from step to step"),
        (SimpleNamespace(alphas_cumprod="none"), "fall from step to step, between 0 and 1"),
        (
            SimpleNamespace(alphas_cumprod=[0.9, 0.1], config={"prediction_type": "flow"}),
            "of epsilon, v_prediction, sample; got 'flow'",
        ),
        (scheduler("flow_prediction"), "of epsilon, v_prediction, sample; got 'flow_prediction'"),
    ],
)
def test_schedulers_that_cannot_be_read_are_refused_in_one_sentence(bad, message):
    with pytest.raises(InvalidInput, match=message) as error:
        Diffusion.of(Exact(POINTS, "epsilon"), bad, shape=(2,))
    assert "\n" not in str(error.value)


def test_networks_that_are_none_or_state_no_shape_are_refused():
    with pytest.raises(InvalidInput, match="network must be a PyTorch module; got"):
        Diffusion.of(lambda noisy, step: noisy, scheduler(), shape=(2,))
    with pytest.raises(InvalidInput, match="shape must be given, .* Exact does not"):
        Diffusion.of(Exact(POINTS, "epsilon"), scheduler())
