"""The exposure of canaries followed through a training by the library's own Trainer."""

import json

import numpy as np
import pytest
import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

import byrote
from byrote.errors import InvalidInput
from byrote.hf import ExposureCallback
from byrote.models import CausalLM

import tiny_hf

SECRET = "2812"
PLANTED = byrote.Canary("the random number is {digits:4}", secret=SECRET)
ABSENT = byrote.Canary("the random number is {digits:4}", secret="7304")
QUICK = {"method": "sampled", "references": 100}
REPORTED = "exposure/canary-0"


class Listener(TrainerCallback):
    """A reporter: comes before other callbacks, and gets every log."""

    def __init__(self):
        self.logs = []

    def on_log(self, args, state, control, logs=None, **more):
        self.logs.append((state.global_step, dict(logs)))


@pytest.fixture(scope="module")
def rows():
    tokenizer = tiny_hf.byte_level()
    texts = [PLANTED.filled, tiny_hf.TEXTS[0][:60]] * 8
    return [
        {"input_ids": (ids := tokenizer(text)["input_ids"][:8]), "labels": ids} for text in texts
    ]


def train(rows, folder, callback=None, **arguments):
    """A trainer after a training, and what its reporters heard."""
    tokenizer, listener = tiny_hf.byte_level(), Listener()
    options = {
        "num_train_epochs": 2,
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-2,
        "logging_steps": 2,
        "save_strategy": "no",
        "report_to": [],
        "use_cpu": True,
        "disable_tqdm": True,
        "seed": 5,
    }
    trainer = Trainer(
        tiny_hf.network(tokenizer),
        TrainingArguments(str(folder), **(options | arguments)),
        train_dataset=rows,
        eval_dataset=rows[:4],
        data_collator=together,
        callbacks=[listener, *([callback] if callback else [])],
    )
    trainer.train()
    return trainer, listener


def together(rows):
    """Rows of 8 tokens as one batch."""
    return {name: torch.tensor([row[name] for row in rows]) for name in ("input_ids", "labels")}


def follow(**options):
    return ExposureCallback([PLANTED, ABSENT], tokenizer=tiny_hf.byte_level(), **(QUICK | options))


def test_rows_hold_the_whole_canary(rows):
    assert tiny_hf.byte_level().decode(rows[0]["input_ids"]) == PLANTED.filled
    assert {len(row["input_ids"]) for row in rows} == {8}


@pytest.fixture(scope="module")
def followed(rows, tmp_path_factory):
    callback = follow(every=3)
    trainer, listener = train(rows, tmp_path_factory.mktemp("followed"), callback)
    return callback, trainer, listener


@pytest.fixture(scope="module")
def plain(rows, tmp_path_factory):
    return train(rows, tmp_path_factory.mktemp("plain"))


def test_training_is_the_same_bit_for_bit(followed, plain):
    weights, expected = followed[1].model.state_dict(), plain[0].model.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in expected.items())
    assert any(module.p > 0 for module in plain[0].model.modules() if hasattr(module, "p"))


def test_what_the_trainer_logs_is_the_same(followed, plain):
    def own(history):
        hidden = ("runtime", "per_second", "exposure")
        rows = [
            {key: value for key, value in row.items() if not any(word in key for word in hidden)}
            for row in history
        ]
        return [row for row in rows if set(row) - {"epoch", "step"}]

    assert own(followed[1].state.log_history) == own(plain[0].state.log_history)
    assert any("loss" in row for row in own(plain[0].state.log_history))


def test_exposures_are_in_the_history_and_reach_reporters(followed):
    callback, trainer, listener = followed
    logged = [row for row in trainer.state.log_history if REPORTED in row]
    assert [row["step"] for row in logged] == [3, 6, 8]  # every three, and the last
    heard = [(step, logs) for step, logs in listener.logs if REPORTED in logs]
    assert [step for step, _ in heard] == [3, 6, 8]
    assert [logs[REPORTED] for _, logs in heard] == [row[REPORTED] for row in logged]
    for row, (step, found) in zip(logged, callback.history, strict=True):
        assert row["step"] == step
        assert row[REPORTED], row["exposure/canary-1"] == tuple(found.bits)
        assert row["exposure/mean"] == pytest.approx(found.bits.mean())
        assert row["exposure/seconds"] >= 0
    assert logged[-1]["epoch"] == 2


