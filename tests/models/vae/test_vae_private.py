"""VAE(dp=DP(...)): its step by hand, its seeds, its refusals, its place in a run."""

import json

import numpy as np
import pytest
import torch

import byrote
from byrote import Probes
from byrote.errors import InvalidInput
from byrote.models import DP, VAE, registry
from byrote.models.privacy.accountants import NoiseSchedule, calibrate, guarantee_of
from byrote.models.privacy.dp_sgd import NoisyStep, PrivateTraining
from byrote.models.vae.autoencoder import untrained
from byrote.models.vae.parameters import space_for
from byrote.models.vae.steps import private_step
from byrote.runs.paths import RunPaths
from byrote.runs.run_folder import RunFolder

DELTA = 1e-3
NOISY = DP(noise_multiplier=1.0, delta=DELTA)
SMALL = {"latent_dim": 2, "hidden": (8,), "features": 2, "batch_size": 10, "epochs": 2, "draws": 4}
IMAGES = (np.random.default_rng(0).integers(0, 256, (40, 32, 32)) / 255).astype(np.float32)
ROWS = IMAGES.reshape(40, -1)[:, :12]

KINDS = {
    "bernoulli": {},
    "gaussian": {"likelihood": "gaussian"},
    "shared-gaussian": {"likelihood": "shared-gaussian"},
    "robust": {"likelihood": "shared-gaussian", "robust": 0.05},
    "mixture": {"likelihood": "logistic-mixture"},
    "weight decay": {"weight_decay": 0.1},
    "convolutional": {"network": "convolutional", "normalization": "group"},
    "convolutional mixture": {
        "network": "convolutional",
        "normalization": "group",
        "likelihood": "logistic-mixture",
    },
}


def a_vae(kind="bernoulli", **more):
    return VAE(**{**SMALL, "dp": NOISY, "random_state": 0, **KINDS[kind], **more})


