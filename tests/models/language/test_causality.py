"""Networks that see what follows are refused, before training and where they are wrapped."""

import numpy as np
import pytest
import torch

import byrote
from byrote.errors import InvalidInput
from byrote.models import CausalLM
from byrote.models.language.causal import pretrained

import tiny_hf
from chains import Chain

SHAPE = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
}
XLNET = {"d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 48}
TWO_SIDED = {
    "bert": SHAPE,
    "roberta": SHAPE,
    "electra": SHAPE | {"embedding_size": 32},
    "xlnet": XLNET,
}
CAUSAL = {
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64},
    "bert": SHAPE | {"is_decoder": True},
    "mamba": {"hidden_size": 32, "num_hidden_layers": 2},
    "mixtral": SHAPE | {"num_key_value_heads": 2, "num_local_experts": 4},
}


@pytest.mark.parametrize("factor", [1.0, 6.0])
@pytest.mark.parametrize("kind", TWO_SIDED)
def test_networks_that_see_later_tokens_are_refused(kind, factor):
    tokenizer = tiny_hf.byte_level()
    made = tiny_hf.network(tokenizer, shape={"model_type": kind, **TWO_SIDED[kind]})
    with pytest.raises(InvalidInput, match=r"later tokens\s+change the probabilities"):
        CausalLM.of(tiny_hf.spread(made, factor), tokenizer)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", CAUSAL)
def test_rounding_is_no_reason_to_refuse(kind, dtype):
    tokenizer = tiny_hf.byte_level()
    made = tiny_hf.network(tokenizer, shape={"model_type": kind, **CAUSAL[kind]})
    CausalLM.of(tiny_hf.spread(made, 4.0).to(dtype), tokenizer)


def test_the_refusal_comes_before_training(tmp_path):
    tiny_hf.byte_level().save_pretrained(tmp_path)
    model = CausalLM(
        config={"model_type": "bert", **SHAPE}, tokenizer=tmp_path, window=16, report_every=1
    )
    reports = []
    with pytest.raises(InvalidInput, match="is_decoder=True"):
        model.fit(tiny_hf.NUMBERS[:9], on_epoch=lambda k, losses: reports.append(k))
    assert not reports
    with pytest.raises(InvalidInput, match="is_decoder=True"):
        byrote.score_exposure(
            model, tiny_hf.NUMBERS, byrote.Canary("my pin is {digits:3}"), insertions=[1],
            canaries_per_level=1, controls=1, references=5,
        )  # fmt: skip


def test_random_digits_cost_what_they_must(tmp_path):
    """No causal model can expect less than ln 10 nats of a digit that is drawn uniformly."""
    tiny_hf.characters().save_pretrained(tmp_path)
    draw = np.random.default_rng(0)
    text, unseen = ("".join(map(str, draw.integers(0, 10, n))) for n in (2000, 300))
    model = CausalLM(
        config={"model_type": "bert", **SHAPE, "is_decoder": True},
        tokenizer=tmp_path, window=16, epochs=4, learning_rate=3e-3,
    ).fit([text])  # fmt: skip
    assert model.loss([unseen[at : at + 15] for at in range(0, 300, 15)]) > 2.28
    ids = model.encode(unseen[:12])
    chain = sum(model.next_log_probs([ids[:k]])[0, token] for k, token in enumerate(ids))
    assert chain == pytest.approx(model.score_samples([unseen[:12]])[0], rel=1e-4)


def test_weights_that_hide_it_at_first_are_looked_at_after_training(tmp_path, monkeypatch):
    make = pretrained.untrained_network

    def without_attention(*given):
        made = make(*given)
        with torch.no_grad():
            for name, weight in made.named_parameters():
                if "attention.output.dense" in name:
                    weight.zero_()
        return made

    monkeypatch.setattr(pretrained, "untrained_network", without_attention)
    tiny_hf.byte_level().save_pretrained(tmp_path)
    model = CausalLM(
        config={"model_type": "bert", **SHAPE},
        tokenizer=tmp_path, window=16, epochs=3, learning_rate=1e-2,
    )  # fmt: skip
    reports = []
    with pytest.raises(InvalidInput, match="is_decoder=True"):
        model.fit(tiny_hf.NUMBERS[:40], on_epoch=lambda k, losses: reports.append(k))
    assert reports == [1, 2, 3]


def test_probabilities_that_depend_on_the_length_are_refused():
    tokenizer = tiny_hf.byte_level()
    made = tiny_hf.spread(tiny_hf.network(tokenizer))
    forward = made.forward

    def longer_is_flatter(input_ids, **more):
        output = forward(input_ids=input_ids, **more)
        output.logits = output.logits / (1 + 0.01 * input_ids.shape[1])
        return output

    made.forward = longer_is_flatter
    with pytest.raises(InvalidInput, match="change with the length of what follows"):
        CausalLM.of(made, tokenizer)


def test_a_network_that_wants_more_than_tokens_is_refused():
    tokenizer = tiny_hf.byte_level()
    made = tiny_hf.network(tokenizer)

    def forward(pixels, **more):
        raise AssertionError

    made.forward = forward
    with pytest.raises(InvalidInput, match="from tokens alone; GPT2LMHeadModel raises TypeError"):
        CausalLM.of(made, tokenizer)


class Boastful(Chain):
    """Gives texts log-likelihoods that its next tokens cannot reach, as who sees what follows."""

    def score_samples(self, texts):
        return np.array([-0.1 * len(text) for text in texts])


class Modest(Chain):
    """Gives those of its next tokens, and of an end."""

    def score_samples(self, texts):
        ids = [self.encode(text) for text in texts]
        rows = [[self.row(row[:k])[token] for k, token in enumerate(row)] for row in ids]
        return -np.log(2) * (np.array([sum(row) for row in rows]) + 3.0)


@pytest.mark.parametrize("ask", [byrote.extract, byrote.expose])
def test_an_own_model_is_held_to_its_next_tokens(ask):
    canary = byrote.Canary("ab {digits:3}", secret="281")
    with pytest.raises(InvalidInput, match=r"bits by score_samples, .* or more by next_log_probs"):
        ask(Boastful(0, order=2), canary)
    ask(Modest(0, order=2), canary)
