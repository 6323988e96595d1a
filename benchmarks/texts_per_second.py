"""Texts scored per second: byrote's, transformers' plain loop in padded batches, and one by one.

The network is an untrained GPT-2 of four layers; texts are pieces of Python's help of 20 to 2,000
characters. They take turns, and the best of the turns counts, in seconds of the processor: with
others on the machine, a ratio of times by the clock depends on when they ran. Then a text of
200,000 characters is scored among others: memory must not grow with the longest text of a batch.
"""

import time

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

import byrote
from byrote.models import CausalLM, CharLSTM
from run import peak_gb, report

TEXTS, BATCH, LONGEST, TURNS = 300, 16, 200_000, 3
SHAPE = {"n_embd": 128, "n_layer": 4, "n_head": 4, "n_positions": 512}


def texts() -> list[str]:
    whole = "".join(byrote.load_corpus("python-help").documents)
    generator = np.random.default_rng(0)
    lengths = np.exp(generator.uniform(np.log(20), np.log(2000), TEXTS)).astype(int)
    starts = generator.integers(0, len(whole) - 2000, TEXTS)
    return [whole[start : start + length] for start, length in zip(starts, lengths, strict=True)]


def tokenizer(of: list[str]) -> transformers.PreTrainedTokenizerFast:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=2000, special_tokens=["<end>"], initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(of, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<end>", bos_token="<end>", pad_token="<end>"
    )


def plain_loop(network, encode, of: list[str], batch: int) -> np.ndarray:
    """What the library's users write: padded batches in the order of the texts."""
    nats = []
    for start in range(0, len(of), batch):
        part = [encode.bos_token + text for text in of[start : start + batch]]
        inputs = encode(part, return_tensors="pt", padding=True)
        ids, mask = inputs["input_ids"], inputs["attention_mask"]
        with torch.no_grad():
            logits = network(input_ids=ids, attention_mask=mask).logits
        costs = torch.nn.functional.cross_entropy(
            logits[:, :-1].transpose(1, 2), ids[:, 1:], reduction="none"
        )
        nats.append(-(costs * mask[:, 1:]).sum(1))
    return torch.cat(nats).numpy()


def seconds(work) -> tuple[float, object]:
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


def main() -> None:
    torch.set_num_threads(1)
    of = texts()
    encode = tokenizer(of)
    of = [text for text in of if len(encode(text)["input_ids"]) < SHAPE["n_positions"]]
    ends = {"bos_token_id": encode.bos_token_id, "eos_token_id": encode.eos_token_id}
    config = transformers.GPT2Config(**SHAPE, **ends, vocab_size=len(encode))
    network = transformers.GPT2LMHeadModel(config).eval()
    model = CausalLM.of(network, encode)
    turns = []
    for _ in range(TURNS):
        ours, scores = seconds(lambda: model.score_samples(of))
        padded, expected = seconds(lambda: plain_loop(network, encode, of, BATCH))
        single, _ = seconds(lambda: plain_loop(network, encode, of, 1))
        turns.append((ours, padded, single))
    ours, padded, single = np.min(turns, axis=0)
    np.testing.assert_allclose(scores, expected, rtol=1e-4)
    long_text = "".join(byrote.load_corpus("python-help").documents)[:LONGEST]
    vocabulary = "".join(sorted({*long_text, *"".join(of)}))
    lstm = CharLSTM(epochs=1, characters=vocabulary).fit(of[:50])
    characters, _ = seconds(lambda: lstm.score_samples(of))
    before = peak_gb()
    lstm.score_samples([long_text, *of[:127]])
    rows = {
        "GPT-2 of 4 layers: texts per second": len(of) / ours,
        f"transformers, padded batches of {BATCH}: texts per second": len(of) / padded,
        "transformers, one by one: texts per second": len(of) / single,
        "CharLSTM: texts per second": len(of) / characters,
        f"CharLSTM, a text of {LONGEST:,} characters: further memory, GB": peak_gb() - before,
    }
    ratios = {
        "texts scored, beside padded batches (speed)": padded / ours,
        "texts scored, beside one by one (speed)": single / ours,
    }
    report(rows, ratios)


if __name__ == "__main__":
    main()
