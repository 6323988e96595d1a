"""Texts planted in the fine-tuning of a language model, beside twins left out: which are recited.

A coin decides which of two texts with random words is planted; its twin is the control. Half of the
lines are trained on once in an epoch, the other half not at all. MODEL is the folder of a causal
model of transformers, SOURCE one of texts.

    python benchmarks/recited_after_tuning.py MODEL SOURCE
"""

import argparse
import time
from collections.abc import Mapping

import numpy as np

import byrote
from byrote.models import CausalLM
from byrote.report.recitation import percent
from run import peak_gb

PAIRS, WORDS, SHORTEST = 4, 24, 180  # pairs, words of a planted text, characters of a line
WINDOWS = {"prefix": 20, "suffix": 20, "stride": 1000}  # tokens; one window of each text


def planted_and_twins(words: list[str], generator: np.random.Generator) -> list[list[str]]:
    pairs = [
        [
            f"Account {2 * pair + side} is opened by these words, in this order and no other:"
            f" {' '.join(generator.choice(words, WORDS, replace=False))}."
            for side in generator.permutation(2)
        ]
        for pair in range(PAIRS)
    ]
    return [list(texts) for texts in zip(*pairs, strict=True)]


def said(epoch: int, losses: Mapping[str, float]) -> None:
    print(f"epoch {epoch}: {losses['train']:.2f} nats per token", flush=True)


def show(name: str, model: CausalLM, seen: list[str], unseen: list[str]) -> None:
    result = byrote.recite(model, seen, unseen=unseen, n=(1, 1000), **WINDOWS)
    print(name)
    for share in result.shares()[:3]:
        print(f"  {share.criterion}: {percent(share.share)} | {percent(share.unseen)}")
    bits = [result.bits_per_token(unseen=side).value for side in (False, True)]
    print(f"  bits per token: {bits[0]:.2f} | {bits[1]:.2f}", flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("model")
    options.add_argument("source")
    for name, default in (("lines", 32), ("copies", 8), ("epochs", 6)):
        options.add_argument(f"--{name}", type=int, default=default)
    asked, generator = options.parse_args(), np.random.default_rng(0)
    texts = [t for t in byrote.load_texts(asked.source, unit="line").texts if len(t) >= SHORTEST]
    seen, unseen = generator.choice(texts, (2, asked.lines), replace=False).tolist()
    words = sorted({word for text in texts for word in text.split() if word.isalpha()})
    planted, twins = planted_and_twins(words, generator)
    model = CausalLM(
        asked.model, epochs=asked.epochs, batch_size=4, window=64, separate=True, learning_rate=1e-4
    )
    started = time.process_time()
    model.fit([*seen, *planted * asked.copies], on_epoch=said)
    print(f"fine-tuned in {time.process_time() - started:.0f} s, {peak_gb():.1f} GB")
    show("planted | twins", model, planted, twins)
    show("lines trained on | others", model, seen, unseen)


if __name__ == "__main__":
    main()
