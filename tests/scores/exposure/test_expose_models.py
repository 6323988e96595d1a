"""Exposure of secrets in a model: every method against counting all candidates."""

import numpy as np
import pytest

import byrote
from byrote import Canary, InvalidInput

from chains import Chain, Table, digit_table, plain_rank

PIN = Canary("ab {digits:4}")


def million(seed=2, **options):
    """A chain whose steps are quick, a canary of six digits, and the bits of all candidates."""
    model, canary = Chain(seed, **options), Canary("ab {digits:6}")
    model.stepper = lambda: Table(model)
    return model, canary, digit_table(model, canary.prefix, 6)


def at_rank(canary, table, *ranks):
    """Canaries of these ranks."""
    places = np.subtract(ranks, 1)
    order = np.argpartition(table, places)[places]
    return [canary.with_secret(canary.format.at(place)) for place in order.tolist()]


def test_exact_ranks_of_several_formats_stay_in_order():
    model = Chain(1)
    model.stepper = lambda: Table(model)
    other, table = Canary("b1{digits:3}"), digit_table(model, PIN.prefix, 4)
    second = digit_table(model, "b1", 3)
    canaries = [
        c for pair in zip(at_rank(PIN, table, 1, 70, 9000), at_rank(other, second, 1, 7, 999),
                          strict=True) for c in pair
    ]  # fmt: skip
    want = [
        np.log2(len(t) / plain_rank(t, t[int(c.completion)]))
        for c, t in zip(canaries, [table, second] * 3, strict=True)
    ]
    for method in ("exact", "search", "auto"):
        found = byrote.expose(model, canaries, method=method, ids=list("abcdef"))
        np.testing.assert_allclose(found.bits, want)
        np.testing.assert_array_equal(found.interval.T, [found.bits, found.bits])
        np.testing.assert_allclose(found.p_value, 2.0**-found.bits)
        assert found.ids.tolist() == list("abcdef")
        assert set(found.method) == {"exact" if method == "exact" else "search"}
        assert not found.saturated.any()
        np.testing.assert_allclose(found.maximum, np.log2([10**4, 10**3] * 3))
        own = [t[int(c.completion)] for c, t in zip(canaries, [table, second] * 3, strict=True)]
        np.testing.assert_array_equal(found.log_perplexity, own)


@pytest.mark.parametrize("method", ["sampled", "skew_normal", "model_sampled"])
def test_estimates_are_near_the_truth(method):
    model, canary, table = million(seed=0)
    ranks = [30_000, 200_000, 800_000]
    canaries = at_rank(canary, table, *ranks)
    found = byrote.expose(model, canaries, method=method, seed=3)
    np.testing.assert_allclose(found.bits, np.log2(10**6 / np.array(ranks)), atol=0.35)
    assert set(found.method) == {method}
    again = byrote.expose(model, canaries, method=method, seed=3)
    np.testing.assert_array_equal(found.bits, again.bits)


def test_auto_is_certain_where_it_can_and_honest_elsewhere():
    model, canary, table = million(sharp=3.0)
    ranks = np.array([1, 50, 5_000, 60_000, 500_000])
    canaries = at_rank(canary, table, *ranks)
    truth = np.log2(
        10**6 / np.array([plain_rank(table, table[int(c.completion)]) for c in canaries])
    )
    found = byrote.expose(model, canaries, max_queries=6000, level=0.999)
    assert found.method[:2].tolist() == ["search"] * 2
    np.testing.assert_allclose(found.bits[:2], truth[:2])
    assert set(found.method[2:]) <= {"model_sampled", "sampled"}
    assert (found.low <= truth + 1e-12).all()
    assert (truth <= found.high + 1e-12).all()
    assert not found.saturated.any()


def test_the_curve_answers_where_all_else_says_at_least():
    model, canary, table = million(seed=0)
    (one,) = at_rank(canary, table, 40)
    found = byrote.expose(model, one, max_queries=5, references=1000)
    assert found.method == "skew_normal"
    assert len(found.fits) == 1
    assert not found.saturated
    np.testing.assert_allclose(found.bits, np.log2(10**6 / 40), atol=2)
    few = byrote.expose(model, one, max_queries=5, references=900)
    assert few.saturated.all()
    assert few.low <= np.log2(10**6 / 40) <= few.high
    assert not few.fits


