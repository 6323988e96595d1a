"""Skew-normal fit of the log-perplexities of references, with its errors."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from byrote.errors import InvalidInput
from byrote.report.figures import registry, style
from byrote.report.figures.registry import Drawings
from byrote.report.format import number
from byrote.scores.exposure.curve import SkewNormalFit
from byrote.scores.exposure.estimate import estimate_exposure
from byrote.scores.exposure.exposure_result import ExposureResult, PatternBits, bits_by_pattern
from byrote.scores.run import Run
from byrote.stats.goodness_of_fit import tail_noise

Array = NDArray[np.float64]
LIMIT = 0.5  # allowed error of the curve at a judged quantile, bits, if chance allows no more


def skew_normal_fit(
    references: ArrayLike, fit: SkewNormalFit, canary: float, *, name: str = "canary"
) -> Figure:
    """Draw a histogram of the references' log-perplexities with the fitted curve, as in the post.

    Below, left: the lower tail in bits, −log2 P(X ≤ x), counted among the references and fitted;
    the height of the curve at the canary is its exposure by extrapolation. Right: their difference
    from the median outwards, with a pointwise 95 % band for a true curve (grey). Squares are the
    quantiles that judge a fit, bars the allowed range.

    Parameters
    ----------
    references
        (n,) log-perplexities of candidates that were never inserted, bits.
    fit
        The curve through them, as in ``Exposure.fits``.
    canary
        The canary's log-perplexity, bits.

    Raises
    ------
    InvalidInput
        If a log-perplexity is not finite, there are fewer than two references, or the fit has no
        curve.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> bits = np.random.default_rng(0).normal(30, 3, 10_000)
    >>> exposure = byrote.exposure.estimate_exposure(12.0, bits, method="skew_normal")
    >>> figure = skew_normal_fit(bits, exposure.fits[0], 12.0)
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['density (1/bit)', 'lower tail (bits)', 'fitted − counted (bits)']
    """
    bits = np.sort(np.asarray(references, np.float64))
    if len(bits) < 2 or not np.isfinite(bits).all():
        raise InvalidInput(f"references must be 2 or more finite numbers; got {len(bits)}")
    if not np.isfinite(canary):
        raise InvalidInput(f"canary must be a finite log-perplexity; got {canary}")
    if not np.isfinite(fit.location):
        raise InvalidInput(f"fit must have a curve to draw; it has none: {fit.reason}")
    title = "Log-perplexities of candidates never inserted"
    figure = style.new_figure(style.DOUBLE, 4.8, title)
    axes = figure.subplot_mosaic([["all", "all"], ["tail", "error"]], height_ratios=[1.2, 1])
    room = 0.03 * (max(bits[-1], canary) - min(bits[0], canary))
    axes["all"].set_xlim(min(bits[0], canary) - room, max(bits[-1], canary) + room)
    _densities(axes["all"], bits, fit)
    _tails(axes["tail"], bits, fit, canary)
    _errors(axes["error"], bits, fit)
    for ax in (axes["all"], axes["tail"]):
        ax.axvline(canary, zorder=1, label="_", **_CANARY)
    style.legend_above(axes["all"], handles=_keys(axes["all"], fit, canary, name))
    style.legend_above(axes["tail"])
    style.legend_above(axes["error"])
    for ax in axes.values():
        style.tidy(ax)
    return figure


_CANARY: dict[str, Any] = {"color": style.VERMILION, "linewidth": 1.3, "linestyle": (0, (4, 1.5))}
_CURVE: dict[str, Any] = {"color": style.ORANGE, "linewidth": 1.6, "linestyle": (0, (3, 1))}


def _densities(ax: Axes, bits: Array, fit: SkewNormalFit) -> None:
    bins = min(120, max(20, int(np.sqrt(len(bits)))))
    label = f"{len(bits):,} references"
    ax.hist(bits, bins=bins, density=True, color=style.SKY, label=label)
    x = np.linspace(*ax.get_xlim(), 600)
    verdict = "accepted" if fit.accepted else "rejected"
    label = f"skew-normal fit, KS distance {number(fit.ks)}, {verdict}"
    ax.plot(x, fit.density(x), label=label, **_CURVE)
    ax.set_xlabel("log-perplexity (bits)")
    ax.set_ylabel("density (1/bit)")


def _tails(ax: Axes, bits: Array, fit: SkewNormalFit, canary: float) -> None:
    """Draw the lower half of the references, and the curve down to the canary."""
    half = -(-len(bits) // 2)
    counted = _counted(np.arange(1, half + 1), len(bits))
    look: dict[str, Any] = {"color": style.BLUE, "linewidth": 1.2}
    ax.step(bits[:half], counted, where="post", label="counted", **look)
    x = np.linspace(min(bits[0], canary), max(float(bits[half - 1]), canary), 400)
    curve = fit.exposure(x)
    ax.plot(x, curve, label="fitted", **_CURVE)
    height = float(fit.exposure(canary))
    ax.plot([canary], [height], marker="o", markersize=5, color=style.VERMILION, zorder=5)
    ax.set_ylim(0, 1.08 * max(float(counted[0]), float(curve.max())))
    ax.set_xlabel("log-perplexity (bits)")
    ax.set_ylabel("lower tail (bits)")


def _errors(ax: Axes, bits: Array, fit: SkewNormalFit) -> None:
    """Draw the error of the curve, and the 95 % band of a true curve."""
    from scipy.special import betaincinv  # noqa: PLC0415 (slow to load)

    n = len(bits)
    ranks = np.unique(np.geomspace(1, -(-n // 2), 200).astype(int))
    counted = _counted(ranks, n)
    chance = -np.log2([betaincinv(ranks, n + 1 - ranks, p) for p in (0.975, 0.025)]) - counted
    label = "95 % if the curve is right"
    ax.fill_between(counted, *chance, color="#E8E8E8", linewidth=0, label=label)
    ax.axhline(0, color=style.GREY, linewidth=0.8)
    error = fit.exposure(bits[ranks - 1]) - counted
    ax.plot(counted, error, color=style.BLUE, linewidth=1.2)
    allowed = _judged(ax, fit)
    drawn = [*fit.quantile_errors.values(), *allowed, *error[np.isfinite(error)]]
    reach = max(0.8, 1.15 * np.abs(drawn).max(initial=0))
    ax.set_ylim(-reach, reach)
    ax.set_xlabel("lower tail, counted (bits)")
    ax.set_ylabel("fitted − counted (bits)")


def _judged(ax: Axes, fit: SkewNormalFit) -> list[float]:
    """Draw the quantiles that judge the fit, with the allowed range; return its ends."""
    ends: list[float] = []
    look: dict[str, Any] = {"fmt": "none", "ecolor": style.VERMILION, "capsize": 2.5}
    for place, (tail, error) in enumerate(fit.quantile_errors.items()):
        x, (low, high) = -np.log2(float(tail)), tail_noise(float(tail), fit.n)
        low, high = min(-LIMIT, low), max(LIMIT, high)
        ends += [low, high]
        label = "" if place else "allowed"
        ax.errorbar(x, 0, yerr=[[-low], [high]], label=label, elinewidth=0.9, zorder=3, **look)
        label = "" if place else "judged at 1 in 100, 1,000, …"
        ax.plot([x], [error], "ks", markersize=4, label=label, zorder=4)
    return ends


def _counted(ranks: NDArray[Any], n: int) -> Array:
    """Return the lower tail at a rank among n references, bits."""
    return -np.log2(ranks / n)


def _keys(ax: Axes, fit: SkewNormalFit, canary: float, name: str) -> list[Any]:
    handles, labels = ax.get_legend_handles_labels()
    order = np.argsort([not label.endswith("references") for label in labels], kind="stable")
    exposure = float(fit.exposure(canary))
    label = f"{style.short(name, 30)}: {number(canary)} bits, exposure {exposure:.1f}"
    mark = style.key(f"{label} by the curve", **_CANARY)
    return [*(handles[place] for place in order), mark]


# -- what byrote figures draws --------------------------------------------------------------------


_FEWEST = 1000  # references of a curve


@registry.figure(
    "skew-normal fit", of="canaries", order=30, needs=(registry.run, registry.exposures)
)
def _of_first_fit(run: Run, result: ExposureResult) -> Drawings:
    """Draw for each pattern the curve through its references, and its most likely canary."""
    patterns = list(bits_by_pattern(run.folder, int(result.fit[0])))
    few = [len(each.reference_bits) for each in patterns if len(each.reference_bits) < _FEWEST]
    if few:
        raise InvalidInput(
            f"a curve needs {_FEWEST:,} references or more (--references); got {few[0]:,}"
        )
    for place, pattern in enumerate(patterns, start=1):
        name = "skew-normal-fit" if len(patterns) == 1 else f"skew-normal-fit-{place}"
        shows = "How well a skew-normal curve fits the references of a pattern."
        yield name, _most_likely(pattern), shows


def _most_likely(pattern: PatternBits) -> Figure:
    row = int(pattern.canary_bits.argmin())
    canary, references = float(pattern.canary_bits[row]), pattern.reference_bits
    options: dict[str, Any] = {"space_size": pattern.size, "method": "skew_normal"}
    fit = estimate_exposure(canary, references, **options).fits[0]
    name = f"{pattern.ids[row]}, inserted {pattern.inserted[row]:,}×"
    return skew_normal_fit(references, fit, canary, name=name)
