"""Ranks by every way against counting, with ties and within budgets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from byrote import Canary, InvalidInput
from byrote.attacks.extraction import extract
from byrote.attacks.model_sampling import draw_samples
from byrote.attacks.ranks import find_ranks
from byrote.models.language.agreement import stepper_of
from byrote.models.language.tokens import TokenFormat

from chains import (
    Chain,
    Jittery,
    Merging,
    OneString,
    Table,
    digit_table,
    known,
    plain_rank,
    plain_table,
)

CANARY = Canary("ab {digits:3}")
WORDS = Canary("a{w} {digits:2}", words={"w": ["0", "12", "a34", "a35 9", "777777"]})


@settings(max_examples=100)
@given(
    canary=st.sampled_from([CANARY, WORDS]),
    seed=st.integers(0, 4),
    tied=st.booleans(),
    merging=st.booleans(),
    method=st.sampled_from(["search", "enumeration"]),
    batch=st.sampled_from([1, 5, 256]),
    queries=st.sampled_from([1, 20, 60, 10**6]),
    frontier=st.sampled_from([3, 40, 10**6]),
    data=st.data(),
)
def test_exact_ranks_and_bounds(
    canary, seed, tied, merging, method, batch, queries, frontier, data
):
    model, table = known(Merging if merging else Chain, seed, tied, 1.0, canary)
    places = data.draw(st.lists(st.integers(0, canary.space_size - 1), min_size=1, max_size=6))
    texts = [canary.format.at(place) for place in places]
    limits = {"batch_size": batch, "max_queries": queries, "max_frontier": frontier}
    found = find_ranks(model, canary, texts, method=method, **limits)
    np.testing.assert_array_equal(found.bits, table[places])
    want = np.array([plain_rank(table, table[place]) for place in places])
    exact = found.method == method
    np.testing.assert_array_equal(found.rank[exact], want[exact])
    assert np.isnan(found.rank[~exact]).all()
    assert (found.low <= want).all()
    assert (want <= found.high).all()
    assert (found.low[exact] == found.high[exact]).all()
    if method == "enumeration" or queries == frontier == 10**6:
        assert exact.all()


def test_one_search_serves_all_and_stops_at_the_dearest():
    canary, model = Canary("ab {digits:6}"), Chain(2, sharp=4.0)
    model.stepper = lambda: Table(model)
    table = digit_table(model, canary.prefix, 6)
    order = np.argsort(table, kind="stable")
    places = order[[0, 9, 99, 999]]
    found = find_ranks(model, canary, [f"{place:06d}" for place in places], method="search")
    want = [plain_rank(table, table[place]) for place in places]
    assert found.rank.tolist() == want
    assert found.queries < 6500  # of 111,111
    all_of_it = find_ranks(model, canary, [f"{place:06d}" for place in places], method="auto")
    assert all_of_it.method.tolist() == ["search"] * 4


def test_auto_enumerates_where_that_is_cheap():
    canary, model = Canary("ab {digits:6}"), Chain(2)
    model.stepper = lambda: Table(model)
    table = digit_table(model, canary.prefix, 6)
    found = find_ranks(model, canary, ["123456", "654321"], max_queries=12_000)
    assert found.method.tolist() == ["enumeration"] * 2
    assert found.rank.tolist() == [plain_rank(table, table[place]) for place in (123456, 654321)]
    few = find_ranks(model, canary, ["123456", "654321"], max_queries=100)
    assert set(few.method.tolist()) <= {"model_sampled", ""}


def test_ties_count_against():
    model = Chain(0, tied=True)
    model.row = lambda ids: np.full(13, 4.0)
    found = find_ranks(model, CANARY, ["000", "999"], method="search")
    assert found.rank.tolist() == [1000, 1000]


def test_what_the_model_excludes_is_last():
    model = Chain(0)
    table = np.full(13, 4.0)
    table[model.encode("7")] = np.inf
    model.row = lambda ids: table
    for method in ("search", "enumeration", "auto"):
        found = find_ranks(model, CANARY, ["070", "111"], method=method)
        assert found.rank.tolist() == [1000, 729]
        assert found.bits.tolist() == [np.inf, 12]


def test_spaces_beyond_64_bits():
    secret = "2812650172812650172812650"
    model = OneString(secret, 0.5, other=2.0**-30)
    wrong = secret[:-1] + "9"
    found = find_ranks(model, Canary("{digits:25}"), [secret, wrong], method="search")
    assert found.method.tolist() == ["search"] * 2
    assert found.rank.tolist() == [1, 1 + 25 * 9]  # with all others that have one digit wrong
    far = find_ranks(model, Canary("{digits:25}"), ["0" * 25], max_queries=100, samples=10)
    assert far.low <= 10**25 - 1 <= far.high <= 10**25
    done = extract(model, Canary("{digits:25}", secret=wrong))
    assert (done.text, done.certified, done.rank, done.size) == (secret, True, 226, 10**25)


@pytest.mark.parametrize("method", ["search", "enumeration"])
def test_noisy_arithmetic_gets_no_exact_rank(method):
    """One path alone costs less than in a batch: nothing certain can be said of its rank."""
    canary, model = Canary("ab {digits:4}"), Chain(2)
    model.stepper = lambda: Jittery(model)
    found = find_ranks(model, canary, ["1234", "0770"], method=method)
    assert np.isnan(found.rank).all()
    assert (found.low >= 1).all()
    model.stepper = lambda: Table(model)
    assert find_ranks(model, canary, ["1234", "0770"], method=method).rank.min() >= 1


@pytest.mark.parametrize("merging", [False, True])
def test_intervals_of_model_sampling_cover(merging):
    canary = CANARY
    model = (Merging if merging else Chain)(4, order=2, sharp=2.0)
    form = TokenFormat(model, canary.prefix, canary.format)
    table = plain_table(model, canary, len(form.prefix_ids))
    places = np.argsort(table)[[2, 20, 100, 400, 900]]
    want = np.array([plain_rank(table, table[place]) for place in places])
    rounds, wrong, estimates = 150, np.zeros(5), []
    for seed in range(rounds):
        generator = np.random.default_rng(seed)
        drawn = draw_samples(stepper_of(model, form), form, 300, generator, 100)
        found = [drawn.rank(table[place], level=0.9) for place in places]
        wrong += [
            each.low > rank or each.high < rank for each, rank in zip(found, want, strict=True)
        ]
        estimates.append([drawn.weight[drawn.bits <= table[place]].sum() / 300 for place in places])
    assert (wrong / rounds < 0.14).all()  # 0.1 is due, sd 0.024
    mean, error = np.mean(estimates, axis=0), np.std(estimates, axis=0) / np.sqrt(rounds)
    assert (np.abs(mean - want) < 4 * error + 1e-9).all()
    assert not any(np.isnan(each.rank) for each in found[1:4])  # these are well supported


def test_model_sampling_is_seeded_and_refuses_what_it_cannot_see():
    model = Chain(4, order=2, sharp=2.0)
    table = plain_table(model, CANARY)
    places = np.argsort(table)[[-1, 0]]
    texts = [CANARY.format.at(int(place)) for place in places]
    one, two, other = (
        find_ranks(model, CANARY, texts, method="model_sampled", samples=500, seed=seed)
        for seed in (1, 1, 2)
    )
    assert one.rank[0] == two.rank[0] != other.rank[0]
    few = find_ranks(model, CANARY, texts, method="model_sampled", samples=10)
    assert np.isnan(few.rank).all()
    assert few.method.tolist() == ["", ""]


CASES = [
    ("method", {"method": "exact"}, "method must be one of auto"),
    ("budget", {"max_queries": 0}, "max_queries"),
    ("frontier", {"max_frontier": 0}, "max_frontier"),
    ("level", {"level": 1.0}, "level"),
    ("seed", {"seed": -1}, "seed"),
    ("samples", {"samples": 0}, "samples"),
]


@pytest.mark.parametrize(("case", "options", "message"), CASES, ids=[case[0] for case in CASES])
def test_bad_input(case, options, message):
    with pytest.raises(InvalidInput, match=message):
        find_ranks(Chain(0), CANARY, ["000"], **options)


def test_a_space_without_end_is_refused():
    with pytest.raises(InvalidInput, match=r"at most 2\^1000 completions; it has 2\^1030"):
        find_ranks(Chain(0), Canary("{digits:310}"), ["1" * 310])


def test_a_space_too_large_is_refused_with_its_size():
    with pytest.raises(InvalidInput, match="1,000,000,000: use"):
        find_ranks(Chain(0), Canary("{digits:9}"), ["123456789"], method="enumeration")
