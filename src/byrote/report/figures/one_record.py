"""One record among its class, in training and held out (footnote 3 of the paper)."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote.report.figures import reach, style
from byrote.report.format import number
from byrote.scores.percentiles import RecordPercentiles, peers_of, record_percentiles
from byrote.scores.result import MemorizationResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def one_record(
    result: MemorizationResult,
    id: Any,  # noqa: A002
    ax: "Axes | None" = None,
) -> "Axes":
    """Where a record stands in its class when trained on and when held out.

    The curves are the shares of the class's other records with a lower log-likelihood; the marks
    are the record, at its percentile. ``record_percentiles`` gives the numbers.

    Parameters
    ----------
    id
        The record's id, as in ``result.ids``; its text serves too.

    Raises
    ------
    InvalidInput
        If no record has the id, it has no log-likelihood in or out, or no peers.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.append(np.linspace(0, 1, 20), 4.0)[:, None]
    >>> result = byrote.score_memorization(KernelDensity(), x, plan=byrote.LeaveOneOut())
    >>> one_record(result, 20).get_ylabel()
    'percentile among the others'
    """
    found = record_percentiles(result, id)
    peers = peers_of(result, found.row)
    ax = style.new_axes(ax, height=2.6)
    sides = (
        ("held out", result.log_prob_out, found.log_prob_out, found.percentile_out),
        ("in training", result.log_prob_in, found.log_prob_in, found.percentile_in),
    )
    looks = ((style.VERMILION, (0, (4, 1.5)), "D"), (style.BLUE, "-", "o"))
    for (name, values, value, percentile), (color, dashes, marker) in zip(
        sides, looks, strict=True
    ):
        others = np.sort(values[peers & np.isfinite(values)])
        share = 100 * np.arange(1, len(others) + 1) / max(1, len(others))
        ax.step(others, share, where="post", color=color, linestyle=dashes, linewidth=1.2)
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
    _move(ax, found)
    ax.set_xlim(*_limits(result, peers, found))
    ax.set_ylim(0, 100)
    ax.set_xlabel(r"$\log P_\mathcal{A}(x)$ (nats)")
    ax.set_ylabel("percentile among the others")
    style.legend_above(ax, title=_title(result, found))
    style.tidy(ax)
    return ax


def _move(ax: "Axes", found: RecordPercentiles) -> None:
    """An arrow from held out to in training."""
    ax.annotate(
        "",
        (found.log_prob_in, found.percentile_in),
        (found.log_prob_out, found.percentile_out),
        arrowprops={"arrowstyle": "->", "color": style.GREY, "shrinkA": 6, "shrinkB": 6},
    )


def _limits(
    result: MemorizationResult, peers: NDArray[np.bool_], found: RecordPercentiles
) -> tuple[float, float]:
    values = np.concatenate([result.log_prob_in[peers], result.log_prob_out[peers]])
    own = np.array([found.log_prob_in, found.log_prob_out])
    values, own = values[np.isfinite(values)], own[np.isfinite(own)]
    ends = (*own, *(reach.edges(values) if len(values) else ()))
    room = 0.04 * (max(ends) - min(ends)) or 0.5
    return min(ends) - room, max(ends) + room


def _title(result: MemorizationResult, found: RecordPercentiles) -> str:
    of = "" if found.label is None else f" of class {style.short(found.label, 12)}"
    error, low = found.standard_error, result.interval[found.row, 0]
    spread = "" if np.isnan(error) else f" (standard error {number(error)})"
    span = (
        "" if np.isnan(low) else f", 95 % {number(low)} to {number(result.interval[found.row, 1])}"
    )
    name = style.short(result.ids[found.row], 12)
    return (
        f"record {name}{of}; {found.peers:,} others\n"
        f"M = {number(found.score)}{spread} nats\n"
        f"mean_log = {number(result.mean_log[found.row])}{span}"
    )