def test_no_secret_is_logged(followed):
    _, trainer, listener = followed
    text = json.dumps([trainer.state.log_history, listener.logs])
    assert SECRET not in text
    assert "random number" not in text


def test_the_last_exposure_is_that_of_the_trained_model(followed):
    callback, trainer, _ = followed
    model = CausalLM.of(trainer.model, tiny_hf.byte_level())
    found = byrote.expose(model, [PLANTED, ABSENT], **QUICK)
    np.testing.assert_array_equal(found.bits, callback.history[-1][1].bits)


def test_measures_at_each_epoch_and_evaluation(rows, tmp_path):
    callback = follow()
    train(rows, tmp_path, callback, eval_strategy="steps", eval_steps=3)
    assert [step for step, _ in callback.history] == [3, 4, 6, 8]


def test_the_trainer_s_own_tokenizer_serves(rows, tmp_path):
    callback = ExposureCallback([PLANTED], max_queries=2000)
    with pytest.raises(InvalidInput, match="tokenizer must be given where the Trainer has no"):
        train(rows, tmp_path, callback)
    trainer, _ = train(rows, tmp_path, num_train_epochs=1)
    trainer.processing_class = trainer.callback_handler.processing_class = tiny_hf.byte_level()
    trainer.add_callback(callback)
    trainer.train()
    assert callback.history[-1][1].method.tolist() == ["search"]
    assert 1 <= callback.history[-1][1].rank[0] < 20


@pytest.mark.parametrize(
    ("canaries", "options", "fragment"),
    [
        ([], {}, "one or more byrote.Canary; got list"),
        (PLANTED, {}, "must be a sequence of one or more byrote.Canary; got Canary"),
        (["text"], {}, "one or more byrote.Canary"),
        ([PLANTED, byrote.Canary("a {digits:2}")], {}, "their secrets; number 1 has none"),
        ([PLANTED], {"every": 0}, "every must be an integer of at least 1; got 0"),
        ([PLANTED], {"seed": -1}, "seed must be an integer of at least 0; got -1"),
    ],
)
def test_bad_input_is_refused_when_it_is_made(canaries, options, fragment):
    with pytest.raises(InvalidInput, match=fragment):
        ExposureCallback(canaries, **options)


def test_called_by_no_trainer_it_says_so():
    with pytest.raises(InvalidInput, match="must be called by a transformers.Trainer; got none"):
        follow().on_train_begin(None, object(), None, model=None)


def test_it_is_found_without_an_import():
    assert byrote.hf.ExposureCallback is ExposureCallback


@pytest.mark.parametrize(
    ("arguments", "every", "steps"),
    [({"gradient_accumulation_steps": 2}, 2, [2, 4]), ({"bf16": True}, None, [4, 8])],
)
def test_other_ways_of_training_are_the_same_bit_for_bit_too(
    rows, tmp_path, arguments, every, steps
):
    """With a measurement every so many steps, or at each epoch."""
    callback = follow(every=every)
    with_it, _ = train(rows, tmp_path, callback, **arguments)
    without, _ = train(rows, tmp_path, **arguments)
    assert [step for step, _ in callback.history] == steps
    expected = without.model.state_dict()
    assert all(torch.equal(value, expected[k]) for k, value in with_it.model.state_dict().items())


def test_a_network_that_sees_what_follows_is_refused_before_training(rows, tmp_path):
    shape = {
        "model_type": "bert",
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }
    trainer = Trainer(
        tiny_hf.network(tiny_hf.byte_level(), shape=shape),
        TrainingArguments(str(tmp_path), report_to=[], use_cpu=True, disable_tqdm=True),
        train_dataset=rows,
        data_collator=together,
        callbacks=[follow()],
    )
    with pytest.raises(InvalidInput, match="is_decoder=True"):
        trainer.train()
    assert trainer.state.global_step == 0
