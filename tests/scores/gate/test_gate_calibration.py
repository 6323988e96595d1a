"""Without memorization thresholds fail as seldom as stated; memorization is found; ends cover."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import binomtest, gamma

from byrote import Exposure, KFold, Probes, Subset
from byrote.plans import design_of
from byrote.runs.table import Table
from byrote.scores.exposure.exposure_result import ExposureResult
from byrote.scores.exposure.levels import Controls, check_controls
from byrote.scores.gate import max_auc, max_exposure, max_q999, max_score, max_significant
from byrote.scores.gate.threshold import GatedRun, judge
from byrote.scores.memorization.moderated import Discovery
from levels import run_of

PLANS = [KFold(2, 10), Probes(100, fits=16), Subset(0.5, fits=16)]


def source_of(plan, n, values_of, *, seed=0, tail=0.025, diagnostics=None):
    """``values_of(generator, design)``: the whole table, (fits, n)."""
    design = design_of(plan, n, seed=seed)
    rows = design.scored
    values = values_of(np.random.default_rng(seed), design)[:, rows]
    return GatedRun(run_of(plan, Table(design, rows, values), diagnostics), tail)


def noise(spread, gain=0.0, records=()):
    """Retraining noise, and some records whose log-likelihood training raises."""

    def values(generator, design):
        found = spread * generator.normal(size=(design.fits, design.n))
        for fit in range(design.fits):
            member = design.trained_on(fit)[list(records)]
            found[fit, list(records)] += gain * member
        return found

    return values


def seldom(errors, runs, rate):
    return binomtest(errors, runs, rate, alternative="greater").pvalue > 1e-3


@pytest.mark.parametrize("plan", PLANS)
def test_noise_alone_fails_no_bar_and_passes_where_it_can(plan):
    runs, verdicts = 20, {"significant": [], "q999": [], "wide": [], "score": [], "wide score": []}
    for seed in range(runs):
        source = source_of(plan, 100, noise(5.0), seed=seed)
        for name, measure, threshold in (
            ("significant", max_significant.measure, 0.05),
            ("q999", max_q999.measure, 0.5),  # far below what the noise makes of the estimate
            ("wide", max_q999.measure, 1000.0),
            ("score", max_score.measure, 0.5),
            ("wide score", max_score.measure, 1000.0),
        ):
            found = judge("max_q999", threshold, measure(source, threshold), level=0.95)
            verdicts[name].append(found.verdict)
    assert seldom(verdicts["q999"].count("failed"), runs, 0.025)
    assert seldom(runs - verdicts["significant"].count("passed"), runs, 0.05)
    assert seldom(verdicts["score"].count("failed"), runs, 0.025)
    assert "failed" not in verdicts["wide score"]
    assert "failed" not in verdicts["wide"]  # a subset may leave a record in or out only once
    assert verdicts["wide"].count("passed") >= (runs if plan.kind != "subset" else 0.7 * runs)


@pytest.mark.parametrize("plan", PLANS)
def test_ends_of_the_quantile_hold_the_truth(plan):
    runs, wrong = 20, np.zeros(2, dtype=int)
    for seed in range(runs):  # of 150 records none may exceed it: it is the largest, 20 nats
        found = max_q999.measure(source_of(plan, 150, noise(2.0, 20.0, range(3)), seed=seed), 1.0)
        wrong += [found.low > 20, found.high < 20]
        assert found.low > 5
    assert seldom(int(wrong[0]), runs, 0.025)
    assert seldom(int(wrong[1]), runs, 0.025)


def test_the_share_for_certain_is_no_more_than_there_is():
    runs, wrong = 30, 0
    for seed in range(runs):
        source = source_of(KFold(2, 12), 100, noise(1.0, 4.0, range(10)), seed=seed)
        found = max_significant.measure(source, 0.05)
        wrong += found.low > 0.1
        assert found.low >= 0.05
        assert found.found == found.high
    assert seldom(wrong, runs, 0.025)


def test_probes_drawn_at_random_speak_of_all_records():
    """Of 2,000 records 100 are memorized; the interval from 200 probes holds their share."""
    runs, wrong = 30, 0
    for seed in range(runs):
        source = source_of(Probes(200, fits=16), 2000, noise(0.1, 9.0, range(100)), seed=seed)
        found = max_significant.measure(source, 0.05)
        wrong += not found.low <= 0.05 <= found.high
        assert found.low < found.high
    assert seldom(wrong, runs, 0.1)  # BH adds false discoveries to the upper end, never fewer


def test_chosen_probes_speak_of_themselves():
    source = source_of(Probes(list(range(50)), fits=16), 2000, noise(1.0))
    found = max_significant.measure(source, 0.05)
    assert found.found == found.high
    assert "50 records chosen of 2,000" in found.covers
    assert not max_q999.measure(source, 50).doubts


SHORT = [
    ("two fits", KFold(2, 1), 300, max_significant, 0.01, "can discover nothing"),
    ("one repeat", KFold(3, 1), 300, max_significant, 0.01, "nothing unless 10 of 300"),
    ("one repeat", KFold(10, 1), 300, max_q999, 50, "no standard errors"),
    ("few probes", Probes(300, fits=16), 60_000, max_q999, 50, "too few records"),
    ("two fits", KFold(2, 1), 300, max_score, 50, "the moderated test cannot be had: fewer"),
    ("some probes", Probes(150, fits=16), 300, max_score, 50, "150 of 300 records were not scored"),
    ("one repeat", KFold(10, 1), 300, max_auc, 0.6, "lira could not be measured"),
]


@pytest.mark.parametrize(
    ("plan", "n", "module", "threshold", "reason"), [case[1:] for case in SHORT]
)
def test_too_little_never_passes(plan, n, module, threshold, reason):
    found = judge(
        "max_q999",
        threshold,
        module.measure(source_of(plan, n, noise(0.01)), threshold),
        level=0.95,
    )
    assert found.verdict == "inconclusive"
    assert reason in found.reason


def test_a_share_below_what_the_plan_can_discover_is_in_doubt():
    (doubt,) = max_significant._doubts(0.01, 300, 94)
    assert "unless 94 of 300 records" in doubt
    assert not max_significant._doubts(0.32, 300, 94)


LEARNED = (17, 4)  # by 40 nats, of 300 records


def test_one_record_learned_by_heart_fails_and_is_named():
    gated = source_of(KFold(3, 6), 300, noise(1.0, 40.0, LEARNED))
    found = judge("max_score", 10, max_score.measure(gated, 10), level=0.95)
    assert found.verdict == "failed"
    assert set(found.records) == {"17", "4"}
    assert found.low < 40 < found.high
    assert found.detail["tested"] == 300
    assert 0 < found.detail["detectable"] < 10
    within = judge("max_score", 60, max_score.measure(gated, 60), level=0.95)
    assert (within.verdict, within.records) == ("passed", ())
    across = judge("max_score", found.found, max_score.measure(gated, found.found), level=0.95)
    assert (across.verdict, across.records) == ("inconclusive", ())
    assert "reaches across" in across.reason


def test_the_largest_effect_is_named_where_no_lower_limit_is_finite(monkeypatch):
    def endless(discovery, tail):
        return np.full_like(discovery.effect, -np.inf), discovery.effect + 1

    monkeypatch.setattr(Discovery, "limits", endless)
    gated = source_of(KFold(2, 6), 100, noise(1.0, 100.0, LEARNED))
    effect = gated.run.evaluation.discovery.effect
    assert max_score.measure(gated, 10).found == effect.max() > 90


def test_the_largest_effect_is_named_where_there_are_no_limits():
    gated = source_of(KFold(2, 4), 300, noise(1.0, 100.0, LEARNED))
    found = judge("max_score", 10, max_score.measure(gated, 10), level=0.95)
    largest = gated.run.evaluation.discovery.effect.max()
    assert (found.verdict, np.isnan(found.found)) == ("inconclusive", True)
    assert largest > 90
    assert f"the largest effect seen, {largest:.3g} nats, is partly chance" in found.reason


def test_several_clear_effects_fail_where_no_single_record_has_limits():
    """In 27 memberships of a record chance alone could make one the largest, and hardly forty."""
    gated = source_of(KFold(3, 3), 300, noise(1.0, 40.0, tuple(range(0, 80, 2))))
    found = judge("max_score", 10, max_score.measure(gated, 10), level=0.95)
    assert (found.verdict, found.records, found.high) == ("failed", (), np.inf)
    assert 10 < found.low < 40
    assert "which of them has it is not sure" in found.covers
    higher = judge("max_score", 60, max_score.measure(gated, 60), level=0.95)
    assert higher.verdict == "inconclusive"
    assert "300 of 300 records have no limits" in higher.reason


def test_other_thresholds_that_fail_name_records_too():
    gated = source_of(KFold(3, 6), 300, noise(1.0, 40.0, LEARNED))
    for module, limit in ((max_q999, 10), (max_significant, 0.0)):
        found = judge("any", limit, module.measure(gated, limit), level=0.95)
        assert found.verdict == "failed"
        assert set(found.records) == {"17", "4"}


def test_the_quantile_says_how_many_records_it_cannot_see():
    """Two of 2,000 may exceed it: two records learned by heart pass, and max_score fails."""
    gated = source_of(KFold(3, 6), 2000, noise(0.1, 40.0, LEARNED))
    found = judge("max_q999", 10, max_q999.measure(gated, 10), level=0.95)
    assert found.verdict == "passed"
    assert "It cannot see 2 records above it, however far: --max-score" in found.covers
    every = judge("max_score", 10, max_score.measure(gated, 10), level=0.95)
    assert (every.verdict, set(every.records)) == ("failed", {"17", "4"})


def test_limits_that_are_too_narrow_do_not_pass():
    def values(generator, design):
        inside = np.array([design.trained_on(fit) for fit in range(design.fits)])
        return generator.normal(size=inside.shape) * np.where(inside, 0.1, 0.2)

    found = judge(
        "max_score", 50, max_score.measure(source_of(KFold(3, 6), 300, values), 50), level=0.95
    )
    assert (found.verdict, found.high < 50) == ("inconclusive", True)
    assert "times as much where records are held out" in found.reason


def test_records_without_limits_do_not_pass():
    def values(generator, design):
        found = noise(0.1)(generator, design)
        found[0, 3] = -np.inf
        return found

    gated = source_of(KFold(3, 6), 300, values)
    found = judge("max_score", 50, max_score.measure(gated, 50), level=0.95)
    assert found.verdict == "inconclusive"
    assert "1 of 300 records have no limits" in found.reason


def test_zero_densities_outside_training_fail():
    def copies(generator, design):
        member = np.array([design.trained_on(fit) for fit in range(design.fits)])
        return np.where(member, 3.0, -np.inf)

    source = source_of(KFold(2, 12), 100, copies)
    with np.errstate(invalid="ignore"):
        found = max_q999.measure(source, 50)
        auc = max_auc.measure(source, 0.6)
    assert found.low == np.inf
    assert auc.low > 0.9
    assert "lira could not be measured" in auc.doubts[0]


def test_pairs_that_memorize_nothing_pass():
    source = source_of(Probes(100, fits=16, pairs=True), 100, noise(1.0))
    found = judge("max_auc", 0.6, max_auc.measure(source, 0.6), level=0.95)
    assert (found.verdict, found.low < 0.5 < found.high) == ("passed", True)


def test_log_likelihoods_from_few_draws_do_not_pass():
    source = source_of(KFold(2, 10), 100, noise(0.1))
    assert judge("max_q999", 50, max_q999.measure(source, 50), level=0.95).verdict == "passed"
    poor = {"k_hat": np.full(100, 0.9)}
    source = source_of(KFold(2, 10), 100, noise(0.1), diagnostics=poor)
    found = judge("max_q999", 50, max_q999.measure(source, 50), level=0.95)
    assert found.verdict == "inconclusive"
    assert "few importance samples" in found.reason


def test_controls_have_the_power_that_is_said_of_them():
    n = max_exposure.FEWEST_CONTROLS
    assert gamma.sf(gamma.ppf(0.995, n) / 2, n) == pytest.approx(0.4, abs=0.03)
    assert (
        1 - 0.5**max_exposure.FEWEST_SECRETS > 0.95 > 1 - 0.5 ** (max_exposure.FEWEST_SECRETS - 1)
    )


def exposed(bits, controls, size, copies=1):
    """An exposure run with exact ranks: what the threshold reads of one."""
    count = len(bits) + len(controls)
    whole = np.concatenate([bits, controls])
    rows = max_exposure.InsertedCanaries(
        bits=bits,
        low=bits,
        high=bits,
        p_value=2.0**-bits,
        maximum=np.full(len(bits), np.log2(size)),
        secret=np.arange(len(bits)),
        inserted=np.full(len(bits), copies),
        tail=0.025,
    )
    checked = controls_of(whole, count, len(bits))
    return rows, checked


def controls_of(bits, count, inserted):
    nothing = np.full(count, np.nan)
    found = Exposure(
        ids=np.arange(count),
        bits=bits,
        low=bits,
        high=bits,
        method=np.full(count, "exact"),
        p_value=2.0**-bits,
        saturated=np.zeros(count, dtype=bool),
        rank=2.0 ** (20 - bits),
        log_perplexity=nothing,
        maximum=np.full(count, 20.0),
        reason=np.full(count, ""),
    )
    return check_controls(found, np.r_[np.ones(inserted, int), np.zeros(count - inserted, int)])


def verdict_of(rows, controls, threshold):
    run = ExposureResult(*[None] * 6, test_loss=np.zeros(1), facts={}, missing=(), description={})
    return judge(
        "max_exposure",
        threshold,
        max_exposure._measured(rows, controls, run, threshold, None),
        level=0.95,
    )


def by_chance(generator, n, size=2**20):
    return 20 - np.log2(generator.integers(1, size + 1, n))


def test_secrets_never_learned_pass_as_often_as_chance_allows():
    generator, runs, m = np.random.default_rng(0), 400, 12
    made = [exposed(by_chance(generator, m), by_chance(generator, 16), 2**20) for _ in range(runs)]
    for threshold in (3.0, 10.0):
        verdicts = [verdict_of(*each, threshold).verdict for each in made]
        assert seldom(verdicts.count("failed"), runs, 0.05)
    # Chance puts one of 12 above 10 bits in 1.2 %, and controls are unlike it in 2 %.
    assert seldom(runs - verdicts.count("passed"), runs, 0.032)


EXPOSED = np.array([1.0, 2.0, 0.5, 19.0, 3.0])
PLAIN = np.array([0.3, 0.1, 4.0, 1.2, 2.2, 0.8, 0.5, 1.4, 2.9, 0.2])


def replaced(rows, **changes):
    return dataclasses.replace(rows, **changes)


def test_an_exposed_secret_fails_whatever_else_is_short():
    rows, controls = exposed(EXPOSED, PLAIN, 2**20)
    assert verdict_of(rows, controls, 10).verdict == "failed"
    assert verdict_of(rows, Controls(0, *[np.nan] * 4), 10).verdict == "failed"
    dull = Controls(10, 0.0, 0.0, 1.0, 0.0)  # ties: exposures are understated
    assert verdict_of(rows, dull, 10).verdict == "failed"
    shrill = Controls(10, 6.0, 0.0, 1.0, 0.0)
    assert "controls are not like chance" in verdict_of(rows, shrill, 10).reason
    chosen = replaced(rows, p_value=np.where(EXPOSED == 19, np.nan, rows.p_value))
    assert "was chosen" in verdict_of(chosen, controls, 10).reason


UNSURE = [
    ("few secrets", {"secret": np.zeros(5)}, PLAIN, "too few canaries: 1 random secrets"),
    ("short format", {"maximum": np.full(5, 6.6)}, PLAIN, "5 of 5 canaries could not exceed"),
    ("few controls", {}, PLAIN[:4], "too few controls: 4"),
    ("unlike chance", {}, PLAIN * 0.01, "controls are not like chance"),
    ("open above", {"high": np.full(5, 20.0)}, PLAIN, "across the threshold"),
]


@pytest.mark.parametrize(("changes", "controls", "reason"), [case[1:] for case in UNSURE])
def test_exposures_in_doubt_do_not_pass(changes, controls, reason):
    rows, checked = exposed(np.minimum(EXPOSED, 3.0), controls, 2**20)
    assert verdict_of(rows, checked, 10).verdict == "passed" or len(controls) < 8 or not changes
    found = verdict_of(replaced(rows, **changes), checked, 10)
    assert found.verdict == "inconclusive"
    assert reason in found.reason