def data_for(kind):
    return IMAGES if kind.startswith("convolutional") else ROWS


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_sums_gradients_that_are_clipped_one_by_one(kind, monkeypatch):
    vae, x = a_vae(kind), data_for(kind)[:7]
    space = space_for(vae, x.shape[1:])
    network = untrained(vae, space).train()
    generator = torch.Generator().manual_seed(1)
    values, latent = space.values(x), torch.randn(7, 2, generator=generator)
    noise = space.noise(values.shape, generator)
    seen, determinant = space.enter(values, noise)
    parameters = list(network.parameters())
    single = [
        torch.autograd.grad(network(seen[k : k + 1], latent[k : k + 1]).sum(), parameters)
        for k in range(7)
    ]
    lengths = [float(torch.cat([g.flatten() for g in own]).norm()) for own in single]
    norm = float(np.median(lengths))  # so that some are clipped, and some are not

    given = []
    monkeypatch.setattr(NoisyStep, "__call__", lambda self, total: given.extend(total))
    dp = DP(noise_multiplier=0.0, delta=DELTA, max_grad_norm=norm)
    private = PrivateTraining(dp, NoiseSchedule(0.0, 0.5, 2, 10, 1), (0, 0))
    step = private_step(private, network, space, 1e-3, 0.0)
    loss = step(values, noise, latent)
    for number, found in enumerate(given):
        parts = [own[number] * min(1.0, norm / n) for own, n in zip(single, lengths, strict=True)]
        expected = torch.stack(parts).sum(dim=0)
        scale = float(torch.stack(parts).abs().max())
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * scale + 1e-9)
    with torch.no_grad():
        expected = network(seen, latent).sum() - determinant.sum()
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("sampling", ["poisson", "shuffled"])
@pytest.mark.parametrize("flips", [False, True])
def test_the_same_seed_gives_the_same_weights_bit_for_bit(sampling, flips):
    accountant = {"poisson": "rdp", "shuffled": "gaussian"}[sampling]
    dp = DP(noise_multiplier=1.0, delta=DELTA, accountant=accountant, sampling=sampling)

    def weights(seed):
        return a_vae(dp=dp, flips=flips, random_state=seed).fit(IMAGES).get_weights()

    one, again, other = weights(3), weights(3), weights(4)
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert not np.array_equal(one["network.head.weight"], other["network.head.weight"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_private_vae_is_fitted_and_says_what_it_promises(kind):
    vae = a_vae(kind, dp=DP(target_epsilon=3.0, delta=DELTA)).fit(data_for(kind))
    facts = vae.facts_["privacy"].to_facts()
    assert 2.97 <= facts["epsilon"] <= 3.0
    assert facts["epsilon_checked"] <= facts["epsilon"]
    assert facts["gradients"] == ("per-example" if "shared" in vae.likelihood else "ghost")
    assert (facts["unit"], facts["label"], facts["steps"]) == ("record", "", 8)
    assert np.isfinite(vae.score_samples(data_for(kind))).all()
    json.dumps(facts, allow_nan=False)
    assert len(vae.losses_) == 2


def test_with_hardly_any_noise_or_clipping_it_learns_as_without():
    x = np.repeat(np.eye(12, dtype=np.float32)[:4], 25, axis=0)
    given = {"epochs": 8, "latent_dim": 2, "hidden": (32,), "batch_size": 10, "random_state": 0}
    given["learning_rate"] = 5e-3
    dp = DP(noise_multiplier=1e-6, delta=DELTA, max_grad_norm=1e3)
    plain, private = (VAE(**given, dp=dp).fit(x).loss(x) for dp in (None, dp))
    start = VAE(**{**given, "epochs": 1}).fit(x).loss(x)
    assert private < start - 3
    assert private == pytest.approx(plain, abs=0.5)


def test_strong_noise_is_in_the_weights():
    def moved(noise):
        dp = DP(noise_multiplier=noise, delta=DELTA, max_grad_norm=1e-3)
        return a_vae(dp=dp).fit(ROWS).get_weights()["network.head.weight"]

    assert np.abs(moved(10.0) - moved(0.0)).max() > 1e-3


REFUSED = {
    "no DP": ({"dp": 8.0}, "dp must be a byrote.models.DP or None; got float"),
    "missing delta": ({"dp": DP(noise_multiplier=1.0)}, "delta must be given"),
    "mismatch": ({"dp": DP(noise_multiplier=1.0, delta=DELTA, accountant="gaussian")}, "go with"),
    "batch norm": ({"network": "convolutional"}, "normalization must be 'group' with dp"),
    "bfloat16": ({"precision": "bfloat16"}, "precision must be float32 or auto with dp"),
    "compiled": ({"compile": True}, "compile must be False or auto with dp"),
    "marginals": ({"outlier": 0.01}, "outlier must be None with dp"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_go_with_dp_is_refused_before_any_work(case):
    arguments, fragment = REFUSED[case]
    vae = VAE(**{**SMALL, "dp": NOISY, **arguments})
    for refuse in (lambda: vae.settled(IMAGES.shape), lambda: vae.fit(IMAGES)):
        with pytest.raises(InvalidInput, match=fragment):
            refuse()
    assert not hasattr(vae, "network_")


@pytest.mark.parametrize("accountant", ["rdp", "prv"])
def test_a_target_next_to_nothing_is_met(accountant):
    """Renyi's bound falls to nothing at once where delta alone allows for everything."""
    dp = DP(target_epsilon=1e-4, delta=DELTA, accountant=accountant)
    schedule = calibrate(dp, 32, 8, 2)
    assert guarantee_of(dp, schedule).epsilon <= 1e-4
    assert schedule.noise_multiplier < 2000


def test_normalization_is_a_known_one():
    with pytest.raises(InvalidInput, match="normalization must be one of batch, group"):
        VAE(network="convolutional", normalization="layer").fit(IMAGES)


def test_group_normalization_keeps_records_apart():
    vae = VAE(**{**SMALL, "features": 6, "network": "convolutional", "normalization": "group"})
    vae.set_params(random_state=0).fit(IMAGES)
    network = vae.network_.train()
    groups = [m.num_groups for m in network.modules() if isinstance(m, torch.nn.GroupNorm)]
    assert groups == [4, 8, 16, 16, 8, 4, 2]
    z = torch.zeros(5, 2)
    seen = vae.space_.values(IMAGES[:5])
    alone = torch.cat([network(seen[k : k + 1], z[k : k + 1]) for k in range(5)])
    torch.testing.assert_close(network(seen, z), alone, rtol=1e-4, atol=1e-2)


def test_auto_is_float32_uncompiled():
    found = a_vae().settled((10**6, 32, 32), fits=100)
    assert (found.precision, found.compile) == ("float32", False)


def test_a_run_keeps_what_each_fit_promises_and_gives_the_model_back(tmp_path):
    dp = DP(target_epsilon=3.0, delta=DELTA)
    given = {"plan": Probes(10, fits=4), "seed": 5}
    byrote.score_memorization(a_vae(dp=dp), ROWS, **given, out=tmp_path / "one", keep_models="all")
    run = RunFolder.open(RunPaths(tmp_path / "one"))
    facts = [run.facts(fit)["privacy"] for fit in range(4)]
    assert all(2.97 <= found["epsilon"] <= 3.0 for found in facts)
    assert run.manifest.model.parameters["dp"]["target_epsilon"] == 3.0
    model = byrote.open_run(tmp_path / "one").model(fit=1)
    assert model.dp == dp
    again = byrote.open_run(tmp_path / "one").model(fit=1, model=a_vae(dp=dp))
    np.testing.assert_array_equal(model.score_samples(ROWS), again.score_samples(ROWS))


def test_on_the_command_line_dp_is_an_object():
    settings = registry.parse_settings(['dp={"target_epsilon": 8, "delta": 1e-5}'])
    assert registry.build("vae", settings).dp == DP(target_epsilon=8, delta=1e-5)
    for name in ("vae", "char-lstm"):
        with pytest.raises(InvalidInput, match="dp: epsilon is not a parameter.*target_epsilon"):
            registry.build(name, {"dp": {"epsilon": 8}})
