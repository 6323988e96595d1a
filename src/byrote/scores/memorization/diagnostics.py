"""Accuracy of the log-likelihoods themselves, from what the model reports in ``diagnostics_``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.runs.run_folder import RunFolder
from byrote.runs.table import Table

Array = NDArray[np.float64]
DIAGNOSTICS = ("mc_error", "effective_sample_size", "k_hat")
OUTLIER = "outlier"
I_MMSE, ODE, DIFFER = "i_mmse", "ode", "estimates_differ"  # of a diffusion model
K_HAT = 0.7  # above it importance weights have no usable central limit (Vehtari et al. 2024)


@dataclass(frozen=True)
class TwoEstimates:
    """All log-likelihoods of a run by two estimators of a diffusion model.

    Attributes
    ----------
    i_mmse, ode
        Mean log p by I-MMSE and by the probability-flow ODE, nats.
    differing, of
        Number of the log-likelihoods in which they differ by more than they may, and of all.
    """

    i_mmse: float
    ode: float
    differing: int
    of: int


@dataclass(frozen=True)
class DiagnosticsSummary:
    """Diagnostics of the log-likelihoods of a run; NaN where the model reports none.

    Attributes
    ----------
    mc_error
        Root mean square over records of the Monte Carlo standard error of a log-likelihood, nats:
        of importance samples not too small whatever their k-hat, as a median would be. The bias
        that a high k-hat means is not in it.
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
        Share of the log-likelihoods that come mostly from a model's outlier component; None
        without one.
    estimates
        The log-likelihoods by two estimators, where a model reports both.
    """

    mc_error: float
    effective_sample_size: float
    k_hat_above: float
    k_hat_limit: float
    k_hat_above_limit: float
    draws: int | None = None
    outlier: float | None = None
    estimates: TwoEstimates | None = None

    @property
    def poor(self) -> bool:
        """Whether most log-likelihoods rest on few draws (under 5, or 5 %) or have a high k-hat."""
        fewest = max(5.0, 0.05 * (self.draws or 0))
        return self.effective_sample_size < fewest or self.heavy > 0.5

    @property
    def heavy(self) -> float:
        """Share of the log-likelihoods with a k-hat above the stricter limit that is known."""
        strict = not np.isnan(self.k_hat_above_limit)
        return self.k_hat_above_limit if strict else self.k_hat_above


@dataclass(frozen=True)
class Diagnostics:
    """Diagnostics by name over all fits, (r,) per record, and their summary."""

    columns: Mapping[str, Array]
    summary: DiagnosticsSummary | None = None


def collect_diagnostics(run: RunFolder, table: Table) -> Diagnostics:
    """Combine the diagnostics of a run's fits, one at a time.

    Over fits, mc_error is the root mean square, effective_sample_size the smallest, k_hat the
    largest.
    """
    rows = run.design.evaluated
    total = _Accumulator(len(rows), _draws(run.manifest.parameters.get("draws")))
    for fit in sorted(set(range(run.design.fits)) - set(table.missing)):
        values = run.file(fit).diagnostics()
        for name in DIAGNOSTICS:
            if name in values:
                total.add(name, run.place(fit, rows), values[name])
        if OUTLIER in values:
            total.add_outliers(values[OUTLIER])
        if values.keys() >= {I_MMSE, ODE, DIFFER}:
            total.add_estimates(values[I_MMSE], values[ODE], values[DIFFER])
    return total.result(np.isin(rows, table.rows))


class _Accumulator:
    def __init__(self, r: int, draws: int | None) -> None:
        self._r, self._draws = r, draws
        # Below 10 draws the formula has no sense, and at ten its limit is 0.
        self._limit = min(1 - 1 / np.log10(draws), K_HAT) if draws and draws > 10 else np.nan
        self._columns: dict[str, Array] = {}
        self._count = np.zeros(r, dtype=np.int32)
        self._k_hats = self._above = self._above_limit = 0
        self._outliers = self._classified = 0
        self._differing = self._compared = 0
        self._sums = np.zeros(2)

    def add(self, name: str, place: Any, values: NDArray[np.float32]) -> None:
        """Add one fit's values of one diagnostic."""
        if name == "mc_error":
            total = self._columns.setdefault(name, np.zeros(self._r))
            known = ~np.isnan(values)
            total[place] += np.where(known, values.astype(np.float64) ** 2, 0.0)
            self._count[place] += known
            return
        total = self._columns.setdefault(name, np.full(self._r, np.nan))
        extreme = np.fmax if name == "k_hat" else np.fmin
        total[place] = extreme(total[place], values)
        if name == "k_hat":
            self._k_hats += int(np.count_nonzero(~np.isnan(values)))
            self._above += int(np.count_nonzero(values > K_HAT))
            self._above_limit += int(np.count_nonzero(values > self._limit))

    def add_outliers(self, values: NDArray[np.float32]) -> None:
        """Add one fit's posterior probabilities of the outlier component."""
        self._classified += len(values)
        self._outliers += int(np.count_nonzero(values > 0.5))

    def add_estimates(
        self, i_mmse: NDArray[np.float32], ode: NDArray[np.float32], differ: NDArray[np.float32]
    ) -> None:
        """Add one fit's log-likelihoods by two estimators, and whether they differ."""
        self._compared += len(differ)
        self._differing += int(np.count_nonzero(differ))
        self._sums += [values.sum(dtype=np.float64) for values in (i_mmse, ode)]

    def _estimates(self) -> TwoEstimates | None:
        if not self._compared:
            return None
        i_mmse, ode = (float(total) / self._compared for total in self._sums)
        return TwoEstimates(i_mmse, ode, self._differing, self._compared)

    def result(self, of: NDArray[np.bool_]) -> Diagnostics:
        """Summarize all fits added; columns of some of the records."""
        columns = {name: column[of] for name, column in self._columns.items()}
        if not columns:
            return Diagnostics({})
        if "mc_error" in columns:
            with np.errstate(invalid="ignore"):  # of records that no fit diagnosed
                columns["mc_error"] = np.sqrt(columns["mc_error"] / self._count[of])
        share = 1 / self._k_hats if self._k_hats else np.nan
        summary = DiagnosticsSummary(
            mc_error=_root_mean_square(columns.get("mc_error")),
            effective_sample_size=_median(columns.get("effective_sample_size")),
            k_hat_above=self._above * share,
            k_hat_limit=float(self._limit),
            k_hat_above_limit=float("nan") if np.isnan(self._limit) else self._above_limit * share,
            draws=self._draws,
            outlier=self._outliers / self._classified if self._classified else None,
            estimates=self._estimates(),
        )
        return Diagnostics(columns, summary)


def _root_mean_square(values: Array | None) -> float:
    known = values[~np.isnan(values)] if values is not None else np.empty(0)
    return float(np.sqrt(np.mean(np.square(known)))) if len(known) else float("nan")


def _median(values: Array | None) -> float:
    known = values[~np.isnan(values)] if values is not None else np.empty(0)
    return float(np.median(known)) if len(known) else float("nan")


def _draws(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
