"""Evidence from canaries: ranks by enumeration, known mechanisms, a run from start to end."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import roc_auc_score

import byrote
from byrote import Canary, InvalidInput
from byrote.runs.paths import RunPaths
from byrote.runs.run_folder import RunFolder
from byrote.scores.privacy.canary_bounds import (
    CanaryTable,
    canary_table,
    exposure_rank_bound,
    least_p_values,
    rank_p_values,
)
from byrote.scores.privacy.guarantee import windows
from byrote.scores.privacy.measures import canary_measures
from byrote.scores.privacy.record_bounds import Claim
from byrote.stats.exposure import epsilon_bound, group_privacy

from languages import Ngram

TEXT = [f"line {k} of a text about {k % 7} cats and {k % 11} dogs\n" for k in range(300)]
PATTERNS = [Canary("the code is {digits:3}!"), Canary("pin {digits:2}")]
LEVELS = {"insertions": [1, 8], "canaries_per_level": 2, "controls": 3}


class Promises(Ngram):
    """Says that it keeps each window private, which it does not."""

    def fit(self, texts, on_epoch=None):
        facts = {"epsilon": 1.0, "delta": 1e-6, "unit": "window of 3 characters", "window": 3}
        self.facts_ = {"privacy": facts}
        return super().fit(texts, on_epoch)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("canaries") / "run"
    byrote.score_exposure(
        Promises(order=5), TEXT, PATTERNS, **LEVELS, fits=2, references=40, out=folder
    )
    return folder


def found_in(store):
    run = RunFolder.open(RunPaths(store))
    return canary_table(run, run.table())


def secrets(levels, ranks, size=1000, fits=1):
    """Planted secrets with given ranks among all of their format, each in every fit."""
    ranks = np.asarray(ranks, dtype=float).reshape(fits, -1)
    count = ranks.shape[1]
    return CanaryTable(
        fits=np.arange(fits),
        log_prob=np.concatenate([-ranks, np.tile(-np.arange(1.5, size), (fits, 1))], axis=1),
        inserted=np.tile([*levels, *[0] * (size - 1)], (fits, 1)),
        pattern=np.zeros(count + size - 1, dtype=int),
        canaries=count,
        chosen=np.zeros(count + size - 1, dtype=bool),
        ids=np.array([f"c{k}" for k in range(count)]),
        sizes=(size,),
        most=None,
        longest=9,
        even=True,
    )


def test_p_values_are_ranks_beside_references_or_in_the_whole_space(store):
    found = found_in(store)
    p_values = rank_p_values(found)
    bits = -found.log_prob
    for fit in range(2):
        for canary in range(found.canaries):
            same = found.pattern == found.pattern[canary]
            others = bits[fit, same & (np.arange(len(same)) >= found.canaries)]
            beside = (1 + (others <= bits[fit, canary]).sum()) / (len(others) + 1)
            among = found.most[fit, canary] / (
                found.sizes[found.pattern[canary]] - same[: found.canaries].sum() + 1
            )
            assert p_values[fit, canary] == min(1, 2 * min(beside, among))
    certain = replace(found, most=np.ones_like(found.most))
    certain.log_prob[:, : found.canaries] = 0.0
    assert rank_p_values(certain)[1] == pytest.approx(least_p_values(certain))
    without = replace(found, most=None)
    assert (rank_p_values(without) >= 1 / 41).all()


@pytest.mark.parametrize("together", [True, False])
def test_secrets_given_away_with_a_known_probability(together):
    """A mechanism that names the secret of every canary, or of none, or of each by itself.

    It names the right one of 1,000 with probability e^epsilon / 1000 and gives all others alike, so
    a copy is worth epsilon / 2 where there are two.
    """
    epsilon, above, runs = 4.0, 0, 400
    generator = np.random.default_rng(0)
    for _ in range(runs):
        lucky = generator.random(1 if together else 8) < np.exp(epsilon) / 1000
        ranks = np.where(lucky, 1, generator.integers(2, 1001, size=8))
        found = secrets([2] * 8, ranks)
        above += exposure_rank_bound(found, Claim(0.0, 0.05), 1).epsilon > epsilon / 2
    assert above <= binom(runs, 0.05).ppf(0.99)


def test_nothing_is_proven_of_secrets_that_were_never_learned():
    generator, above, runs = np.random.default_rng(1), 0, 400
    for _ in range(runs):
        found = secrets([1, 1, 1, 4, 4, 4], generator.integers(1, 1001, size=12), fits=2)
        above += exposure_rank_bound(found, Claim(0.0, 0.05), 1).epsilon > 0
    assert above <= binom(runs, 0.05).ppf(0.99)


def test_the_bound_written_out():
    found = secrets([1, 1, 1, 16, 16], [500, 30, 2, 1, 1])
    bound = exposure_rank_bound(found, Claim(0.0, 0.05), 2)
    once, often = bound.detail["levels"]
    assert (once["p_value"], often["p_value"]) == (0.030, 0.001)
    # Half of three is two: P(two of three at most u) <= 3/2 u; two levels share the significance.
    assert once["epsilon"] == pytest.approx(max(0.0, np.log(0.025 * 2 / 3 / 0.030) / 2))
    assert often["epsilon"] == pytest.approx(np.log(0.025 / 2 / 0.001) / 32)
    assert bound.epsilon == max(once["epsilon"], often["epsilon"]) > 0
    most = exposure_rank_bound(secrets([1, 1, 1, 16, 16], [1] * 5), Claim(0.0, 0.05), 2)
    assert bound.detail["provable"] == most.detail["provable"] == most.epsilon > bound.epsilon
    private = exposure_rank_bound(found, Claim(1e-5, 0.05), 2)
    assert 0 < private.epsilon < bound.epsilon
    assert exposure_rank_bound(found, Claim(0.01, 0.05), 2).epsilon == 0


@pytest.mark.parametrize("delta", [1e-9, 1e-5, 1e-3])
def test_the_bound_with_a_delta_is_the_largest_epsilon_rejected(delta):
    every = np.linspace(0, 3, 3001)
    whole = np.array([group_privacy(epsilon, delta, 4) for epsilon in every])
    rejected = every[np.exp(whole[:, 0]) * 1e-4 + whole[:, 1] <= 0.05]
    found = epsilon_bound(1e-4, delta, 4, 0.05)
    assert rejected.max() <= found <= rejected.max() + 1.1e-3


def test_secrets_of_several_lengths_move_windows_that_hold_none(tmp_path):
    """Who takes away "bo" moves all text after it by two: no window stays as it was."""
    words = ["ann", "bo", "carla", "d", "emilia", "frederic", "gustave", "hi"]
    canary = Canary("hello {name}.", words={"name": words})
    found = {}
    for name, model in (("windows", Promises(order=3)), ("none", Ngram(order=3))):
        byrote.score_exposure(
            model, TEXT, canary, insertions=[1], canaries_per_level=3, controls=2, references=3,
            seed=1, out=tmp_path / name,
        )  # fmt: skip
        found[name] = byrote.open_run(tmp_path / name).epsilon()
    assert "differ in length" in found["windows"].headline.reason
    assert np.isnan(found["windows"].proven)
    (side,) = (one for one in found["windows"].measures if one.measure == "epsilon")
    assert "differ in length" in side.estimate.reason
    assert found["none"].headline.reason == ""


def test_windows_that_a_secret_may_touch():
    guarantee = {"epsilon": 1.0, "delta": 1e-6}
    fours = {**guarantee, "window": 4}
    for length in range(1, 30):
        starts = [len({(start + k) // 4 for k in range(length)}) for start in range(4)]
        assert windows(fours, length) == max(starts)
    assert windows(None, 9) == windows(guarantee, 9) == 1
    words = {**guarantee, "unit": "window of 4 characters"}  # words are for reports
    assert windows(words, 9) == 1


def test_evidence_of_a_run_with_canaries(store):
    evidence, found = byrote.open_run(store).epsilon(), found_in(store)
    assert (evidence.kind, evidence.method) == ("exposure", "exposure")
    assert [bool(bound.reason) for bound in evidence.bounds] == [False, True, True, True, True]
    assert evidence.headline.delta == 1e-6
    assert evidence.headline.detail["windows"] == windows(evidence.guarantee, 4) == 2
    assert evidence.allowed == 1
    groups = list(dict.fromkeys(side.group for side in evidence.measures))
    assert groups == ["12 controls", "8 canaries inserted once", "8 canaries inserted 8 times"]
    cells = {(side.group[-1], side.measure): side for side in evidence.measures}
    inside = found.inserted[:, : found.canaries] == 8
    references = np.arange(len(found.pattern)) >= found.canaries
    gains = [
        found.log_prob[fit, c]
        - found.log_prob[fit, references & (found.pattern == found.pattern[c])].mean()
        for fit, c in np.argwhere(inside)
    ]
    memorized = cells["s", "memorization"].estimate
    assert memorized.value == pytest.approx(np.mean(gains))
    assert memorized.low < memorized.value < memorized.high
    assert cells["s", "exposure"].estimate.value > 4
    assert cells["s", "exposure"].detail["max_mean_bits"] == pytest.approx(
        min(
            np.log2(1000),
            byrote.privacy.exposure_bound(
                epsilon=1.0, delta=1e-6, insertions=16, space_size=1000
            ).mean_bits,
        )
    )
    assert cells["s", "epsilon"].detail["units"] == 16


def test_membership_of_canaries_beside_all_that_were_never_inserted(store):
    found, attack = found_in(store), byrote.open_run(store).membership(attack="loss")
    z = found.log_prob.copy()
    for fit in range(2):
        for pattern in range(2):
            own = found.pattern == pattern
            z[fit, own] = (z[fit, own] - z[fit, own].mean()) / z[fit, own].std()
    assert attack.scores == pytest.approx(z)
    assert attack.auc == pytest.approx(roc_auc_score(found.inserted.ravel() > 0, z.ravel()))
    assert attack.interval[0] < attack.auc <= attack.interval[1]
    assert np.isnan(byrote.open_run(store).membership().auc)
    with pytest.raises(InvalidInput, match="attack must be one of lira, loss"):
        byrote.open_run(store).membership(attack="guess")


def test_secrets_that_somebody_chose_prove_nothing(store):
    found = found_in(store)
    chosen = replace(found, chosen=np.arange(len(found.pattern)) < found.canaries)
    bound = exposure_rank_bound(chosen, Claim(0.0, 0.05), 1)
    assert "no drawn secret" in bound.reason
    exposures = byrote.open_run(store).exposure().exposure
    assert canary_measures(chosen, exposures, bound, None) == ()


def test_options_of_audits_are_refused_for_canaries(store):
    for name in ("guesses", "record"):
        with pytest.raises(InvalidInput, match=f"{name} belongs to runs that score records"):
            byrote.open_run(store).epsilon(**{name: 3})
