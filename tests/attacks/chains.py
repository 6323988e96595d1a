"""Small language models with known probabilities, and plain Python that does what attacks do."""

import itertools
import math

import numpy as np

LETTERS = "ab0123456789 "


class Markov:
    """The next character depends on the last ``order`` characters and their number so far.

    ``rounded`` leaves few different probabilities, so that completions tie.
    """

    takes_texts = True

    def __init__(self, seed, *, alphabet=LETTERS, rounded=0, order=1, sharp=1.0):
        self.alphabet, self.order = alphabet, order
        self.seed, self.rounded, self.sharp = seed, rounded, sharp
        self.rows = {}
        self.calls = self.read = 0

    def row(self, ids):
        key = tuple(ids[-self.order :]) if self.order else ()
        if key not in self.rows:
            generator = np.random.default_rng([self.seed, *key])
            if self.rounded:
                cost = generator.integers(4, 4 + self.rounded, len(self.alphabet)).astype(float)
            else:
                cost = generator.exponential(self.sharp, len(self.alphabet))
                cost += np.log2(np.sum(2.0**-cost))
            self.rows[key] = np.maximum(cost, 0)
        return self.rows[key]

    def encode(self, text):
        return [self.alphabet.index(character) for character in text]

    def decode(self, ids):
        return "".join(self.alphabet[i] for i in ids)

    def token_strings(self):
        return list(self.alphabet)

    def next_log_probs(self, prefixes):
        self.calls += 1
        self.read += len(prefixes)
        return -math.log(2) * np.array([self.row(ids) for ids in prefixes])


def plain_bits(model, prefix, completion):
    """Bits of a completion, one character after the other, by the same additions."""
    ids, total = list(model.encode(prefix)), 0.0
    for token in model.encode(completion):
        total += float(-model.next_log_probs([ids])[0][token] / math.log(2))
        ids.append(token)
    return total


def table_bits(model, prefix, canary):
    """Bits of all completions, in order: every character of every completion on its own."""
    return np.array([plain_bits(model, prefix, text) for text in canary.format])


def rank(bits, own):
    return sum(1 for value in bits if value <= own)


class OneString(Markov):
    """The right digit with probability q, every other with (1 - q) / 9, whatever came before."""

    def __init__(self, secret, q):
        super().__init__(0, alphabet="0123456789")
        self.secret, self.q = secret, q

    def next_log_probs(self, prefixes):
        self.calls += 1
        rows = np.full((len(prefixes), 10), math.log((1 - self.q) / 9))
        for row, ids in zip(rows, prefixes, strict=True):
            row[int(self.secret[len(ids)])] = math.log(self.q)
        return rows


def product(*alphabets):
    return ["".join(letters) for letters in itertools.product(*alphabets)]
