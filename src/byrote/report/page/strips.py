"""What every fit thinks of one record, with it and without it, in one line."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from byrote.plans.design import IN, OUT
from byrote.report.figures.far_values import robust_limits
from byrote.report.format import log_likelihood, number, statistic_of
from byrote.report.page.drawing import Drawing, Drawn, Shape, line, rect, written
from byrote.report.page.plot import Axis
from byrote.runs.table import Table
from byrote.scores.memorization.memorization_result import MemorizationResult

_WIDTH, _HEIGHT, _EDGE = 210.0, 26.0, 6.0
_BAND = (0.05, 0.95)  # quantiles of all records, held out


@dataclass(frozen=True, eq=False)
class Strips:
    """Strips of some records on one axis, nats.

    place: column of each of these rows. log_prob, roles: (F, rows). band: where 90 % of all records
    lie when they are held out.
    """

    result: MemorizationResult
    place: Mapping[int, int]
    log_prob: NDArray[np.float64]
    roles: NDArray[np.int8]
    band: tuple[float, ...]
    axis: Axis

    @classmethod
    def of(cls, result: MemorizationResult, table: Table, rows: NDArray[np.intp]) -> "Strips":
        """Choose an axis on which these records and most others are seen."""
        columns = np.searchsorted(table.rows, rows)
        roles = table.roles()[:, columns]
        held_out = result.log_prob_out[np.isfinite(result.log_prob_out)]
        band = tuple(np.quantile(held_out, _BAND).tolist()) if len(held_out) else ()
        means = [result.log_prob_in[rows], result.log_prob_out[rows], np.array(band)]
        values = np.concatenate(means)
        values = values[np.isfinite(values)]
        low, high = robust_limits(values, reach=6.0) if len(values) else (0.0, 1.0)
        place = {int(row): column for column, row in enumerate(rows)}
        return cls(result, place, table.log_prob[:, columns], roles, band, Axis(low, high))

    @property
    def title(self) -> str:
        """What the strips show, for the head of their column."""
        name, _ = statistic_of(self.result.description)
        return f"{name} in each fit, {number(self.axis.low)} to {number(self.axis.high)}"

    def strip(self, row: int) -> Drawing:
        """Draw a record: a dot for each fit, and a line from the mean without it to that with.

        A record beyond the common axis has one of its own, which is said.
        """
        result = self.result
        before, after = result.log_prob_out[row], result.log_prob_in[row]
        if not all(self._is_seen(mean) for mean in (before, after)):
            return self._alone(row)._draw(row, before, after, "own scale")
        return self._draw(row, before, after)

    def _is_seen(self, mean: float) -> bool:
        return not np.isfinite(mean) or self.axis.low <= mean <= self.axis.high

    def _alone(self, row: int) -> "Strips":
        values = self.log_prob[:, self.place[row]]
        values = values[np.isfinite(values)]
        margin = 0.05 * float(np.ptp(values)) or 1.0
        axis = Axis(float(values.min()) - margin, float(values.max()) + margin)
        return replace(self, band=(), axis=axis)

    def _draw(self, row: int, before: float, after: float, note: str = "") -> Drawing:
        result = self.result
        label = (
            f"{log_likelihood(result.description)} {number(before)} without it,"
            f" {number(after)} with it"
        )
        shapes = [*self._shade(), *self._means(before, after)]
        for role, look, height in ((OUT, "without", 9.0), (IN, "with", 17.0)):
            places = map(self._x, self._values(row, role))
            path = "".join(f"M{place} {height}h0" for place in places)
            shapes += [Shape("path", {"d": path}, f"dots {look}")] if path else []
        if note:
            shapes.append(written(_WIDTH / 2, 9, note, "note", "middle"))
            label += f" ({note})"
        return Drawing(_WIDTH, _HEIGHT, (Drawn(tuple(shapes)),), label)

    def _values(self, row: int, role: int) -> list[float]:
        column = self.place[row]
        values, roles = self.log_prob[:, column], self.roles[:, column]
        chosen: list[float] = np.sort(values[(roles == role) & ~np.isnan(values)]).tolist()
        return chosen

    def _shade(self) -> list[Shape]:
        if not self.band:
            return []
        left, right = map(self._x, self.band)
        return [rect(left, 3, right, _HEIGHT - 3, "band")]

    def _means(self, before: float, after: float) -> list[Shape]:
        if np.isnan(before) or np.isnan(after):
            return []
        return [line(self._x(before), 13, self._x(after), 13, "change")]

    def _x(self, value: float) -> float:
        return self.axis.place(value, _EDGE, _WIDTH - _EDGE)
