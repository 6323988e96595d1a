"""Resolve a VAE's draws "auto": as few as raise the error of scores by at most a twentieth.

The noise of retraining and the error of importance sampling add in squares. So draws are spared
where noise is large: two fits of a run, scored with 256 draws, show the noise between them and what
fewer of the same draws would have changed. All records get the same number. Their error grows with
their noise, so a number for each would gain little; and draws added until an estimate's own error
looks small would end too early just where the largest weights have not been seen yet.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.errors import InvalidInput
from byrote.models.auto_values import PilotFit
from byrote.stats.planning import typical_deviation

AUTO = "auto"
MOST = 256  # the paper's, for MNIST
FEWER = (32, 64, 128)  # below 32 the tail of the weights shows too little
RISE = 0.05  # of the root mean square error of mean_log, at most, above that with all draws
LEAST_RECORDS = 20  # that two fits train on, or leave out, alike

Array = NDArray[np.float64]


def check_draws(draws: Any) -> int | str:
    """Check a number of importance samples, or "auto"."""
    if isinstance(draws, str) and draws == AUTO:
        return draws
    try:
        return checks.integer("draws", draws, at_least=1)
    except InvalidInput as error:
        expected, _, got = str(error).partition("; got")
        raise InvalidInput(f"{expected}, or auto; got{got}") from None


def number_of(draws: int | str) -> int:
    """Return the number of draws; of "auto" outside a run 256."""
    return MOST if isinstance(draws, str) else draws


def changes_by_name(changes: Array) -> dict[str, NDArray[np.float32]]:
    """Return (n, 3) changes of log p with fewer draws as diagnostics."""
    return {_name(draws): changes[:, i].astype(np.float32) for i, draws in enumerate(FEWER)}


def fewest_draws(pilot: Sequence[PilotFit], fits: int) -> int:
    """Return the smallest of 32, 64, 128 and 256 draws that suffices in a run of ``fits`` fits.

    ``pilot`` holds two fits with different seeds, scored with 256 draws; with one, or too few
    records, the number is 256.
    """
    noise = _noise(pilot)
    for draws in FEWER if np.isfinite(noise) else ():
        added, shift = _added_error([(fit.included, fit.diagnostics[_name(draws)]) for fit in pilot])
        if squared_rise(noise, added, shift, fits) <= (1 + RISE) ** 2:
            return draws
    return MOST


def squared_rise(noise: float, added: float, shift: float, fits: int) -> float:
    """Compute by what fewer draws multiply the mean square error of mean_log.

    Of F fits half are in, so its variance is 4 s^2 / F, s being the ``noise`` of a value. Fewer
    draws add their variance, ``added``, to s^2. The ``shift`` of held-out values against those in
    training does not fall with F: 1 + (added + shift^2 F / 4) / s^2.

    Examples
    --------
    >>> squared_rise(2.0, added=1.0, shift=0.5, fits=16)
    1.5
    """
    return 1 + (added + shift**2 * fits / 4) / noise**2


def _noise(pilot: Sequence[PilotFit]) -> float:
    """Standard deviation of a value between two fits, nats, on the quieter side; NaN if unknown."""
    if len(pilot) < 2:
        return float("nan")
    one, other = pilot
    sides = []
    for member in (True, False):
        alike = (one.included == member) & (other.included == member)
        difference = (one.log_prob - other.log_prob)[alike]
        difference = difference[np.isfinite(difference)]
        if len(difference) >= LEAST_RECORDS:
            half = np.square(difference - np.median(difference)) / 2
            sides.append(typical_deviation(half, np.ones(len(half))))
    return min(sides, default=float("nan"))


def _added_error(changes: Sequence[tuple[NDArray[np.bool_], Array]]) -> tuple[float, float]:
    """Largest variance of changes on any side, and the mean shift between the sides, nats."""
    sides = [
        [change[(included == member) & np.isfinite(change)].astype(np.float64) for member in (1, 0)]
        for included, change in changes
    ]
    variances = [values.var() for fit in sides for values in fit if len(values)]
    shifts = [inside.mean() - out.mean() for inside, out in sides if len(inside) and len(out)]
    return float(max(variances, default=np.inf)), float(np.mean(shifts)) if shifts else 0.0


def _name(draws: int) -> str:
    return f"change_with_{draws}_draws"
