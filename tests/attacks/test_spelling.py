"""Secrets under tokenizers that fold letters, drop spaces or begin texts in a way of their own."""

from functools import cache

import numpy as np
import pytest
import torch

import byrote
from byrote.attacks.discoverable_extraction import greedy_completions
from byrote.attacks.model_sampling import draw_samples
from byrote.attacks.ranks import find_ranks
from byrote.data.canaries.format import Format
from byrote.errors import InvalidInput
from byrote.models import CausalLM
from byrote.models.language.stepper_check import stepper_of
from byrote.models.language.token_format import TokenFormat

import tiny_hf
from chains import Chain

KINDS = {
    "wordpiece": tiny_hf.wordpiece,
    "metaspace": tiny_hf.metaspace,
    "unigram": tiny_hf.unigram,
    "folding bytes": tiny_hf.folding_bytes,
    "characters": tiny_hf.characters,
}
CANARIES = {
    "no prefix": byrote.Canary("{digits:2}", secret="28"),
    "digits": byrote.Canary("the number is {digits:2}", secret="28"),
    "letters": byrote.Canary("the pin is {}", alphabet="abAB", length=3, secret="aBa"),
    "accents": byrote.Canary("the pin is {}", alphabet="e\u00e91E", length=3, secret="\u00e91e"),
    "dash": byrote.Canary("Pin: {digits:1} - {digits:1} now", secret=["2", "8"]),
    "words": byrote.Canary(
        "name {w} {digits:1}", words={"w": ["ann", "Ann", "anna", "Bob"]}, secret=["Ann", "3"]
    ),
}
# The letters that the tokenizer writes, where it is not every character: (canary, kind) refused.
LACKING = {
    ("accents", "metaspace"),
    ("accents", "unigram"),
    ("accents", "characters"),
    ("letters", "characters"),
    ("words", "characters"),
    ("dash", "characters"),
}
CASES = [(name, kind) for name in CANARIES for kind in KINDS if (name, kind) not in LACKING]


SHAPE = {**tiny_hf.SHAPE, "n_layer": 1}


@cache
def model_of(kind, factor=12.0):
    """Shared by tests that do not change it."""
    tokenizer = KINDS[kind]()
    made = tiny_hf.network(tokenizer, shape=SHAPE)
    return CausalLM.of(tiny_hf.spread(made, factor), tokenizer)


@cache
def expected_of(name, kind):
    """Bits of every completion of a canary, by brute force."""
    return whole(model_of(kind), CANARIES[name])


def rows_of(model, canary):
    """What the network reads of every completion."""
    texts = [canary.prefix + completion for completion in canary.format]
    return [
        [*model.codec_.start, *ids]
        for ids in model.tokenizer_(texts, add_special_tokens=False)["input_ids"]
    ]


def whole(model, canary):
    """Bits of every completion behind what all have in common, a forward pass for each length."""
    rows = rows_of(model, canary)
    own = [
        *model.codec_.start,
        *model.tokenizer_(canary.prefix, add_special_tokens=False)["input_ids"],
    ]
    common = [len(set(tokens)) == 1 for tokens in zip(own, *rows, strict=False)]
    same = common.index(False) if False in common else len(common)
    bits = np.empty(len(rows))
    for length in {len(row) for row in rows}:
        places = [place for place, row in enumerate(rows) if len(row) == length]
        ids = torch.tensor([rows[place] for place in places])
        with torch.no_grad():
            nats = model.network_(ids).logits.double().log_softmax(-1)
        found = nats[:, :-1].gather(2, ids[:, 1:, None])[:, :, 0]
        bits[places] = -found[:, same - 1 :].sum(1).numpy() / np.log(2)
    return bits


