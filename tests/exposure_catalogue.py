"""Made-up results for every figure of exposure, easy and awkward."""

import numpy as np
from scipy import stats

import byrote
from byrote.figures import (
    Estimates,
    ExposureCurves,
    OnionRound,
    ParetoPoint,
    PrivateModel,
    PublishedModel,
    Quantiles,
    RecitationCurve,
    SharedRecitation,
    completion_by_prefix,
    exposure_by_epsilon,
    exposure_by_estimator,
    exposure_by_insertions,
    exposure_over_training,
    onion,
    pareto,
    quantiles_by_configuration,
    recitation_by_copies,
    recitation_by_sharing,
    skew_normal_fit,
)
from byrote.report.figures.exposure_marks import EXPOSURE
from byrote.report.figures.pareto import PERPLEXITY, difference_labels
from byrote.stats.estimate import Estimate

MAXIMUM = np.log2(10**9)
LEVELS = np.repeat([0, 1, 2, 4, 8, 16], [12, 3, 3, 3, 3, 3])


def course(steps=20, **changes):
    generator = np.random.default_rng(1)
    n, at = len(LEVELS), np.arange(1, steps + 1)
    bits = np.minimum(MAXIMUM, (1 + 1.9 * LEVELS)[:, None] * (1 - np.exp(-at / 5)))
    bits = np.abs(bits + generator.normal(0, 0.4, (n, steps)))
    made = {
        "steps": at,
        "bits": bits,
        "insertions": LEVELS,
        "saturated": bits > 16.6,
        "maximum": MAXIMUM,
        "seen": at[::5],
        "loss_steps": at,
        "train_loss": 1.2 + np.exp(-at / 6),
        "test_loss": 1.5 + np.exp(-at / 5) + np.maximum(0, at - 12) * 0.02,
    }
    return ExposureCurves(**{**made, **changes})


def levels():
    generator = np.random.default_rng(2)
    bits = generator.exponential(1.44, len(LEVELS)) + 1.7 * LEVELS
    saturated = bits > 16.6
    bits = np.where(saturated, 16.6, bits)
    bits[2] = np.nan
    high = np.where(saturated, np.inf, bits + 0.5)
    return exposure_by_insertions(
        LEVELS, bits, low=bits - 0.5, high=high, saturated=saturated, maximum=MAXIMUM
    )


def configurations(count=24):
    generator = np.random.default_rng(3)
    found = []
    for place in range(count):
        x, y = generator.uniform(3, 6), generator.uniform(0.2, MAXIMUM)
        y = min(MAXIMUM, y * 3 / (x - 2))
        found.append(
            ParetoPoint(
                f"layers {1 + place % 3}, width {50 * (1 + place)}, dropout 0.2, rate 0.001",
                x,
                y,
                (x - 0.05, x + 0.05),
                (max(0, y - 1), min(MAXIMUM, y + 1)),
                bound=y > 25,
            )
        )
    return found


REFERENCES = stats.skewnorm.rvs(-2, 60, 5, size=20_000, random_state=4)
POOR = stats.gamma.rvs(2, size=1000, random_state=5)


def fitted(references):
    return byrote.exposure.estimate_exposure(20.0, references, method="skew_normal").fits[0]


def estimates(n=8):
    bits = np.linspace(0.3, MAXIMUM, n)
    saturated, refused = bits > 16.6, np.where(np.arange(n) % 3 == 1, np.nan, 1.05 * bits)
    sampled = np.minimum(bits, 16.6)
    return {
        "search": Estimates(bits),
        "sampled, 100,000 references": Estimates(
            sampled, sampled - 0.4, np.where(saturated, np.inf, sampled + 0.4), saturated
        ),
        "skew-normal": Estimates(refused, refused - 1, refused + 1),
        "model-sampled": Estimates(bits + 0.1, bits, bits + 0.2),
    }


def changes(n=11):
    """Changes of training, one of them far off."""
    generator = np.random.default_rng(3)
    found = []
    for place in range(n):
        loss, memorization = generator.normal(1.0, 1.5), generator.normal(-0.5, 0.6)
        loss = 60.0 if place == 4 else loss
        ends = (loss - 0.4, loss + 0.4), (memorization - 0.3, memorization + 0.3)
        found.append(ParetoPoint(f"change {place} of $training_", loss, memorization, *ends))
    return found


def quantiles(n=9):
    levels = np.array([0.5, 0.95, 0.999])
    rows = [np.random.default_rng(place).gamma(2.0, 1 + place % 4, 900) for place in range(n)]
    return [
        Quantiles(
            f"configuration {place} with a $long name_",
            dict(zip(levels, np.quantile(row, levels), strict=True)),
            dict(zip(levels, np.quantile(row, levels) - 1, strict=True)),
        )
        for place, row in enumerate(rows)
    ]


def peeled(n=3):
    unknown = (0.02, np.nan, np.nan)
    return [
        OnionRound(k, (0.03 / k, 0.01 / k, 0.05 / k), unknown, (1.0, 0.5, 1.5), (1.1, 0.9, 1.3))
        for k in range(1, n + 1)
    ]


def names(n=8):
    return [f"canary-{place}, inserted {4 * place} times" for place in range(n)]


GIVEN = np.arange(9)


