"""Tiny tokenizers and networks of the Hugging Face library, made on the spot."""

import functools
import shutil
import tempfile
from pathlib import Path

import pytest

transformers = pytest.importorskip("transformers")

from pydoc_data.topics import topics  # noqa: E402

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: E402

SHAPE = {"model_type": "gpt2", "n_embd": 48, "n_layer": 2, "n_head": 2, "n_positions": 96}
END = "<|endoftext|>"
TEXTS = [topics[name][:1500] for name in sorted(topics)[:12]]
NUMBERS = [f"the random number is {i * 7919 % 10**4:04d}\n" for i in range(400)]
MERGED = 5 * NUMBERS  # often enough that pairs of digits become tokens


@functools.cache
def byte_level(*, special=True, size=400):
    """A tokenizer like GPT-2's: bytes, merges learned from text and numbers, one special token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[END] if special else [],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*TEXTS, *MERGED], trainer)
    more = {"eos_token": END} if special else {}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **more)


@functools.cache
def metaspace():
    """A tokenizer like SentencePiece's: words begin with U+2581; beginning, end and unknown."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<unk>", "<s>", "</s>"], show_progress=False
    )
    tokenizer.train_from_iterator([*TEXTS, *MERGED], trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


def network(tokenizer, *, seed=0, shape=SHAPE):
    """An untrained network for the tokenizer."""
    import torch

    ends = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("bos", "eos")}
    shape = {**shape, "vocab_size": len(tokenizer), **ends}
    config = transformers.AutoConfig.for_model(shape.pop("model_type"), **shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return transformers.AutoModelForCausalLM.from_config(config).eval()


def spread(made, factor=12.0):
    """Weights large enough that an untrained network prefers some tokens to others."""
    import torch

    with torch.no_grad():
        for weight in made.parameters():
            if weight.ndim > 1:
                weight.mul_(factor)
    return made


@functools.cache
def _saved(special):
    folder = Path(tempfile.mkdtemp())
    byte_level(special=special).save_pretrained(folder)
    made = network(byte_level(special=special))
    made.save_pretrained(folder)
    return folder


def saved(folder, *, special=True):
    """A folder with a tokenizer and a network."""
    shutil.copytree(_saved(special), folder, dirs_exist_ok=True)
    return folder
