"""Steps are tried against whole prefixes before a rank or a certificate rests on them."""

import warnings

import numpy as np
import pytest
import torch

import byrote
from byrote.attacks.ranks import find_ranks
from byrote.errors import InvalidInput
from byrote.models import CausalLM
from byrote.models.language.steppers import Prefixes

import tiny_hf
from chains import Chain, plain_rank, plain_table
from languages import Ngram

BASE = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
}
HYBRID = {"mamba_d_state": 8, "mamba_d_conv": 4}
NETWORKS = {
    "llama": ({}, True),
    "jamba": (
        {"attn_layer_period": 2, "attn_layer_offset": 1, "expert_layer_period": 4}
        | {"use_mamba_kernels": False, "mamba_dt_rank": 4, "mamba_d_state": 8},
        False,
    ),
    "falcon_h1": (
        HYBRID
        | {"mamba_d_ssm": 64, "mamba_n_heads": 4, "mamba_d_head": 16}
        | {"num_hidden_layers": 1},  # each with attention and a state
        True,
    ),
    "mamba2": (
        {"num_heads": 4, "head_dim": 16, "state_size": 8, "n_groups": 1, "chunk_size": 8},
        True,
    ),
}
CANARY = byrote.Canary("the random number is {digits:2}", secret="28")


def network(kind):
    tokenizer = tiny_hf.characters()
    made = tiny_hf.network(tokenizer, shape={"model_type": kind, **BASE, **NETWORKS[kind][0]})
    return tiny_hf.spread(made, 6.0), tokenizer


def whole(made, tokenizer, canary):
    """Bits of every completion, each text read whole."""
    rows = [[0, *ids] for ids in tokenizer([canary.prefix + c for c in canary.format])["input_ids"]]
    before = 1 + len(canary.prefix)
    ids = torch.tensor(rows)
    with torch.no_grad():
        nats = made(ids, use_cache=False).logits.double().log_softmax(-1)
    return -nats[:, :-1].gather(2, ids[:, 1:, None])[:, before - 1 :, 0].sum(1).numpy() / np.log(2)


@pytest.mark.parametrize("kind", NETWORKS)
def test_ranks_and_certificates_are_of_this_network(kind):
    made, tokenizer = network(kind)
    bits = whole(made, tokenizer, CANARY)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        model = CausalLM.of(made, tokenizer)
        exposure = byrote.expose(model, CANARY, method="search")
        found = byrote.extract(model, CANARY)
    assert exposure.rank[0] == (bits <= bits[28] + 1e-3).sum()
    assert found.certified
    assert found.text == f"{bits.argmin():02d}"
    assert found.bits == pytest.approx(bits.min(), rel=1e-4)
    said = [str(warning.message) for warning in heard if "stepper" in str(warning.message)]
    if NETWORKS[kind][1]:
        assert not said
    elif said:  # a library in which it is mended needs no other way
        assert len(said) == 1  # once for a model, not for each question
        assert "prefixes are read whole" in said[0]


class Reader:
    """The steps of a chain, whose states are the tokens read."""

    def __init__(self, model):
        self.model = model

    def start(self, ids):
        return Prefixes([tuple(ids)]), np.array([self.model.row(ids)])

    def step(self, states, tokens):
        after = Prefixes([(*row, token) for row, token in zip(states.rows, tokens, strict=True)])
        return after, np.array([self.model.row(row) for row in after.rows])


class Mutable(Reader):
    """Reads into the states that it is given: a second continuation finds them changed."""

    def step(self, states, tokens):
        after, costs = super().step(states, tokens)
        states.rows[:] = after.rows
        return after, costs


class Leaning(Reader):
    """Each row leans on its neighbour."""

    def step(self, states, tokens):
        states, costs = super().step(states, tokens)
        return states, (costs + costs[::-1]) / 2


class Disordered(Reader):
    """Does not keep the order of states that are joined."""

    def step(self, states, tokens):
        lengths = [len(row) for row in states.rows]
        if len(set(lengths)) > 1:
            states = states.take(np.argsort(lengths, kind="stable"))
        return super().step(states, tokens)


class Forgetful(Reader):
    """Loses all but the last token where several come at once."""

    def step(self, states, tokens):
        if len(states.rows[0]) > 3:
            states = Prefixes([() for _ in states.rows])
        return super().step(states, tokens)


class Crowded(Reader):
    """Reads no more than four rows at once."""

    def step(self, states, tokens):
        after, costs = super().step(states, tokens)
        costs[4:] = costs[0]
        return after, costs


