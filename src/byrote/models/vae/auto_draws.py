"""Resolve a VAE's draws "auto": as few as raise the error of scores by at most a twentieth.

The noise of retraining and the error of importance sampling add in squares. So draws are spared
where noise is large: two fits of a run, scored with 256 draws, show the noise between them and what
fewer of the same draws would have changed. All records get the same number. Their error grows with
their noise, so a number for each would gain little; and draws added until an estimate's own error
looks small would end too early just where the largest weights have not been seen yet.
"""

import math
from collections.abc import Sequence
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
RISE = 0.05  # of the root mean square error of mean_log, at most, above that with 256 draws
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

    ``pilot`` holds the first two fits, scored with 256 draws; with one, or too few records, the
    number is 256. Two that are a pair show the noise that pairs leave.
    """
    noise = _noise(pilot)
    for draws in FEWER if noise > 0 else ():
        added, shift = _added_error(pilot, _name(draws))
        if squared_rise(noise, added, shift, fits) <= (1 + RISE) ** 2:
            return draws
    return MOST


def squared_rise(noise: float, added: float, shift: float, fits: int) -> float:
    """Compute by what fewer draws multiply the mean square error of mean_log.

    Of F fits half are in, so its variance is 4 s^2 / F, s being the ``noise`` of a value. Fewer
    draws add the square of ``added`` to s^2. The ``shift`` of held-out values against those in
    training does not fall with F: 1 + (added^2 + shift^2 F / 4) / s^2.

    Examples
    --------
    >>> squared_rise(2.0, added=1.0, shift=0.5, fits=16)
    1.5
    """
    return 1 + (added**2 + shift**2 * fits / 4) / noise**2


def _noise(pilot: Sequence[PilotFit]) -> float:
    """Standard deviation of a value between two fits, nats, on the quieter side; NaN if unknown."""
    if len(pilot) < 2:
        return float("nan")
    one, other = pilot
    with np.errstate(invalid="ignore"):  # densities of zero
        change = one.log_prob - other.log_prob
    sides = [(one.included == side) & (other.included == side) for side in (True, False)]
    return min(
        (_deviation(change[rows]) / math.sqrt(2) for rows in sides if rows.sum() >= LEAST_RECORDS),
        default=float("nan"),
    )


def _added_error(pilot: Sequence[PilotFit], name: str) -> tuple[float, float]:
    """Deviation of the changes on the worse side, and the shift between the sides, nats."""
    changes = np.concatenate([fit.diagnostics[name] for fit in pilot]).astype(np.float64)
    included = np.concatenate([fit.included for fit in pilot])
    known = np.isfinite(changes)
    sides = [changes[known & (included == side)] for side in (True, False)]
    sides = [changes for changes in sides if len(changes) >= LEAST_RECORDS]
    shift = sides[0].mean() - sides[1].mean() if len(sides) == 2 else 0.0
    return max((_deviation(changes) for changes in sides), default=math.inf), float(shift)


def _deviation(values: Array) -> float:
    """Standard deviation in a median record; values that are not finite are left out."""
    finite = values[np.isfinite(values)]
    centered = finite - np.median(finite) if len(finite) else finite
    return typical_deviation(np.square(centered), np.ones(len(centered)))


def _name(draws: int) -> str:
    return f"change_with_{draws}_draws"
