"""Causal networks of the Hugging Face library, against the library's own forward pass."""

import numpy as np
import pytest
import torch
from sklearn.base import clone

from byrote.models import CausalLM

import tiny_hf
from tiny_hf import NUMBERS, SHAPE, TEXTS

LINES = ["the random number is 281265017", "é", "", "a b", "with statement\n" * 4, "ß€ 12"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_hf.saved(tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="module")
def wrapped():
    tokenizer = tiny_hf.byte_level()
    return CausalLM.of(tiny_hf.spread(tiny_hf.network(tokenizer)), tokenizer)


def plain_nats(network, ids, first=1):
    """Log-probabilities of ids[first:] by one plain forward pass over a single text."""
    if len(ids) <= first:
        return 0.0
    with torch.no_grad():
        logits = network(torch.tensor([ids[:-1]])).logits[0].double()
    nats = logits.log_softmax(-1)
    return sum(float(nats[at - 1, ids[at]]) for at in range(first, len(ids)))


def test_scores_are_those_of_a_plain_forward_pass(wrapped):
    start = [wrapped.tokenizer_.eos_token_id]
    expected = [plain_nats(wrapped.network_, start + wrapped.encode(line)) for line in LINES]
    np.testing.assert_allclose(wrapped.score_samples(LINES), expected, rtol=1e-5)
    assert expected[2] == 0 > max(expected[:2])


def test_loss_is_the_mean_over_tokens(wrapped):
    tokens = sum(len(wrapped.encode(line)) for line in LINES)
    assert wrapped.loss(LINES) == pytest.approx(-wrapped.score_samples(LINES).sum() / tokens)


def test_long_texts_are_scored_in_overlapping_pieces(wrapped):
    text = TEXTS[0][:900]
    ids = [wrapped.tokenizer_.eos_token_id, *wrapped.encode(text)]
    context = SHAPE["n_positions"]
    assert len(ids) > 2 * context
    expected, end = plain_nats(wrapped.network_, ids[: context + 1]), context + 1
    while end < len(ids):
        last = min(end + context // 2, len(ids))
        part = ids[last - context - 1 : last]
        expected += plain_nats(wrapped.network_, part, first=len(part) - (last - end))
        end = last
    assert wrapped.score_samples([text])[0] == pytest.approx(expected, rel=1e-5)


def test_padding_and_company_change_no_score(wrapped):
    texts = [TEXTS[1][:n] for n in (3, 40, 41, 200)]
    alone = [wrapped.score_samples([text])[0] for text in texts]
    np.testing.assert_allclose(wrapped.score_samples(texts), alone, rtol=1e-5)


def test_without_a_token_to_begin_with_texts_are_scored_from_the_second():
    tokenizer = tiny_hf.byte_level(special=False)
    model = CausalLM.of(tiny_hf.spread(tiny_hf.network(tokenizer)), tokenizer)
    ids = model.encode("the cat")
    assert model.score_samples(["the cat"])[0] == pytest.approx(
        plain_nats(model.network_, ids), rel=1e-5
    )
    assert model.loss(["the cat"]) == pytest.approx(
        -plain_nats(model.network_, ids) / (len(ids) - 1), rel=1e-5
    )


def test_next_log_probs_are_those_of_a_plain_forward_pass(wrapped):
    prefixes = [wrapped.encode(line) for line in LINES]
    found = wrapped.next_log_probs(prefixes)
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1)
    for prefix, nats in zip(prefixes, found, strict=True):
        ids = torch.tensor([[wrapped.tokenizer_.eos_token_id, *prefix]])
        with torch.no_grad():
            expected = wrapped.network_(ids).logits[0, -1].double().log_softmax(-1)
        np.testing.assert_allclose(nats, expected, rtol=1e-4, atol=1e-5)


def test_asking_changes_neither_mode_nor_generators(wrapped):
    wrapped.network_.train()
    wrapped.network_.transformer.h[0].eval()
    modes = [module.training for module in wrapped.network_.modules()]
    before = torch.get_rng_state()
    first = wrapped.score_samples(LINES)
    wrapped.stepper().start([5])
    assert [module.training for module in wrapped.network_.modules()] == modes
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(wrapped.score_samples(LINES), first)  # no dropout
    wrapped.network_.eval()


@pytest.fixture(scope="module")
def scratch(folder):
    model = CausalLM(
        config=SHAPE, tokenizer=folder, epochs=6, batch_size=2, window=32, learning_rate=4e-3
    )
    return model.fit(NUMBERS[:30])


def test_training_from_scratch_lowers_the_loss(scratch):
    assert len(scratch.losses_) == 6
    assert scratch.losses_[-1] < 0.6 * scratch.losses_[0] < 0.7 * np.log(400)
    assert scratch.loss(NUMBERS[:30]) < scratch.loss([TEXTS[0]])


def test_the_same_seed_trains_the_same_weights(scratch, folder):
    again = clone(scratch).fit(NUMBERS[:30], on_epoch=lambda k, losses: torch.rand(1))
    for name, value in scratch.get_weights().items():
        np.testing.assert_array_equal(again.get_weights()[name], value)
    other = clone(scratch).set_params(random_state=1, epochs=1).fit(NUMBERS[:30])
    assert other.losses_[0] != scratch.losses_[0]


def test_one_step_is_the_library_s_loss_and_pytorch_s_adamw(folder):
    text = NUMBERS[0] * 3
    shape = {**SHAPE, "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    model = CausalLM(
        config=shape, tokenizer=folder, window=64, learning_rate=1e-2, weight_decay=0.1
    ).fit([text])
    network = tiny_hf.network(model.tokenizer_, shape=shape).train()
    end = model.tokenizer_.eos_token_id
    ids = torch.tensor([[end, *model.encode(text), end]])
    loss = network(ids, labels=ids).loss
    assert model.losses_ == [pytest.approx(loss.item(), rel=1e-5)]
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    assert norm > 1  # so that clipping matters
    torch.optim.AdamW(
        [
            {"params": [w for w in network.parameters() if w.ndim > 1], "weight_decay": 0.1},
            {"params": [w for w in network.parameters() if w.ndim == 1], "weight_decay": 0.0},
        ],
        lr=1e-2,
    ).step()
    after = dict(network.named_parameters())
    for name, value in model.network_.named_parameters():
        close = torch.isclose(value, after[name], atol=2e-5)
        assert close.float().mean() > 0.99, name  # Adam's first step is a sign: zeros may differ


@pytest.mark.parametrize("special", [True, False])
def test_reports_come_when_they_should_with_the_mean_since_the_last(tmp_path, special):
    texts = NUMBERS[:6]
    tiny_hf.saved(tmp_path, special=special)
    base = CausalLM(tmp_path, epochs=2, batch_size=2, window=12, shuffle=False, report_every=1)
    single = clone(base).fit(texts)
    tokens = sum(len(single.encode(text)) + special for text in texts) - (not special)
    counts = [min(24, tokens - at) for at in range(0, tokens, 24)]
    assert base.batches(texts) == len(counts) >= 2
    assert len(single.losses_) == 2 * len(counts)
    weights, total = 2 * counts, 2 * len(counts)
    for every in (None, 2, 3, 100):
        seen = []
        model = clone(base).set_params(report_every=every)
        model.fit(texts, on_epoch=lambda k, losses, s=seen: s.append((k, losses["train"])))
        size = every or len(counts)
        parts = [range(at, min(at + size, total)) for at in range(0, total, size)]
        expected = [
            np.average([single.losses_[b] for b in part], weights=[weights[b] for b in part])
            for part in parts
        ]
        assert [k for k, _ in seen] == list(range(1, len(parts) + 1)), every
        assert [loss for _, loss in seen] == pytest.approx(expected), every
        assert model.losses_ == [loss for _, loss in seen]
        assert model.reports(texts) == len(parts), every


def test_a_report_may_score_without_changing_what_follows(folder):
    base = CausalLM(folder, epochs=2, window=16, learning_rate=1e-3)
    scores = []
    model = clone(base)
    model.fit(NUMBERS[:9], on_epoch=lambda k, _: scores.append(model.score_samples(NUMBERS[:2])))
    plain = clone(base).fit(NUMBERS[:9])
    for name, value in plain.get_weights().items():
        np.testing.assert_array_equal(model.get_weights()[name], value)
    assert scores[0].sum() < scores[1].sum()
    np.testing.assert_array_equal(scores[1], plain.score_samples(NUMBERS[:2]))


def test_windows_in_order_or_shuffled(folder):
    base = CausalLM(folder, window=8, batch_size=1, report_every=1)
    texts = [NUMBERS[0], TEXTS[0][:90]]
    ordered = clone(base).set_params(shuffle=False).fit(texts).losses_
    shuffled = clone(base).fit(texts).losses_
    assert len(ordered) == len(shuffled) >= 4
    assert ordered != shuffled
    untrained = CausalLM.of(transformers_model(folder), folder)
    end = untrained.tokenizer_.eos_token_id
    first = [end, *untrained.encode(NUMBERS[0])][:9]
    assert ordered[0] == pytest.approx(-plain_nats(untrained.network_, first) / 8, rel=0.1)


def transformers_model(folder):
    return tiny_hf.transformers.AutoModelForCausalLM.from_pretrained(folder)


def test_fine_tuning_starts_from_the_trained_weights(folder, scratch, tmp_path):
    scratch.network_.save_pretrained(tmp_path)
    scratch.tokenizer_.save_pretrained(tmp_path)
    tuned = CausalLM(tmp_path, window=32).fit(NUMBERS[:30])
    assert tuned.losses_[0] < scratch.losses_[0]
    assert tuned.losses_[0] == pytest.approx(scratch.losses_[-1], rel=0.2)


@pytest.mark.parametrize("how", ["path", "config"])
def test_weights_go_out_and_back(folder, how):
    options = {"path": folder} if how == "path" else {"config": SHAPE, "tokenizer": folder}
    model = CausalLM(**options, window=16, learning_rate=1e-2).fit(NUMBERS[:5])
    weights = model.get_weights()
    assert "lm_head.weight" not in weights or "transformer.wte.weight" not in weights  # are one
    back = clone(model).set_weights(weights)
    np.testing.assert_array_equal(back.score_samples(LINES), model.score_samples(LINES))
    weights["transformer.ln_f.bias"][:] = 7  # copies
    assert model.network_.transformer.ln_f.bias.max().item() < 7


def test_size_counts_tied_weights_once(scratch):
    import lzma

    arrays = scratch.get_weights().values()
    size = scratch.size
    assert size["parameters"] == sum(array.size for array in arrays) < 10**6
    assert size["bytes"] == 4 * size["parameters"]
    content = b"".join(array.tobytes() for array in arrays)
    assert size["compressed"] == pytest.approx(len(lzma.compress(content, preset=1)), rel=0.01)


def test_untied_weights_go_out_and_back(folder):
    shape = {**SHAPE, "tie_word_embeddings": False}
    model = CausalLM(config=shape, tokenizer=folder, window=16, learning_rate=1e-2)
    weights = model.fit(NUMBERS[:5]).get_weights()
    assert {"lm_head.weight", "transformer.wte.weight"} <= set(weights)
    back = clone(model).set_weights(weights)
    np.testing.assert_array_equal(back.score_samples(LINES), model.score_samples(LINES))


@pytest.mark.parametrize(
    ("change", "fragment"),
    [
        (lambda w: w.pop("transformer.ln_f.bias"), "the entry 'transformer.ln_f.bias' is missing"),
        (lambda w: w.update(more=np.zeros(2)), "the entry 'more' is unknown"),
        (lambda w: w.update({"transformer.ln_f.bias": np.zeros(3)}), r"shape \(48,\), got float64"),
    ],
)
def test_weights_of_another_model_are_refused(scratch, change, fragment):
    weights = scratch.get_weights()
    change(weights)
    with pytest.raises(ValueError, match=fragment):
        clone(scratch).set_weights(weights)
