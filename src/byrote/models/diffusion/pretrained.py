"""A denoising network that was trained elsewhere, with its scheduler, as a denoiser.

Schedulers of the diffusers library scale records down as noise comes in: a record x becomes
sqrt(a_t) x + sqrt(1 - a_t) eps, where a_t are ``alphas_cumprod``. Divided by sqrt(a_t) that is
x + sigma_t eps with sigma_t^2 = (1 - a_t) / a_t.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from byrote import checks
from byrote.errors import InvalidInput

Array = NDArray[np.float64]
PREDICTIONS = ("epsilon", "v_prediction", "sample")


class PretrainedDenoiser(nn.Module):
    """The denoiser of a network that predicts noise, records, or the velocity between them.

    It is defined at the levels of noise of the network's training, sigma_t for t = 0, 1, …

    Parameters
    ----------
    network
        A module that is called with (n, channels, h, w) images, or (n, d) rows, and (n,) steps t,
        and returns a tensor of the first shape, or an object with it as ``sample``.
    scheduler
        An object with ``alphas_cumprod``, and ``config.prediction_type`` (default: epsilon).
    shape
        Shape of a record as the network sees it.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: nn.Module, scheduler: Any, shape: tuple[int, ...]) -> None:
        super().__init__()
        if not isinstance(network, nn.Module):
            raise InvalidInput(f"network must be a PyTorch module; got {checks.brief(network)}")
        self.network, self.shape = network, shape
        self.kept, self.prediction = read_scheduler(scheduler)
        self.sigmas = np.sqrt((1 - self.kept) / self.kept)
        self.sigma_min, self.sigma_max = float(self.sigmas[0]), float(self.sigmas[-1])
        values = int(np.prod(shape))
        self.width = 64 * values  # of a network that nobody measured
        first = next(network.parameters(), torch.empty(0))
        self.register_buffer("mean", torch.zeros(values, device=first.device))
        self.register_buffer("deviation", torch.ones((), device=first.device))

    def levels(self, count: int) -> Array:
        """Return about ``count`` of the network's levels of noise, evenly spaced in log sigma."""
        wanted = np.geomspace(self.sigma_min, self.sigma_max, count)
        return np.asarray(self.sigmas[np.unique(self._steps(wanted))])

    def forward(self, z: Tensor, sigma: Tensor, labels: Tensor | None = None) -> Tensor:
        """Estimate records, (n, d), from noisy ones with levels of the network, (n,)."""
        del labels
        steps = self._steps(sigma.double().cpu().numpy())
        kept = torch.from_numpy(self.kept[steps]).to(z)[:, None]
        noisy = z * kept.sqrt()
        given = noisy.view(-1, *self.shape)
        output = self.network(given, torch.from_numpy(steps).to(z.device))
        predicted = getattr(output, "sample", output).reshape(z.shape).to(z.dtype)
        if self.prediction == "sample":
            return predicted
        if self.prediction == "epsilon":
            return z - sigma[:, None] * predicted
        return kept.sqrt() * noisy - (1 - kept).sqrt() * predicted

    def _steps(self, sigmas: Array) -> NDArray[np.intp]:
        """Return the steps whose levels are nearest."""
        logs = np.log(self.sigmas)
        right = np.clip(np.searchsorted(logs, np.log(sigmas)), 1, len(logs) - 1)
        nearer = np.log(sigmas) - logs[right - 1] < logs[right] - np.log(sigmas)
        return right - nearer


def read_scheduler(scheduler: Any) -> tuple[Array, str]:
    """Return alphas_cumprod, (steps,) float64 and decreasing, and what the network predicts.

    Raises
    ------
    InvalidInput
        If the scheduler has none, or predicts something else.
    """
    kept = getattr(scheduler, "alphas_cumprod", None)
    name = type(scheduler).__name__
    if kept is None:
        raise InvalidInput(
            "scheduler must have alphas_cumprod, the share of a record's variance that is kept"
            f" at each step, as DDPMScheduler has; {name} does not"
        )
    try:
        values = np.asarray(kept, dtype=np.float64)
    except (TypeError, ValueError):  # not numbers
        values = np.empty(0)
    inside = values.ndim == 1 and len(values) > 1 and (values > 0).all() and (values < 1).all()
    if not inside or not (np.diff(values) < 0).all():
        raise InvalidInput(
            "scheduler must have alphas_cumprod that fall from step to step, between 0 and 1;"
            f" those of {name} do not"
        )
    prediction = _setting(scheduler, "prediction_type", "epsilon")
    if prediction not in PREDICTIONS:
        raise InvalidInput(
            f"scheduler must have a prediction_type of {', '.join(PREDICTIONS)}; got"
            f" {checks.brief(prediction)}"
        )
    return values, str(prediction)


def shape_of(network: Any, shape: tuple[int, ...] | None) -> tuple[int, ...]:
    """Return the shape of a record, (h, w), (h, w, channels) or (d,), by default the network's.

    Raises
    ------
    InvalidInput
        If it is not given, and the network's ``config`` does not state it.
    """
    if shape is not None:
        return tuple(checks.integer("shape", side, at_least=1) for side in shape)
    size, channels = (_setting(network, name) for name in ("sample_size", "in_channels"))
    if size is None or channels is None:
        raise InvalidInput(
            "shape must be given, that of a record, for a network whose config does not state"
            f" sample_size and in_channels; {type(network).__name__} does not"
        )
    height, width = (size, size) if isinstance(size, int) else size
    return (height, width) if channels == 1 else (height, width, channels)


def _setting(configured: Any, name: str, default: Any = None) -> Any:
    """Return a setting of the ``config`` of a network or scheduler, an object or a mapping."""
    settings = getattr(configured, "config", None)
    if isinstance(settings, Mapping):
        return settings.get(name, default)
    return getattr(settings, name, default)
