"""How far the log-likelihoods themselves can be trusted, by what the model says of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.fits.run_folder import RunFolder
from byrote.fits.table import Table

Array = NDArray[np.float64]
NAMES = ("mc_error", "effective_sample_size", "k_hat")
OUTLIER = "outlier"
K_HAT = 0.7  # above it importance weights have no usable central limit (Vehtari et al. 2024)


@dataclass(frozen=True)
class Trust:
    """What ``diagnostics_`` said of the log-likelihoods of a run; NaN where it said nothing.

    Attributes
    ----------
    mc_error
        Median over records of the Monte Carlo standard error of a log-likelihood, nats.
    effective_sample_size
        Median over records of the smallest effective number of importance samples in any fit.
    k_hat_above
        Share of the log-likelihoods whose Pareto k-hat is above 0.7.
    k_hat_limit, k_hat_above_limit
        The stricter limit ``min(1 - 1 / log10 N, 0.7)`` at N importance samples, where the model
        has a parameter ``draws``, and the share above it.
    draws
        N, or None.
    outlier
        Share of the log-likelihoods that are of a model's outlier component rather than of the
        rest of it; None without one.
    """

    mc_error: float
    effective_sample_size: float
    k_hat_above: float
    k_hat_limit: float
    k_hat_above_limit: float
    draws: int | None = None
    outlier: float | None = None

    @property
    def poor(self) -> bool:
        """Do most log-likelihoods rest on few draws, fewer than 5 or 5 %, or have a high k-hat?"""
        strict = not np.isnan(self.k_hat_above_limit)
        above = self.k_hat_above_limit if strict else self.k_hat_above
        fewest = max(5.0, 0.05 * (self.draws or 0))
        return self.effective_sample_size < fewest or above > 0.5


@dataclass(frozen=True)
class Diagnostics:
    """``columns``: (r,) per record and diagnostic, over fits; and a run's trust in one line."""

    columns: Mapping[str, Array]
    trust: Trust | None = None


def collect(run: RunFolder, table: Table) -> Diagnostics:
    """The diagnostics of a run, fit by fit, so that memory does not grow with their number.

    Over fits, mc_error is the root mean square, effective_sample_size the smallest, k_hat the
    largest.
    """
    parameters = run.manifest.model.parameters
    overall = _Overall(len(table.rows), _draws(parameters.get("draws")))
    for fit in sorted(set(range(run.design.fits)) - set(table.missing)):
        found = run.file(fit).diagnostics()
        for name in NAMES:
            if name in found:
                overall.add(name, run.place(fit, table.rows), found[name])
        if OUTLIER in found:
            overall.add_outliers(found[OUTLIER])
    return overall.result()


class _Overall:
    def __init__(self, r: int, draws: int | None) -> None:
        self._r, self._draws = r, draws
        # Below 10 draws the formula has no sense, and at ten its limit is 0.
        self._limit = min(1 - 1 / np.log10(draws), K_HAT) if draws and draws > 10 else np.nan
        self._sums: dict[str, Array] = {}
        self._count = np.zeros(r, dtype=np.int32)
        self._k_hats = self._above = self._above_limit = 0
        self._taken = self._told = 0

    def add(self, name: str, place: Any, values: NDArray[np.float32]) -> None:
        """One fit's values of one diagnostic."""
        if name == "mc_error":
            total = self._sums.setdefault(name, np.zeros(self._r))
            known = ~np.isnan(values)
            total[place] += np.where(known, values.astype(np.float64) ** 2, 0.0)
            self._count[place] += known
            return
        total = self._sums.setdefault(name, np.full(self._r, np.nan))
        extreme = np.fmax if name == "k_hat" else np.fmin
        total[place] = extreme(total[place], values)
        if name == "k_hat":
            self._k_hats += int(np.count_nonzero(~np.isnan(values)))
            self._above += int(np.count_nonzero(values > K_HAT))
            self._above_limit += int(np.count_nonzero(values > self._limit))

    def add_outliers(self, values: NDArray[np.float32]) -> None:
        """One fit's posterior probabilities of the outlier component."""
        self._told += len(values)
        self._taken += int(np.count_nonzero(values > 0.5))

    def result(self) -> Diagnostics:
        """Over all fits."""
        columns = dict(self._sums)
        if not columns:
            return Diagnostics({})
        if "mc_error" in columns:
            with np.errstate(invalid="ignore"):  # of records that no fit diagnosed
                columns["mc_error"] = np.sqrt(columns["mc_error"] / self._count)
        share = 1 / self._k_hats if self._k_hats else np.nan
        limited = not np.isnan(self._limit)
        trust = Trust(
            mc_error=_median(columns.get("mc_error")),
            effective_sample_size=_median(columns.get("effective_sample_size")),
            k_hat_above=self._above * share,
            k_hat_limit=float(self._limit),
            k_hat_above_limit=self._above_limit * share if limited else float("nan"),
            draws=self._draws,
            outlier=self._taken / self._told if self._told else None,
        )
        return Diagnostics(columns, trust)


def _median(values: Array | None) -> float:
    known = values[~np.isnan(values)] if values is not None else np.empty(0)
    return float(np.median(known)) if len(known) else float("nan")


def _draws(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
