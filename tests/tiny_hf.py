"""Tiny tokenizers and networks of the Hugging Face library, made on the spot."""

import functools
import shutil
import tempfile
from pathlib import Path

import pytest

transformers = pytest.importorskip("transformers")

from pydoc_data.topics import topics  # noqa: E402

from tokenizers import (  # noqa: E402
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

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


def template(tokenizer, before=(), after=()):
    """Let a tokenizer of the tokenizers library put special tokens around a text."""
    names = [*before, "$A", *after]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=" ".join(names),
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in (*before, *after)],
    )


@functools.cache
def wordpiece(*, lower=True):
    """A tokenizer like BERT's: no spaces, parts of words with ##, [CLS] and [SEP] around a text."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=300, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]"], show_progress=False
    )
    tokenizer.train_from_iterator([*TEXTS, *MERGED], trainer)
    template(tokenizer, ["[CLS]"], ["[SEP]"])
    special = {name: f"[{name[:3].upper()}]" for name in ("unk_token", "pad_token")}
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, cls_token="[CLS]", sep_token="[SEP]", **special
    )


@functools.cache
def unigram():
    """A tokenizer like T5's: the likeliest pieces, compatibility forms of characters replaced."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    trainer = trainers.UnigramTrainer(
        vocab_size=200, special_tokens=["<unk>", "</s>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator([*TEXTS, *MERGED], trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", eos_token="</s>"
    )


@functools.cache
def folding_bytes(*, unicode="NFD"):
    """Bytes of lower-case letters without accents; with "NFC" letters and accents are composed."""
    tokenizer = Tokenizer(models.BPE())
    folding = [normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase()]
    tokenizer.normalizer = normalizers.Sequence(folding) if unicode == "NFD" else normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*TEXTS, *MERGED, *["caf\u00e9 \u0301"] * 50], trainer)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END)


@functools.cache
def characters():
    """Single characters, without a decoder."""
    letters = ["<end>", *"0123456789abcdefghijklmnopqrstuvwxyz -:"]
    tokenizer = Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>")


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
