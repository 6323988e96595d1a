"""A language model that knows by heart what it read, for studies that take seconds."""

import numpy as np
import tokenizers
from sklearn.base import BaseEstimator


class Recaller(BaseEstimator):
    """The next token by the two before it: what followed most often in training."""

    takes_texts = True

    def __init__(self, tokenizer=None, epochs=1):
        self.tokenizer = tokenizer
        self.epochs = epochs

    def fit(self, X, y=None):
        return self.set_weights({"tokens": np.concatenate([[*self.encode(t), -1, -1] for t in X])})

    def get_weights(self):
        return {"tokens": self.tokens_}

    def set_weights(self, arrays):
        self.tokens_ = np.asarray(arrays["tokens"])
        return self

    @property
    def codec(self):
        return tokenizers.Tokenizer.from_file(f"{self.tokenizer}/tokenizer.json")

    def encode(self, text):
        return self.codec.encode(text).ids

    def decode(self, ids):
        return self.codec.decode(list(ids))

    def next_log_probs(self, prefixes):
        rows = np.array([self._counts(*prefix[-2:]) for prefix in prefixes]) + 1e-3
        return np.log(rows / rows.sum(axis=1, keepdims=True))

    def _counts(self, first, second):
        before, last, after = self.tokens_[:-2], self.tokens_[1:-1], self.tokens_[2:]
        seen = after[(before == first) & (last == second) & (after >= 0)]
        return np.bincount(seen, minlength=self.codec.get_vocab_size())

    def score_samples(self, X):
        return np.array([self._log_prob(self.encode(text)) for text in X])

    def _log_prob(self, ids):
        prefixes = [ids[:place] for place in range(2, len(ids))]
        chosen = self.next_log_probs(prefixes)[np.arange(len(prefixes)), ids[2:]]
        return float(chosen.sum())