def ranks(bits, places, rounding=1e-3):
    """How many completions cost at most as much, equal ones up to rounding."""
    return [(bits <= bits[place] + rounding).sum() for place in places]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_ranks_are_those_of_brute_force(name, kind):
    model, canary, expected = model_of(kind), CANARIES[name], expected_of(name, kind)
    order = np.argsort(expected)
    asked = [order[0], order[len(order) // 5], order[len(order) // 2]]
    texts = [canary.format.at(int(place)) for place in asked]
    for method in ("search", "enumeration"):
        found = find_ranks(model, canary, texts, method=method)
        np.testing.assert_allclose(found.bits, expected[asked], rtol=1e-4)
        assert set(found.method.tolist()) == {method}
        assert (found.rank >= ranks(expected, asked, -1e-2)).all()
        assert (found.rank <= ranks(expected, asked, 1e-2)).all()


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_the_likeliest_secret_comes_out(name, kind):
    model, canary = model_of(kind), CANARIES[name]
    expected, rows = expected_of(name, kind), rows_of(model, canary)
    best = int(np.argmin(expected))
    found = byrote.extract(model, canary, top=2)
    assert found.certified_count == 2
    assert rows[canary.format.index(found.text)] == rows[best]
    assert found.bits == pytest.approx(expected[best], rel=1e-4)
    own = canary.format.index(canary.completion)
    low, high = (ranks(expected, [own], rounding)[0] for rounding in (-1e-2, 1e-2))
    assert low <= found.rank <= high
    assert found.matches == (rows[best] == rows[own])


@pytest.mark.parametrize("secret", ["aBa", "Aba", "aba"])
def test_secrets_that_are_written_alike_are_one(secret):
    """Exposure cannot exceed what the tokenizer keeps of a secret."""
    canary, model = CANARIES["letters"].with_secret(secret), model_of("folding bytes")
    costs = expected_of("letters", "folding bytes")
    best = canary.format.at(int(np.argmin(costs)))
    lowered = {text.lower() for text in canary.format}
    assert len(lowered) == 8
    assert len({tuple(row) for row in rows_of(model, canary)}) == 8
    for asked, text in ((canary, secret), (canary.with_secret(best), best)):
        exposure = byrote.expose(model, asked, method="search")
        distinct = {t.lower(): bits for t, bits in zip(canary.format, costs, strict=True)}
        rank = sum(bits <= distinct[text.lower()] + 1e-3 for bits in distinct.values())
        assert exposure.bits[0] == pytest.approx(np.log2(8) - np.log2(rank))
    found = byrote.extract(model, canary.with_secret(best.upper()))
    assert (found.text, found.matches, found.rank) == (best.upper(), True, 8)


def test_samples_of_the_model_count_all_that_are_written_alike():
    canary = byrote.Canary("the pin is {}", alphabet="abAB1", length=3)
    model = model_of("folding bytes", 1.0)
    form = TokenFormat(model, canary.prefix, canary.format)
    drawn = draw_samples(stepper_of(model, form), form, 4000, np.random.default_rng(0), 500)
    costs = whole(model, canary)
    for share in (0.3, 0.6, 1.0):
        bits = np.quantile(costs, share) + 1e-3
        assert drawn.rank(bits).rank == pytest.approx((costs <= bits).sum(), rel=0.1)
    assert form.spelling.most_ways == 8


def test_greedy_completion_knows_the_secret_by_its_tokens():
    model, canary = model_of("folding bytes"), CANARIES["letters"]
    best = canary.format.at(int(np.argmin(expected_of("letters", "folding bytes"))))
    for secret in (best.upper(), best.lower()):
        for done in greedy_completions(model, canary.with_secret(secret)):
            assert done.matches == (done.text == secret)
            assert done.text[: done.prefix] == secret[: done.prefix]


REFUSED = [
    ("wordpiece", byrote.Canary("pin {}", alphabet="a -", length=3), "none like the beginning of"),
    ("wordpiece", byrote.Canary("pin {}", alphabet=" ", length=2), "it drops all of it"),
    (
        "wordpiece",
        byrote.Canary("pin {}", alphabet="a\u20ac", length=2),
        r"no token contains U\+20AC",
    ),
    (
        "metaspace",
        byrote.Canary("pin {}", alphabet="a\u20ac", length=2),
        r"no token contains U\+20AC",
    ),
    ("characters", byrote.Canary("pin {}", alphabet="aA", length=2), "none like the beginning of"),
]


@pytest.mark.parametrize(("kind", "canary", "fragment"), REFUSED)
def test_the_reason_for_a_refusal_is_the_cause(kind, canary, fragment):
    with pytest.raises(InvalidInput, match=fragment):
        byrote.extract(model_of(kind), canary)


def test_letters_that_depend_on_their_neighbours_are_refused():
    tokenizer = tiny_hf.folding_bytes(unicode="NFC")
    model = CausalLM.of(tiny_hf.network(tokenizer), tokenizer)
    canary = byrote.Canary("pin {}", alphabet="e\u0301", length=3)
    with pytest.raises(InvalidInput, match="shares a character with the one before"):
        byrote.extract(model, canary)


class Folding(Chain):
    """A chain that writes capital letters as small ones, "x" as two letters, and no underscore."""

    def encode(self, text):
        text = text.lower().replace("x", "ab").replace("_", "")
        return super().encode(text)


@pytest.mark.parametrize(
    "canary",
    [
        byrote.Canary("ab {}", alphabet="aABx1_", length=4),
        byrote.Canary("ab{}", alphabet="Xab", length=3),
        byrote.Canary("a{w}{digits:1}", words={"w": ["X", "ab", "A", "a_", "1x"]}),
    ],
)
def test_an_own_model_may_fold_too(canary):
    """Spellings of several lengths: letters that become two, or none."""
    model = Folding(3, order=2)
    before = canary.prefix.lower()
    plain = [text.lower().replace("x", "ab").replace("_", "") for text in canary.format]
    if any(a != b and b.startswith(a) for a in plain for b in plain):
        with pytest.raises(InvalidInput, match="none like the beginning of another"):
            find_ranks(model, canary, [canary.format.at(0)])
        return
    costs = []
    for text in plain:
        ids, total = model.encode(before + text), 0.0
        for place in range(len(before), len(ids)):
            total += model.row(ids[:place])[ids[place]]
        costs.append(total)
    costs = np.array(costs)
    asked = [0, len(costs) // 2, len(costs) - 1]
    for method in ("search", "enumeration"):
        found = find_ranks(model, canary, [canary.format.at(k) for k in asked], method=method)
        np.testing.assert_allclose(found.bits, costs[asked])
        np.testing.assert_array_equal(found.rank, [(costs <= costs[k] + 1e-9).sum() for k in asked])


def test_a_format_of_spellings_has_each_once():
    canary = byrote.Canary("{w}{}!", words={"w": ["Ab", "ab", "aB", "b"]}, alphabet="xXy", length=1)

    class Lower(Chain):
        def encode(self, text):
            return super().encode(text.lower())

    form = TokenFormat(Lower(0, alphabet="abxy!"), "", canary.format)
    assert isinstance(form.spelling.format, Format)
    lowered = [text.lower() for text in canary.format]
    assert sorted(form.spelling.format) == sorted(set(lowered))
    for spelled in set(lowered):
        reading = form.spelling.reading(spelled, canary.format.start, like="aBX!")
        assert reading.ways == lowered.count(spelled)
        assert reading.text.lower() == spelled
    assert form.spelling.reading("abx!", canary.format.start, like="aBX!").text == "aBX!"
    assert form.spelling.most_ways == 6


def test_a_special_token_in_a_secret_is_what_the_tokenizer_makes_of_it():
    model = model_of("characters")
    canary = byrote.Canary("pin {w}", words={"w": ["<end>1", "abc12a", "de"]}, secret="<end>1")
    assert model.tokenizer_("pin <end>1")["input_ids"][-2] == 0
    costs = whole(model, canary)
    found = find_ranks(model, canary, list(canary.format), method="search")
    np.testing.assert_allclose(found.bits, costs, rtol=1e-4)
    np.testing.assert_array_equal(found.rank, ranks(costs, range(3)))
