"""Small runs of every kind, whose ids, labels, texts and file names would like to be markup."""

import json

import numpy as np
from sklearn.neighbors import KernelDensity

import byrote

from languages import Ngram

HOSTILE = (
    "<script>document.title='pwned'</script>",
    '"><img src=x onerror="document.title=\'pwned\'">',
    "'-alert(1)-'",
    "</script><b>",
    "</title></style><h1>taken over</h1>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}",
    "a\x1b[2Jb",
    "\u202egnp.exe",
    "=1+1",
    "&lt;&amp;",
    "line\nbreak\u2028",
)
SECRET = "Zanzibar"  # in every label, and in no default page


def hostile_ids(n):
    """Return n different ids, which begin with texts that would like to be markup."""
    return [*HOSTILE, *(f"record-{k}" for k in range(n - len(HOSTILE)))]


def write_images(path, n=80):
    """Write small images, of which the first ones are unlike all others."""
    generator = np.random.default_rng(0)
    images = np.rint(generator.normal(120, 12, size=(n, 6, 6))).astype(np.uint8)
    images[:4] = generator.integers(0, 256, size=(4, 6, 6))
    labels = [f"{SECRET} <i>{k % 3}</i>" for k in range(n)]
    np.savez(path, x=images, ids=hostile_ids(n), labels=labels)


def make_runs(folder):
    """Write images and wide (two models of the same images), rows, texts and canaries."""
    source = folder / 'we<b>ird & "name".npz'
    write_images(source)
    records = byrote.load(str(source), key="x", ids="ids", labels="labels")
    plan = byrote.KFold(2, repeats=8)
    for name, width in (("images", 0.3), ("wide", 3.0)):
        model = KernelDensity(bandwidth=width, leaf_size=1000)
        byrote.score_memorization(model, records, plan=plan, out=folder / name)
    x = np.random.default_rng(1).normal(size=(60, 2))
    x[3] = 7.0
    plan = byrote.Probes(20, fits=12, coins=True)
    byrote.score_memorization(
        KernelDensity(bandwidth=0.3, leaf_size=1000), x, plan=plan, out=folder / "rows"
    )
    _texts(folder)
    _canaries(folder / "canaries")
    return folder


class Counting(Ngram):
    """A model of characters that reports how many of a text's were the likeliest."""

    def score_samples(self, texts):
        steps = [
            [self._log_probs(text[:k]).argmax() == token for k, token in enumerate(tokens)]
            for text, tokens in ((text, self.encode(text)) for text in texts)
        ]
        self.diagnostics_ = {
            "tokens": np.array([float(len(hits)) for hits in steps]),
            "correct": np.array([float(sum(hits)) for hits in steps]),
        }
        return super().score_samples(texts)


def _texts(folder):
    """Write texts, of which the first ones are of letters in an order of their own."""
    generator = np.random.default_rng(2)
    words = [f"<b>{SECRET}</b> ", "the cat ", "sat on ", "a mat "]
    texts = ["".join(generator.choice(words, 3)) for _ in range(28)]
    texts[:3] = ["".join(generator.permutation([*"QWXYZJKV"])) * 2 for _ in range(3)]
    rows = [{"id": i, "text": t} for i, t in zip(hostile_ids(len(texts)), texts, strict=True)]
    source = folder / "texts.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    records = byrote.load_texts(str(source), column="text", ids="id")
    plan = byrote.KFold(2, repeats=4)
    byrote.score_memorization(Counting(order=2), records, plan=plan, out=folder / "texts")


def _canaries(path):
    text = "".join(f"line {k} of a text about {k % 7} cats\n" for k in range(300))
    canary = byrote.Canary("the <b>code</b> is {digits:4}")
    byrote.score_exposure(
        Ngram(order=5),
        [text],
        canary,
        insertions=(1, 8),
        canaries_per_level=3,
        controls=8,
        references=200,
        out=path,
    )