class Raising(Reader):
    def step(self, states, tokens):
        raise RuntimeError


FAULTY = [Mutable, Leaning, Disordered, Forgetful, Crowded, Raising]


def own(stepper):
    model = Chain(2, order=2)
    model.stepper = lambda: stepper(model)
    return model


@pytest.mark.parametrize("stepper", FAULTY)
def test_an_own_stepper_that_is_wrong_is_not_used(stepper):
    canary = byrote.Canary("ab {digits:3}", secret="281")
    model, table = own(stepper), plain_table(Chain(2, order=2), canary)
    with pytest.warns(UserWarning, match=r"the stepper of Chain .*: prefixes are read whole"):
        found = find_ranks(model, canary, ["281", "770"], method="search")
    assert found.rank.tolist() == [plain_rank(table, table[k]) for k in (281, 770)]
    best = byrote.extract(model, canary)  # and says nothing more
    assert (best.text, best.certified) == (canary.format.at(int(table.argmin())), True)


class Faulty(Ngram):
    """Learns, and steps wrongly."""

    def stepper(self):
        self.row = lambda ids: -np.log2(np.exp(self.next_log_probs([list(ids)])[0]))
        return Leaning(self)


def test_a_run_says_so_once():
    ask = {"insertions": [2], "canaries_per_level": 1, "controls": 1, "references": 20, "fits": 2}
    text, canary = ["the cat sat on the mat\n" * 40], byrote.Canary("my pin is {digits:3}")
    with pytest.warns(UserWarning, match="fits warned") as heard:
        run = byrote.score_exposure(Faulty(), text, canary, **ask)
    assert [str(warning.message) for warning in heard] == [
        "2 of 2 fits warned: the stepper of Faulty gives other costs than whole prefixes do:"
        " prefixes are read whole instead, which is correct but slower"
    ]
    right = byrote.score_exposure(Ngram(), text, canary, **ask)
    np.testing.assert_allclose(run.exposure.rank, right.exposure.rank)


def test_another_fit_is_another_model():
    canary = byrote.Canary("ab {digits:2}", secret="28")
    model = own(Raising)
    for _ in range(2):
        model.weights_ = object()  # as fit leaves them
        with pytest.warns(UserWarning, match="raises RuntimeError"):
            find_ranks(model, canary, ["28"])
        find_ranks(model, canary, ["28"])


def test_a_longer_prefix_is_tried_anew():
    class Short(Reader):
        """Right up to eight tokens."""

        def start(self, ids):
            states, costs = super().start(ids)
            return states, costs if len(ids) < 8 else costs[:, ::-1]

    model = own(Short)
    find_ranks(model, byrote.Canary("ab {digits:3}"), ["281"])
    with pytest.warns(UserWarning, match="other costs than whole prefixes"):
        find_ranks(model, byrote.Canary("ab ab ab ab {digits:3}"), ["281"])


@pytest.mark.parametrize("stepper", [Reader, Mutable])
def test_a_model_of_steps_alone_is_held_to_its_beginnings(stepper):
    class Steps:
        """No ``next_log_probs``."""

        def __init__(self):
            chain = Chain(2, order=2)
            self.encode, self.decode = chain.encode, chain.decode
            self.token_strings, self.stepper = chain.token_strings, lambda: stepper(chain)

    canary = byrote.Canary("ab {digits:2}", secret="28")
    table = plain_table(Chain(2, order=2), canary)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        found = byrote.extract(Steps(), canary)
    assert (found.text, found.rank) == (f"{table.argmin():02d}", plain_rank(table, table[28]))
    assert bool(heard) == (stepper is Mutable)


class Batched(Chain):
    """What follows a prefix depends on what is read beside it."""

    def next_log_probs(self, prefixes):
        return super().next_log_probs(prefixes) - (0.5 if len(prefixes) > 2 else 0.0)


def test_probabilities_that_depend_on_the_batch_are_refused():
    with pytest.raises(InvalidInput, match="in any batch; those of Batched change"):
        byrote.extract(Batched(0), byrote.Canary("ab {digits:3}"))


def test_steps_that_are_right_are_used():
    model, counted = Chain(2, order=2), []

    class Counting(Reader):
        def step(self, states, tokens):
            counted.append(len(tokens))
            return super().step(states, tokens)

    model.stepper = lambda: Counting(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        byrote.extract(model, byrote.Canary("ab {digits:3}"))
    whole_prefixes = model.calls
    byrote.extract(model, byrote.Canary("ab {digits:3}"))
    assert model.calls == whole_prefixes  # tried once
    assert sum(counted) > 20
