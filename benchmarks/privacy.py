"""The one-run bound for a million guesses, beside the formula written out."""

import time

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binom

from byrote.privacy import audit_one_run, one_run_epsilon
from run import peak_gb, report

GUESSES = 1_000_000
DELTA = 1e-9
PLAIN = 200_000  # guesses of the plain version, whose time is proportional to them


def plain(m: int, r: int, v: int, delta: float) -> float:
    """Every mass of the binomial, at each epsilon that a root search asks for."""

    def excess(epsilon: float) -> float:
        masses = binom.pmf(np.arange(v - 1, -1, -1), r, 1 / (1 + np.exp(-epsilon)))
        steepest = (np.cumsum(masses) / np.arange(1, v + 1)).max()
        return float(1 - masses.sum() + 2 * m * delta * steepest - 0.05)

    return float(brentq(excess, 0.0, 20.0))


def timed(function, *arguments, **named) -> tuple[float, object]:
    started = time.perf_counter()
    found = function(*arguments, **named)
    return time.perf_counter() - started, found


def main() -> None:
    rows = {}
    for delta in (0.0, DELTA):
        counts = {"canaries": GUESSES, "guesses": GUESSES, "correct": GUESSES * 7 // 10}
        seconds, _ = timed(one_run_epsilon, **counts, delta=delta)
        rows[f"{GUESSES:,} guesses, delta {delta:g}: seconds"] = seconds
    given = (PLAIN, PLAIN, PLAIN * 7 // 10, DELTA)
    whole, expected = timed(plain, *given)
    names = ("canaries", "guesses", "correct", "delta")
    own, found = timed(one_run_epsilon, **dict(zip(names, given, strict=True)))
    assert abs(found - expected) < 1e-6
    rows[f"{PLAIN:,} guesses, delta {DELTA:g}: seconds"] = own
    rows[f"{PLAIN:,} guesses, every mass: seconds"] = whole
    generator = np.random.default_rng(0)
    included = generator.random(GUESSES) < 0.5
    scores = included + generator.normal(size=GUESSES)
    seconds, _ = timed(audit_one_run, scores, included, guesses=GUESSES // 10)
    rows[f"audit of {GUESSES:,} coins, a tenth guessed, both bounds: seconds"] = seconds
    rows["peak memory, GB"] = peak_gb()
    report(rows, {"one-run bound": whole / own})


if __name__ == "__main__":
    main()
