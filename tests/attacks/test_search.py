"""Best-first search against brute force: certificates are never wrong, whatever the limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from byrote import Canary
from byrote.attacks.frontier import Frontier, Nodes
from byrote.attacks.search import Search
from byrote.models.language.stepper_check import stepper_of
from byrote.models.language.token_format import TokenFormat

from chains import Chain, Merging, OneString, known

CANARIES = [
    Canary("ab {digits:3}"),
    Canary("a{w} {digits:2}", words={"w": ["0", "12", "a34", "a35 9", "777777"]}),
    Canary("ab {digits:2}a{digits:1}b"),
]


def search_of(model, canary, **limits):
    limits = {"batch_size": 1, "max_queries": 10**6, "max_frontier": 10**6, "top": 1, **limits}
    form = TokenFormat(model, canary.prefix, canary.format)
    stepper = stepper_of(model, form)
    model.calls = 0  # those that tried the model are none of the search
    return Search(stepper, form, **limits)


@pytest.mark.parametrize(("n", "q", "calls"), [(9, 0.5, 225), (9, 0.3, 20_592), (6, 0.2, 4_596)])
def test_published_numbers_of_model_calls(n, q, calls):
    canary = Canary(f"{{digits:{n}}}", secret="281265017"[:n])
    model = OneString(canary.completion, q)
    search = search_of(model, canary)
    assert search.find_top()
    assert search.form.text(search.path(0)) == canary.completion
    assert search.queries == model.calls == calls
    np.testing.assert_allclose(search.best.cost, -n * np.log2(q))


LIMITS = st.fixed_dictionaries(
    {
        "batch_size": st.sampled_from([1, 2, 7, 256]),
        "max_queries": st.sampled_from([1, 10, 40, 10**6]),
        "max_frontier": st.sampled_from([1, 5, 30, 10**6]),
        "top": st.sampled_from([1, 2, 10, 5000]),
    }
)


@settings(max_examples=90)
@given(
    canary=st.sampled_from(CANARIES),
    seed=st.integers(0, 4),
    tied=st.booleans(),
    merging=st.booleans(),
    limits=LIMITS,
)
def test_what_is_certified_is_the_best_there_is(canary, seed, tied, merging, limits):
    model, table = known(Merging if merging else Chain, seed, tied, 3.0, canary)
    search = search_of(model, canary, **limits)
    sure = search.find_top()
    costs = search.best.cost
    certified = costs[costs <= search.certified]
    np.testing.assert_array_equal(certified, np.sort(table)[: len(certified)])
    if sure:
        assert len(certified) == len(costs) == min(limits["top"], len(table))
    if limits["max_queries"] == limits["max_frontier"] == 10**6:
        assert sure
    assert search.queries <= limits["max_queries"]
    for leaf, cost in enumerate(costs):
        assert table[canary.format.index(search.form.text(search.path(leaf)))] == cost
    texts = [search.form.text(search.path(leaf)) for leaf in range(len(costs))]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("batch", [1, 16])
def test_memory_is_bounded(batch):
    search = search_of(
        Chain(1, sharp=0.2), Canary("ab {digits:5}"), max_frontier=200, batch_size=batch
    )
    most = 0
    while search.queries < 3000 and len(search._frontier):
        search._advance(np.inf)
        assert len(search._frontier) <= 200
        waiting = search._cache._place[2]
        assert np.count_nonzero(waiting) <= len(search._frontier)
        most = max(most, len(search._cache) - batch)
    assert most <= 2 * 200  # states that nothing waits for are freed


@settings(max_examples=40)
@given(st.data())
def test_frontier_is_a_bounded_priority_queue(data):
    limit = data.draw(st.integers(1, 3000))
    frontier, held, dropped = Frontier(limit, 1), [], []
    for _ in range(data.draw(st.integers(1, 30))):
        n = data.draw(st.sampled_from([0, 1, 5, 700]))
        seed = data.draw(st.integers(0, 9))
        cost = np.random.default_rng(seed).integers(0, 50 if seed % 2 else 10**9, n) / 4.0
        gone = frontier.push(Nodes(cost, np.arange(n), np.arange(n)))
        held = sorted([*held, *cost.tolist()])
        kept = len(held) - len(gone)
        held, dropped = held[:kept], dropped + held[kept:]
        assert kept <= limit
        assert frontier.dropped == min(dropped, default=np.inf)
        most = data.draw(st.integers(1, 300))
        below = data.draw(st.sampled_from([np.inf, 5.0]))
        assert frontier.cheapest == (held[0] if held else np.inf)
        popped = frontier.pop(most, below).cost.tolist()
        front = [cost for cost in held if cost <= below][:most]
        assert popped == front[: len(popped)]
        assert popped or not front
        held = held[len(popped) :]
        assert len(frontier) == len(held)
