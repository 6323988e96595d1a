"""What happens after each epoch of a VAE's training, beside the step itself."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.models.stopping import EarlyStopping
from byrote.models.vae import scoring, validation
from byrote.models.vae.outlier_course import OutlierCourse
from byrote.models.vae.streams import Stream, generator_from, seed_of


class Course:
    """Called after each epoch: reports, then does what the VAE's options ask for.

    Parameters
    ----------
    vae
        An estimator with an untrained network.
    x
        (n, *shape) training records.
    report
        Gets the epoch's number and its loss.
    """

    def __init__(
        self, vae: Any, x: NDArray[np.generic], report: Callable[[int, float], None]
    ) -> None:
        self._vae, self._report = vae, report
        self._outlier: OutlierCourse | None = None
        if vae.outlier is not None:
            component = vae.network_.outlier
            self._outlier = OutlierCourse(vae.network_, component, vae.space_, x, vae.noise_seed)
        self._stopping = _stopping(vae) if vae.patience is not None else None

    def __call__(self, epoch: int, loss: float) -> bool:
        """Whether training ends here."""
        self._report(epoch, loss)
        if self._outlier is not None:
            self._outlier.after_epoch()
        return self._stopping is not None and self._stopping.ends()

    def finished(self) -> dict[str, Any]:
        """What is worth knowing of the training, as plain data.

        Where training may stop early, the best weights are put back.
        """
        facts: dict[str, Any] = {}
        if self._stopping is not None:
            self._stopping.restore()
            facts["stopped"] = self._stopping.facts()
        if self._outlier is not None:
            seed = seed_of(self._vae.random_state, Stream.LATENT)
            generator = generator_from(seed, self._vae.device)
            facts["outlier"] = self._outlier.facts(self._vae.arithmetic_, generator)
        return facts


def _stopping(vae: Any) -> EarlyStopping:
    """By the bound of the validation records, with the same noise after each epoch."""
    x, seed = validation.records(vae.validation), seed_of(vae.random_state, Stream.LOSS)

    def loss() -> float:
        generator = generator_from(seed, vae.device)
        return scoring.mean_bound(vae.network_, vae.space_, x, vae.noise_seed, generator)

    return EarlyStopping(vae.network_, loss, vae.patience)
