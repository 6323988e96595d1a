"""Language models for tests: quick, exact, and able to learn a canary by rote."""

import math
import string

import numpy as np
from sklearn.base import BaseEstimator


class Ngram(BaseEstimator):
    """Characters by the few before them, counts plus ``alpha``; each epoch reads the text once."""

    takes_texts = True

    def __init__(self, order=4, alpha=0.1, epochs=1, random_state=0):
        self.order = order
        self.alpha = alpha
        self.epochs = epochs
        self.random_state = random_state

    def check_input(self, texts):
        if sum(map(len, texts)) < 2 * self.order:
            from byrote.errors import InvalidInput

            raise InvalidInput("the text must be longer")

    def fit(self, texts, on_epoch=None):
        text = "".join(texts)
        self.vocabulary_ = sorted({*string.printable, *text})
        self._counts = {}
        for epoch in range(1, self.epochs + 1):
            self._read(text)
            if on_epoch is not None:
                on_epoch(epoch, {"train": self.loss(texts)})
        return self

    def _read(self, text):
        place = {character: k for k, character in enumerate(self.vocabulary_)}
        padded = "\n" * self.order + text
        for start, character in enumerate(text):
            row = self._counts.setdefault(padded[start : start + self.order], {})
            row[place[character]] = row.get(place[character], 0) + 1

    def _log_probs(self, context):
        context = ("\n" * self.order + context)[-self.order :]
        weights = np.full(len(self.vocabulary_), self.alpha)
        for token, count in self._counts.get(context, {}).items():
            weights[token] += count
        return np.log(weights / weights.sum())

    def score_samples(self, texts):
        return np.array([self._score(text) for text in texts])

    def _score(self, text):
        padded, size = "\n" * self.order + text, len(self.vocabulary_)
        steps = []
        for start, token in enumerate(self.encode(text)):
            row = self._counts.get(padded[start : start + self.order], {})
            total = sum(row.values()) + self.alpha * size
            steps.append(math.log((row.get(token, 0) + self.alpha) / total))
        return math.fsum(steps)

    def loss(self, texts):
        known = set(self.vocabulary_)
        texts = ["".join(c for c in text[:2000] if c in known) for text in texts]
        return -self.score_samples(texts).sum() / sum(map(len, texts))

    def encode(self, text):
        from byrote.errors import InvalidInput

        missing = set(text) - set(self.vocabulary_)
        if missing:
            raise InvalidInput(f"text must be in the vocabulary; U+{ord(min(missing)):04X} is not")
        place = {character: k for k, character in enumerate(self.vocabulary_)}
        return [place[character] for character in text]

    def decode(self, ids):
        return "".join(self.vocabulary_[token] for token in ids)

    def token_strings(self):
        return list(self.vocabulary_)

    def next_log_probs(self, prefixes):
        return np.array([self._log_probs(self.decode(prefix)) for prefix in prefixes])

    def get_weights(self):
        rows = sorted((ctx, t, n) for ctx, row in self._counts.items() for t, n in row.items())
        contexts = [[ord(c) for c in context] for context, _, _ in rows]
        return {
            "vocabulary": np.array([ord(c) for c in self.vocabulary_]),
            "contexts": np.array(contexts),
            "counts": np.array([[token, count] for _, token, count in rows]),
        }

    def set_weights(self, weights):
        self.vocabulary_ = [chr(code) for code in weights["vocabulary"]]
        self._counts = {}
        for context, (token, count) in zip(weights["contexts"], weights["counts"], strict=True):
            row = self._counts.setdefault("".join(map(chr, context)), {})
            row[int(token)] = int(count)
        return self