def test_search_alone_says_at_least():
    model, canary, table = million()
    (one,) = at_rank(canary, table, 400_000)
    found = byrote.expose(model, one, method="search", max_queries=50)
    assert found.saturated.all()
    assert found.low[0] <= np.log2(10**6 / 400_000) <= found.high[0]
    assert found.bits == found.low
    assert "at least" in found.reason[0]


def test_model_sampling_refuses_what_no_sample_reaches():
    model, canary, table = million(sharp=0.1)
    (one,) = at_rank(canary, table, 1)
    found = byrote.expose(model, one, method="model_sampled", references=200)
    assert np.isnan(found.bits).all()
    assert "too few samples" in found.reason[0]


@pytest.mark.parametrize("method", ["exact", "sampled", "auto"])
def test_secrets_drawn_at_random_have_uniform_p_values(method):
    from scipy.stats import kstest

    model, canary, _ = million(sharp=2.0)
    canaries = [canary.drawn(seed) for seed in range(400)]
    found = byrote.expose(model, canaries, method=method, references=1000, max_queries=500)
    assert kstest(found.p_value, "uniform").pvalue > 0.01
    assert abs(found.bits.mean() - 1 / np.log(2)) < 4 * 1.4427 / 20


def test_a_model_that_excludes_candidates_has_no_curve():
    model, canary, _ = million()
    model.row([model.encode("1")[0]])[model.encode("7")] = np.inf
    secrets = [canary.with_secret("111111"), canary.with_secret("171717")]
    found = byrote.expose(model, secrets, method="skew_normal", references=1000)
    assert np.isnan(found.bits).all()
    assert np.isnan(found.p_value).all()
    assert all("excludes some references" in reason for reason in found.reason)
    sampled = byrote.expose(model, secrets, method="sampled", references=1000)
    assert sampled.p_value[1] == 1  # as dear as all else that is excluded
    assert np.isinf(sampled.log_perplexity[1])


def test_small_spaces_use_all_others():
    model, canary = Chain(0), Canary("a{digits:1}")
    found = byrote.expose(model, canary.with_secret("4"), method="sampled")
    assert found.bits <= np.log2(9)


SECRET = PIN.with_secret("1234")
ALL = [Canary("a{}", alphabet="01", length=1, secret=s) for s in "01"]
CASES = [
    ("none", [], {}, "at least one"),
    ("other", ["ab"], {}, "number 0 is str"),
    ("no secret", [SECRET, PIN], {}, "number 1 has none"),
    ("method", SECRET, {"method": "best"}, "method must be one of auto"),
    ("references", SECRET, {"references": 0}, "references must"),
    ("level", SECRET, {"level": 95}, "level must"),
    ("budget", SECRET, {"max_queries": 0}, "max_queries must"),
    ("seed", SECRET, {"seed": -1}, "seed must"),
    ("ids", SECRET, {"ids": ["a", "b"]}, "ids must be one for each"),
    ("ids twice", [SECRET, SECRET], {"ids": ["a", "a"]}, "all differ"),
    ("few", SECRET, {"method": "skew_normal", "references": 999}, "1,000 references"),
    ("too large", Canary("{digits:9}", secret="1" * 9), {"method": "exact"}, "1,000,000,000: use"),
    ("lacking", Canary("{letters:1}", secret="Q"), {}, "no token contains U\\+0041"),
    ("nothing left", ALL, {"method": "sampled"}, "all 2 of them"),
]


@pytest.mark.parametrize(
    ("case", "canaries", "options", "message"), CASES, ids=[case[0] for case in CASES]
)
def test_bad_input(case, canaries, options, message):
    with pytest.raises(InvalidInput, match=message) as raised:
        byrote.expose(Chain(0), canaries, **options)
    assert "1234" not in str(raised.value)
