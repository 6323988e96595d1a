"""What a study trains before its runs: a tokenizer, and a language model that they fine-tune."""

import importlib
import json
from collections.abc import Sequence
from pathlib import Path

from safetensors.numpy import save

from byrote.data.text_sources import load_texts
from byrote.models import registry
from byrote.runs.determinism import controlled
from byrote.runs.files import make_folder, write_atomically
from byrote.runs.request import Settings
from byrote.studies.recitation_kind import Pretraining

_END = "<end>"  # of a text


def pretrain(declared: Pretraining, folder: Path, settings: Settings) -> None:
    """Train a language model from scratch in a folder, unless the folder has one already.

    A run fine-tunes it as ``hf:FOLDER``.
    """
    weights = folder / "model.safetensors"
    if weights.exists():
        return
    texts = load_texts(declared.data).texts
    train_tokenizer(texts, declared.vocabulary, folder)
    own = {"epochs": declared.epochs, "tokenizer": str(folder), "random_state": settings.seed}
    model = registry.build("byrote.models:CausalLM", {**declared.model, **own})
    with controlled(settings.seed, settings.threads, needs_torch=True):
        model.fit(texts)
    write_atomically(folder / "config.json", model.network_.config.to_json_string().encode())
    write_atomically(weights, save(model.get_weights(), metadata={"format": "pt"}))


def train_tokenizer(texts: Sequence[str], vocabulary: int, folder: Path) -> None:
    """Train a byte-pair encoding of bytes on texts, unless the folder has one already.

    It has ``vocabulary`` tokens at most: all bytes, one that ends a text, and what is frequent.

    Examples
    --------
    >>> import tempfile, transformers
    >>> with tempfile.TemporaryDirectory() as name:
    ...     train_tokenizer(["the cat", "the hat"] * 9, 260, Path(name) / "tokenizer")
    ...     tokenizer = transformers.AutoTokenizer.from_pretrained(f"{name}/tokenizer")
    >>> len(tokenizer), tokenizer.tokenize("the cat"), tokenizer.eos_token
    (260, ['the', 'Ġ', 'c', 'at'], '<end>')
    """
    file = folder / "tokenizer.json"
    if file.exists():
        return
    library, parts = (
        importlib.import_module(name) for name in ("tokenizers", "tokenizers.pre_tokenizers")
    )
    tokenizer = library.Tokenizer(library.models.BPE())
    tokenizer.pre_tokenizer = parts.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = library.decoders.ByteLevel()
    trainer = library.trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[_END],
        initial_alphabet=sorted(parts.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    make_folder(folder)
    facts = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": _END}
    write_atomically(folder / "tokenizer_config.json", json.dumps(facts).encode())
    write_atomically(file, tokenizer.to_str().encode())
