"""Small language models with known probabilities, and plain Python that does what attacks do."""

import functools
import math

import numpy as np

from byrote.models.language.token_format import TokenFormat

LETTERS = "ab0123456789 "


class Chain:
    """A Markov chain over characters: the next one depends on the last ``order`` of them.

    ``tied`` probabilities are powers of two, a few different ones, so that completions tie exactly.
    """

    takes_texts = True

    def __init__(self, seed, *, alphabet=LETTERS, order=1, tied=False, sharp=1.0):
        self.strings, self.seed, self.order = list(alphabet), seed, order
        self.tied, self.sharp = tied, sharp
        self.rows = {}
        self.calls = self.read = 0

    def row(self, ids):
        key = tuple(ids[-self.order :])
        if key not in self.rows:
            generator = np.random.default_rng([self.seed, *key])
            if self.tied:  # 4 to 6 bits each: what is missing to 1 goes to no character
                cost = generator.integers(4, 7, len(self.strings)).astype(float)
            else:
                cost = generator.exponential(self.sharp, len(self.strings))
                cost += np.log2(np.sum(2.0**-cost))
            self.rows[key] = np.maximum(cost, 0)
        return self.rows[key]

    def encode(self, text):
        return [self.strings.index(character) for character in text]

    def decode(self, ids):
        return "".join(self.strings[i] for i in ids)

    def token_strings(self):
        return list(self.strings)

    def next_log_probs(self, prefixes):
        self.calls += 1
        self.read += len(prefixes)
        return -math.log(2) * np.array([self.row(ids) for ids in prefixes])


class Merging(Chain):
    """A chain over tokens of several characters; the longest that fits comes first."""

    def __init__(self, seed, merges=("12", "345", "90", " 1", "b 28", "0a"), **options):
        super().__init__(seed, **options)
        self.strings += ["", *merges]  # and a special token, without text
        self.longest_first = {}  # by their first character
        for i in sorted(range(len(self.strings)), key=lambda i: -len(self.strings[i])):
            self.longest_first.setdefault(self.strings[i][:1], []).append(i)

    def encode(self, text):
        ids, at = [], 0
        while at < len(text):
            fits = (i for i in self.longest_first[text[at]] if text.startswith(self.strings[i], at))
            ids.append(next(fits))
            at += len(self.strings[ids[-1]])
        return ids


class OneString(Chain):
    """The right digit with probability q, every other with (1 - q) / 9, whatever came before.

    ``other``: the probability of every other, where less than all is given away.
    """

    def __init__(self, secret, q, other=None):
        super().__init__(0, alphabet="0123456789")
        self.secret, self.q = secret, q
        self.other = (1 - q) / 9 if other is None else other

    def next_log_probs(self, prefixes):
        self.calls += 1
        rows = np.full((len(prefixes), 10), math.log(self.other))
        for row, ids in zip(rows, prefixes, strict=True):
            row[int(self.secret[len(ids)])] = math.log(self.q)
        return rows


class Table:
    """The steps of a chain of order 1, whose states are the last tokens."""

    def __init__(self, model):
        self.model = model
        self.rows = np.array([model.row([i]) for i in range(len(model.strings))])
        model.read = model.largest = 0

    def start(self, ids):
        return self.step(Last(np.zeros(1, dtype=int)), np.array(ids[-1:]))

    def step(self, states, tokens):
        assert len(states) == len(tokens)
        self.model.read += len(tokens)
        self.model.largest = max(self.model.largest, len(tokens))
        return Last(tokens), self.rows[tokens]


class Jittery(Table):
    """Costs depend on how many rows are read at once, far beyond what rounding does.

    So many that a check on a few beginnings does not meet it.
    """

    def step(self, states, tokens):
        states, costs = super().step(states, tokens)
        return states, costs + 0.5 * (len(tokens) > 16)


class Last:
    """The last tokens, one a row."""

    def __init__(self, tokens):
        self.tokens = tokens

    def __len__(self):
        return len(self.tokens)

    def take(self, rows):
        return Last(self.tokens[rows])

    def joined(self, others):
        return Last(np.concatenate([self.tokens, *(other.tokens for other in others)]))


class Broken(Chain):
    """Gives what is no log-probability."""

    def __init__(self, value):
        super().__init__(0)
        self.value = value

    def next_log_probs(self, prefixes):
        return np.full((len(prefixes), len(self.strings)), self.value)


def plain_bits(model, prefix, completion, after=0):
    """Bits of a completion token by token, those of the first ``after`` tokens left out."""
    ids = model.encode(prefix + completion)
    total = 0.0
    for place in range(after, len(ids)):
        total += float(-model.next_log_probs([ids[:place]])[0][ids[place]] / math.log(2))
    return total


def plain_table(model, canary, after=None):
    """Bits of all completions in order, each on its own."""
    after = len(model.encode(canary.prefix)) if after is None else after
    return np.array([plain_bits(model, canary.prefix, text, after) for text in canary.format])


@functools.cache
def known(kind, seed, tied, sharp, canary):
    """A chain of order 2 that no one changes, and the bits of all completions."""
    model = kind(seed, tied=tied, order=2, sharp=sharp)
    after = len(TokenFormat(model, canary.prefix, canary.format).prefix_ids)
    return model, plain_table(model, canary, after)


def digit_table(model, prefix, digits):
    """Bits of all numbers of so many digits under a chain of order 1, by sums of its table."""
    places = model.encode("0123456789")
    table = np.array([model.row([i]) for i in places])[:, places]
    bits = 0.0 + model.row(model.encode(prefix))[places]
    for _ in range(digits - 1):
        last = np.arange(len(bits)) % 10
        bits = (bits[:, None] + table[last]).ravel()
    return bits


def plain_rank(table, own):
    """How many of the costs are at most as large."""
    return int(np.count_nonzero(table <= own))