def private(name="strict", epsilon=1.0, **changes):
    made = {
        "test_loss": np.array([1.9, 2.0]),
        "insertions": np.array([0, 0, 1, 1, 16, 16]),
        "bits": np.array([0.5, 2.0, 1.0, 3.0, 9.0, np.nan]),
        "saturated": np.zeros(6, dtype=bool),
    }
    made |= changes
    return PrivateModel(name=name, epsilon=epsilon, secrets=np.arange(len(made["bits"])), **made)


PUBLISHED = [PublishedModel(0.65, 1.69, 1.1), PublishedModel(np.inf, 1.17, 31.0)]


def recovered():
    generator = np.random.default_rng(5)
    rise = (LEVELS[:, None] + 1) * (GIVEN + 1) / 60
    found = np.clip(rise + generator.normal(0, 0.1, (len(LEVELS), len(GIVEN))), 0, 1)
    found[0, 0] = np.nan
    return found


def exposure_pareto(points, maximum=None):
    return pareto(points, PERPLEXITY, EXPOSURE, exposure=True, maximum=maximum)


def change_pareto(points, baseline):
    return pareto(points, *difference_labels(baseline), baseline=baseline)


def recited(models=3, levels=7):
    """Models of which the larger ones recite more; one estimate has no interval."""
    copies = [2**k for k in range(levels)]
    share = [Estimate(k / 8, max(k - 1, 0) / 8, min(k + 1, 8) / 8) for k in range(levels)]
    bits = [Estimate(4 - k / 2) if k == 1 else Estimate(4 - k / 2, 3 - k / 2, 5 - k / 2)
            for k in range(levels)]  # fmt: skip
    without = [Estimate(4.0, 3.5, 4.5)] * levels
    return [
        RecitationCurve(f"{64 << place} units, $a_", copies, share[place:] + share[:place], bits,
                        without)
        for place in range(models)
    ]  # fmt: skip


def shared(levels=6):
    """Windows that are the more predictable, the more texts share them."""
    estimates = [Estimate(k / 6, max(k - 1, 0) / 6, min(k + 1, 6) / 6) for k in range(levels)]
    rows = zip(estimates[::-1], estimates, strict=True)
    return [
        SharedRecitation(f"{2**k // 2}–{2**k - 1}", 10**k, memorized, predictable, memorized,
                         Estimate(2.0))
        for k, (memorized, predictable) in enumerate(rows)
    ]  # fmt: skip


FIGURES = {
    "training": lambda: exposure_over_training(course()),
    "training, no losses": lambda: exposure_over_training(
        course(train_loss=None, test_loss=None, loss_steps=None)
    ),
    "training, many batches": lambda: exposure_over_training(course(900, unit="batch")),
    "training, one epoch": lambda: exposure_over_training(course(1)),
    "levels": levels,
    "one level": lambda: exposure_by_insertions([4], [12.0]),
    "mitigations, quantiles": lambda: quantiles_by_configuration(quantiles()),
    "mitigations, many quantiles": lambda: quantiles_by_configuration(quantiles(40)),
    "mitigations, pareto": lambda: change_pareto(changes(), "plain"),
    "mitigations, one": lambda: change_pareto(changes(1), "plain $x_"),
    "onion": lambda: onion(peeled(), newly="newly above the first threshold of M"),
    "onion, one round": lambda: onion(peeled(1), newly="newly memorized"),
    "pareto": lambda: exposure_pareto(configurations(), maximum=MAXIMUM),
    "pareto, many": lambda: exposure_pareto(configurations(40)),
    "pareto, one": lambda: exposure_pareto(configurations(1)),
    "pareto, far apart": lambda: exposure_pareto(
        [ParetoPoint("a $x_", 3.0, 9.0), ParetoPoint("b", 3.0, 9.0), ParetoPoint("c", 90, 1)]
    ),
    "fit": lambda: skew_normal_fit(REFERENCES, fitted(REFERENCES), 18.0, name="canary $4_"),
    "fit, poor": lambda: skew_normal_fit(POOR, fitted(POOR), 70.0),
    "estimators": lambda: exposure_by_estimator(estimates(), names(), maximum=MAXIMUM),
    "one estimator": lambda: exposure_by_estimator({"$a_": Estimates(np.array([1.0]))}, ["$b_"]),
    "epsilon": lambda: exposure_by_epsilon(
        [private("$a_", np.inf), private("b", np.inf), private(), private(epsilon=2e8)],
        published=PUBLISHED,
        maximum=MAXIMUM,
    ),
    "epsilon, one": lambda: exposure_by_epsilon([private()]),
    "epsilon, none": lambda: exposure_by_epsilon(
        [private(epsilon=np.inf, saturated=np.ones(6, dtype=bool), test_loss=np.array([np.nan]))]
    ),
    "recitation": lambda: recitation_by_copies(recited()),
    "recitation, one": lambda: recitation_by_copies(recited(1, 1)),
    "sharing": lambda: recitation_by_sharing(shared()),
    "sharing, one": lambda: recitation_by_sharing(shared(1)),
    "completion": lambda: completion_by_prefix(GIVEN, recovered(), LEVELS, chance=0.1),
    "completion, one level": lambda: completion_by_prefix(GIVEN, recovered()[-3:], LEVELS[-3:]),
}
