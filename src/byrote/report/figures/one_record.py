"""One record among its class, in training and held out (footnote 3 of the paper)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from byrote.report.figures import record_marks, registry, style
from byrote.report.figures.far_values import arrow_at_edge, arrows_at_edges, robust_limits
from byrote.report.figures.registry import Drawings, Selection
from byrote.report.format import number, statistic_of
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.percentiles import RecordPercentiles, peers_of, record_percentiles

_DENSITY = r"$\log P_\mathcal{A}(x)$"


def one_record(
    result: MemorizationResult,
    id: Any,  # noqa: A002
    ax: Axes | None = None,
) -> Axes:
    """Draw the percentile of a record in its class when trained on and when held out.

    The curves are the shares of the class's other records with a lower log-likelihood; the marks
    are the record. The title says whether the test found it. Arrows at the edge count the others
    beyond it. ``record_percentiles`` returns the numbers.

    Parameters
    ----------
    id
        The record's id, as in ``result.ids``, or its text.

    Raises
    ------
    InvalidInput
        If the id is unknown, or the record has no log-likelihood in or out, or no peers.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.append(np.linspace(0, 1, 20), 4.0)[:, None]
    >>> result = byrote.score_memorization(KernelDensity(), x, plan=byrote.LeaveOneOut())
    >>> one_record(result, 20).get_ylabel()
    'percentile among the others'
    """
    percentiles = record_percentiles(result, id)
    peers = peers_of(result, percentiles.row)
    ax = style.new_axes(ax, height=2.6)
    sides = (
        ("held out", result.log_prob_out, percentiles.log_prob_out, percentiles.percentile_out),
        ("in training", result.log_prob_in, percentiles.log_prob_in, percentiles.percentile_in),
    )
    looks = ((style.GREY, (0, (4, 1.5)), "s"), (style.BLUE, "-", "o"))
    for (name, values, value, percentile), (color, dashes, marker) in zip(
        sides, looks, strict=True
    ):
        peer_values = np.sort(values[peers & np.isfinite(values)])
        share = 100 * np.arange(1, len(peer_values) + 1) / max(1, len(peer_values))
        ax.step(peer_values, share, where="post", color=color, linestyle=dashes, linewidth=1.2)
        label = f"{name}: {number(value)} nats, percentile {percentile:.1f}"
        ax.plot(
            [value],
            [percentile],
            marker=marker,
            markersize=6,
            color=color,
            linestyle=dashes,
            markeredgecolor="black",
            label=label,
            clip_on=False,
            zorder=5,
        )
    _move(ax, percentiles)
    ax.set_xlim(*_limits(result, peers, percentiles))
    ax.set_ylim(0, 100)
    ax.locator_params(axis="x", nbins=5)
    for y, (_, values, value, percentile), (color, *_) in zip(
        (0.3, 0.2), sides, looks, strict=True
    ):
        arrows_at_edges(ax, values[peers], y, "others: ", color=color)
        if np.isinf(value):
            height, above = percentile / 100, value > 0
            arrow_at_edge(ax, height, number(value), right=above, axes=True, color=color)
    name, _ = statistic_of(result.description)
    ax.set_xlabel(f"{_DENSITY if name == 'log p' else name} (nats)")
    ax.set_ylabel("percentile among the others")
    marks = [*ax.get_legend_handles_labels()[0], _verdict(result, percentiles.row)]
    style.legend_above(ax, handles=marks, title=_title(result, percentiles))
    style.tidy(ax)
    return ax


def _verdict(result: MemorizationResult, row: int) -> Line2D:
    """Return an entry of the legend: whether the test found the record."""
    q = result.q_value[row]
    if np.isnan(q):
        return style.key(record_marks.UNKNOWN, linestyle="none")
    for group in record_marks.marked(result):
        if group.rows[row]:
            return style.key(f"{group.name}; q = {number(q)}", **group.look)
    return style.key(f"not {record_marks.FOUND_NAME}; q = {number(q)}", linestyle="none")


def _move(ax: Axes, percentiles: RecordPercentiles) -> None:
    """Draw an arrow from held out to in training."""
    ax.annotate(
        "",
        (percentiles.log_prob_in, percentiles.percentile_in),
        (percentiles.log_prob_out, percentiles.percentile_out),
        arrowprops={"arrowstyle": "->", "color": style.GREY, "shrinkA": 6, "shrinkB": 6},
    )


def _limits(
    result: MemorizationResult, peers: NDArray[np.bool_], percentiles: RecordPercentiles
) -> tuple[float, float]:
    values = np.concatenate([result.log_prob_in[peers], result.log_prob_out[peers]])
    record = np.array([percentiles.log_prob_in, percentiles.log_prob_out])
    values, record = values[np.isfinite(values)], record[np.isfinite(record)]
    ends = (*record, *(robust_limits(values) if len(values) else ()))
    room = 0.04 * (max(ends) - min(ends)) or 0.5
    return min(ends) - room, max(ends) + room


def _title(result: MemorizationResult, percentiles: RecordPercentiles) -> str:
    label = percentiles.label
    of_class = "" if label is None else f" of class {style.short(label, 12)}"
    error, (low, high) = percentiles.standard_error, result.interval[percentiles.row]
    spread = "" if np.isnan(error) else f" (standard error {number(error)})"
    span = "" if np.isnan(low) else f", 95 % {number(low)} to {number(high)}"
    name = style.short(result.ids[percentiles.row], 12)
    return (
        f"record {name}{of_class}; {percentiles.peers:,} others\n"
        f"M = {number(percentiles.score)}{spread} nats\n"
        f"mean_log = {number(result.mean_log[percentiles.row])}{span}"
    )


# -- what byrote figures draws --------------------------------------------------------------------


def _ids(selection: Selection) -> Sequence[str]:
    return selection.records


@registry.figure(
    "figure of record {} (--record)",
    of="records",
    order=120,
    needs=(registry.scores,),
    each=_ids,
)
def _record(result: MemorizationResult, id_: str) -> Drawings:
    row = record_percentiles(result, id_).row  # row numbers, since ids may be private
    shows = "Log-likelihood of a record among the others of its class, trained on and held out."
    yield f"record-{row:06d}", style.figure_of(one_record(result, id_)), shows
