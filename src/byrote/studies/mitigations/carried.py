"""An audit that was carried out: its scores, its log-likelihoods, and what its fits say."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.privacy.membership import MembershipInference, attack_table
from byrote.studies.carried import CarriedRun
from byrote.studies.mitigations.declaration import Configuration
from byrote.studies.mitigations.measures import Audit


@dataclass(frozen=True, eq=False)
class Carried(CarriedRun):
    """A configuration with its request and its run folder, of which some fits are finished."""

    configuration: Configuration

    @property
    def result(self) -> MemorizationResult:
        """Scores of the probes, of the fits that are finished."""
        return self.run.memorization(partial=True)

    @cached_property
    def audit(self) -> Audit:
        """Log-likelihoods of the probes, with their ids."""
        table = self.run.table(partial=True)
        return Audit(table, self.result.ids[table.rows])

    @property
    def scores(self) -> Mapping[str, NDArray[np.float64]]:
        """(N,) M, matched, mean_log and q-value of the probes."""
        rows = self.audit.table.rows
        names = ("score", "matched", "mean_log", "q_value")
        return {name: getattr(self.result, name)[rows] for name in names}

    def quantile(self, ids: NDArray[Any], level: float) -> float:
        """Of M over some of the probes; NaN where none has a score."""
        values = self.scores["score"][np.isin(self.audit.ids, ids)]
        known = values[~np.isnan(values)]
        return float(np.quantile(known, level)) if len(known) else float("nan")

    def attacked(self, attack: str) -> MembershipInference:
        """How well an attack tells members from others."""
        return attack_table(self.audit.table, attack)

    def said(self, name: str) -> list[dict[str, Any]]:
        """What the models of the finished fits say under a name."""
        return [fact[name] for fact in self.run.facts if fact.get(name)]

    @property
    def epsilon(self) -> tuple[float, float] | None:
        """The largest epsilon that the accountant gives a fit, and delta; None without privacy."""
        said = self.said("privacy")
        if not said:
            return None
        spent = [np.inf if each["epsilon"] is None else float(each["epsilon"]) for each in said]
        return max(spent), max(float(each["delta"]) for each in said)
