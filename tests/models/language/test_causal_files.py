"""Causal networks from files of this machine: what is read, what is refused, what they are."""

import json
import os

import pytest
import torch
from sklearn.base import clone

from byrote.errors import InvalidInput, MissingExtra
from byrote.models import CausalLM, contract, extras, identity, registry

import tiny_hf
from tiny_hf import NUMBERS, SHAPE


@pytest.fixture
def folder(tmp_path):
    return tiny_hf.saved(tmp_path / "model")


def without(*names):
    def change(folder):
        for name in names:
            (folder / name).unlink()

    return change


def pickled(folder):
    weights = folder / "model.safetensors"
    weights.rename(folder / "pytorch_model.bin")


def with_code(folder):
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoModelForCausalLM": "own.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text(f"open({str(folder / 'was_run')!r}, 'w')")


def damaged(folder):
    (folder / "model.safetensors").write_bytes(b"no weights")


REFUSED = [
    ("pickle", pickled, {}, "has only a pickle, pytorch_model.bin, and pickles are never"),
    ("no weights", without("model.safetensors"), {}, "weights as safetensors; .* has no such file"),
    ("no config", without("config.json"), {}, "a folder with config.json; .* has none"),
    ("no tokenizer", without("tokenizer.json", "tokenizer_config.json"), {}, "tokenizer must be a"),
    ("own code", with_code, {}, "transformers cannot load"),
    ("damaged", damaged, {}, "path: transformers cannot load .*model"),
    ("hub", None, {"path": "gpt2"}, "tokenizer must be a folder on this machine"),
    ("hub, tokenizer", None, {"path": "gpt2", "tokenizer": ...}, "nothing is fetched from a hub"),
    ("both", None, {"config": SHAPE}, "to train from scratch; got both"),
    ("neither", None, {"path": None}, "got neither"),
    ("no type", None, {"path": None, "config": {"n_embd": 4}}, "as model_type; got None"),
    ("type", None, {"path": None, "config": {"model_type": "gpt-9"}}, "model_type; got 'gpt-9'"),
    ("config file", None, {"path": None, "config": "none.json"}, "config must be a mapping, or"),
    (
        "small vocabulary",
        None,
        {"path": None, "config": {**SHAPE, "vocab_size": 300}},
        "vocab_size of at least the tokenizer's 400; got 300",
    ),
    ("impossible", None, {"path": None, "config": {**SHAPE, "n_head": 5}}, "transformers cannot"),
    ("epochs", None, {"epochs": 0}, "epochs must be an integer of at least 1; got 0"),
    ("window", None, {"window": 1000}, "window must be at most 96, .* reads; got 1000"),
    ("rate", None, {"learning_rate": 0}, "learning_rate must be a number above 0; got 0"),
    ("decay", None, {"weight_decay": -1}, "weight_decay must be a number of at least 0; got -1"),
    ("every", None, {"report_every": 0}, "report_every must be an integer of at least 1"),
    ("shuffle", None, {"shuffle": 1}, "shuffle must be True or False; got 1"),
    ("seed", None, {"random_state": None}, "random_state must be an integer of at least 0"),
]


@pytest.mark.parametrize(
    ("change", "options", "fragment"), [case[1:] for case in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_refused_in_a_sentence(folder, change, options, fragment):
    if change is not None:
        change(folder)
    options = {"path": folder, "tokenizer": None, "window": 16} | options
    if "config" in options or options["tokenizer"] is ...:
        options["tokenizer"] = folder
    with pytest.raises(InvalidInput, match=fragment):
        CausalLM(**options).fit(NUMBERS[:2])
    assert not (folder / "was_run").exists()


@pytest.mark.parametrize(
    ("texts", "fragment"),
    [
        ("a text", "X must be a list of texts; got str"),
        ([b"bytes"], "item 0 is bytes"),
        (["a", None], "item 1 is NoneType"),
        (3, "X must be a list of texts; got int"),
        ([], "X must hold texts of two tokens or more in all; got 0"),
    ],
)
def test_what_is_no_text_is_refused(folder, texts, fragment):
    with pytest.raises(InvalidInput, match=fragment):
        CausalLM(folder, window=16).fit(texts)


def test_how_many_reports_is_asked_of_texts(folder):
    assert CausalLM(folder, epochs=7).reports(NUMBERS[:2]) == 7
    with pytest.raises(InvalidInput, match="X must be a list of texts; got int"):
        CausalLM(folder, report_every=7).reports(5_000)


def test_files_are_part_of_what_model_it_is(folder, tmp_path):
    model = CausalLM(folder)
    before = identity.file_hashes(model)
    assert set(before) == {"path"}
    assert identity.file_hashes(clone(model)) == before
    (folder / "README.md").write_text("of no consequence")
    (folder / "optimizer.pt").write_bytes(b"nor this")
    assert identity.file_hashes(model) == before
    copy = tiny_hf.saved(tmp_path / "copy")
    assert identity.file_hashes(CausalLM(copy)) == before
    tiny_hf.network(tiny_hf.byte_level(), seed=1).save_pretrained(folder)  # another checkpoint
    after = identity.file_hashes(model)
    assert after != before
    (folder / "tokenizer_config.json").write_text("{}")
    assert identity.file_hashes(model) != after
    scratch = CausalLM(config=str(copy / "config.json"), tokenizer=copy)
    assert set(identity.file_hashes(scratch)) == {"config", "tokenizer"}
    assert identity.file_hashes(CausalLM(config=SHAPE)) == {}


def test_a_configuration_may_be_a_file(folder):
    by_file = CausalLM(config=str(folder / "config.json"), window=16)
    assert by_file.fit(NUMBERS[:2]).network_.config.n_embd == SHAPE["n_embd"]
    assert CausalLM(config=folder, window=16).batches(NUMBERS[:2]) == 1


def test_parameters_are_plain_data(folder):
    model = CausalLM(config=SHAPE, tokenizer=str(folder))
    kept = json.loads(json.dumps(identity.parameters(model)))
    again = CausalLM(**kept)
    assert identity.parameters(again) == identity.parameters(model)
    contract.check_model(model)


def test_the_command_line_finds_it_by_path(folder):
    model = registry.build(f"hf:{folder}", {"epochs": 3})
    assert isinstance(model, CausalLM)
    assert (model.path, model.epochs) == (str(folder), 3)
    with pytest.raises(InvalidInput, match="hf: needs the folder of a model"):
        registry.build("hf:", {})
    with pytest.raises(InvalidInput, match="--set epoch is not a parameter of hf:.*, did you mean"):
        registry.build(f"hf:{folder}", {"epoch": 3})


def test_without_the_library_the_line_that_installs_it_is_named(folder, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'byrote\[hf\]'"):
        CausalLM(folder).fit(NUMBERS[:2])


def test_no_network_and_the_user_s_settings_put_back(folder, monkeypatch):
    import huggingface_hub

    logging = tiny_hf.transformers.utils.logging
    seen = []

    def load(*args, **more):
        offline = huggingface_hub.constants.is_offline_mode()
        seen.append((offline, os.environ["HF_HUB_OFFLINE"], more["trust_remote_code"]))
        return tiny_hf.byte_level()

    monkeypatch.setattr(tiny_hf.transformers.AutoTokenizer, "from_pretrained", load)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    logging.enable_progress_bar()
    CausalLM(folder).batches(NUMBERS[:2])
    assert seen == [(True, "1", False)]
    assert not huggingface_hub.constants.is_offline_mode()
    assert "HF_HUB_OFFLINE" not in os.environ
    assert logging.is_progress_bar_enabled()


def test_nothing_is_written_to_the_terminal(folder, capfd):
    CausalLM(folder, window=16).fit(NUMBERS[:2]).score_samples(NUMBERS[:2])
    CausalLM(config=SHAPE, tokenizer=folder, window=16).fit(NUMBERS[:2])
    assert capfd.readouterr() == ("", "")


def test_weights_are_read_in_single_precision(folder):
    half = tiny_hf.network(tiny_hf.byte_level()).to(torch.bfloat16)
    half.save_pretrained(folder)
    model = CausalLM(folder, window=16).fit(NUMBERS[:2])
    assert {weight.dtype for weight in model.network_.parameters()} == {torch.float32}
    again = clone(model).set_weights(model.get_weights())
    assert (again.score_samples(NUMBERS) == model.score_samples(NUMBERS)).all()


def test_a_wrapped_model_of_half_precision_is_used_as_it_is():
    tokenizer = tiny_hf.byte_level()
    half = tiny_hf.network(tokenizer).to(torch.bfloat16)
    model = CausalLM.of(half, tokenizer)
    full = CausalLM.of(tiny_hf.network(tokenizer), tokenizer)
    assert model.score_samples(NUMBERS[:2]) == pytest.approx(full.score_samples(NUMBERS[:2]), 0.01)
    assert half.dtype is torch.bfloat16
    assert all(value.dtype.kind == "f" for value in model.get_weights().values())
