"""Calls with arguments that nobody should give: a result or one of byrote's own errors, quickly.

    python tests/fuzzing.py --count 1000000 --seed 0

calls at random whatever is public, and says what raised anything else, warned, or took too long.
"""

import argparse
import contextlib
import decimal
import fractions
import io
import json
import os
import random
import resource
import signal
import tempfile
import time
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.sparse import csr_matrix
from sklearn.model_selection import ShuffleSplit
from sklearn.neighbors import KernelDensity

import byrote
from byrote import models, plans
from byrote.attacks.discoverable_extraction import discovery_probability, samples_to_discover
from byrote.cli import app, exits
from byrote.data.sources import as_records
from byrote.runs.request import Settings

from languages import Ngram

SECONDS = 5.0
MEMORY = 1 << 30
WORK = {"epochs", "draws", "layers", "n_samples"}  # a large number there is asked for, and slow


class Hostile:
    """Raises at whatever is asked of it."""

    def _raise(self, *_):
        raise RuntimeError("no")

    __repr__ = __str__ = __len__ = __iter__ = __eq__ = __array__ = __float__ = __index__ = _raise
    __hash__ = None
    shape = property(_raise)


class TooSlow(BaseException):
    """Not to be caught by what takes any exception for a stranger's."""


def endless():
    item = []
    item.append(item)
    return item


NUMBERS = [
    0, 1, -1, 2, 3, 7, 200, 2**31, 2**63 - 1, 2**63, 2**64, 10**30, 10**400, -(10**400), 10**5000,
    0.0, -0.0, 0.5, 0.05, 1.0, 1.5, -0.5, 2.5, 5e-324, 1e-310, 1e-300, 1e-17, 1e300, 1e17,
    float("inf"), -float("inf"), float("nan"), True, False, None,
    np.bool_(True), np.bool_(False), np.uint8(200), np.int8(-1), np.uint8(1), np.int16(3),
    np.uint64(2**64 - 1), np.int64(2), np.float16(0.5), np.float32(0.05), np.float64("nan"),
    np.float16(6e4), np.longdouble("0.5"), np.longdouble("1e4000"), 1j, np.complex64(1),
    fractions.Fraction(1, 2), decimal.Decimal("0.5"), np.datetime64("2024-01-01"),
]  # fmt: skip
TEXTS = [
    "", "a", "b", "0.5", "5%", "7", " ", "\0", "a\0", "a\n", "\ud800", "\u202e", "=1+1", "'=1",
    "$x^$", "[red]", "[/]", "\x1b[2J", "{digits:3}", "{", "{{}}", "{} {}", "x" * 5000, "../a",
    "/a/b", "é☃", "digits", "auto", "lira", "loss", "ids", "same", "sampled", "skew_normal",
    "exact", "rank", "search", "score", "mean_log", b"", b"x", bytearray(b"x"), np.str_("a"),
    np.bytes_("a"), Path("a"), Path("."), Path("a\0b"),
]  # fmt: skip
ARRAYS = [
    lambda: np.array(0.5), lambda: np.array(3), lambda: np.array([]), lambda: np.zeros((0, 3)),
    lambda: np.array([1.0, 2.0]), lambda: np.arange(7), lambda: np.arange(7.0),
    lambda: np.array([np.nan] * 7), lambda: np.array([np.inf, -np.inf] * 3 + [1.0]),
    lambda: np.zeros(7), lambda: np.full(7, 1e308), lambda: np.full(7, -1e308),
    lambda: np.array([True, False] * 3 + [True]), lambda: np.zeros((4, 7)),
    lambda: np.zeros((4, 7), bool), lambda: np.arange(28).reshape(4, 7) % 2 == 0,
    lambda: np.full((4, 7), np.nan), lambda: np.full((4, 7), -np.inf), lambda: np.ones((7, 2)),
    lambda: np.ones((7, 4, 4), np.uint8), lambda: np.ones((7, 4, 4, 3)), lambda: np.ones((1,) * 6),
    lambda: np.arange(7, dtype=np.float16), lambda: np.arange(7).astype(np.longdouble) * 10**4000,
    lambda: np.arange(7) * 1j, lambda: np.array(["a", "b\0", "c"]), lambda: np.array([b"a"]),
    lambda: np.array([1, "a", None], object), lambda: np.array([[1], [1, 2]], object),
    lambda: np.array(["2024"], "M8[D]"), lambda: np.zeros(7, "i4,f8"),
    lambda: np.ma.masked_greater(np.arange(7.0), 3), lambda: np.ma.array(np.arange(7.0)),
    lambda: np.array([2**64 - 1] * 7, np.uint64), lambda: np.arange(7)[::-1].astype(">f4"),
    lambda: pd.Series([1, None, 3], dtype="Int64"), lambda: pd.Series(list("abcdefg")),
    lambda: pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}), lambda: pd.Index([1, 2]),
    lambda: torch.zeros(7), lambda: torch.zeros(7, requires_grad=True), lambda: torch.tensor(3),
    lambda: csr_matrix(np.eye(7)), lambda: [], lambda: [1], lambda: [[1], [1, 2]], lambda: (),
    lambda: [1.0, "a"], lambda: ["a", "a\0"], lambda: ["a"] * 7, lambda: list("abcdefg"),
    lambda: list(range(7)), lambda: [10**400], lambda: [2**64] * 7, lambda: [None] * 7,
    lambda: [[1.0] * 7] * 4, lambda: [[True] * 7] * 4, lambda: {}, lambda: {"a": 1}, set,
    lambda: {1, 2}, lambda: range(3), lambda: (i for i in range(3)), lambda: iter("ab"), endless,
    object, Hostile, lambda: int, lambda: len, lambda: (lambda *_: None), lambda: Ellipsis,
    lambda: NotImplemented, lambda: memoryview(b"ab"), lambda: json, lambda: slice(3),
    lambda: byrote.Canary("a {digits:2}"), lambda: byrote.KFold(2, 1), KernelDensity,
]  # fmt: skip


def odd(generator, name):
    """An argument that is seldom right."""
    kind = generator.random()
    if kind < 0.5:
        value = generator.choice(NUMBERS)
    else:
        value = generator.choice(TEXTS) if kind < 0.7 else generator.choice(ARRAYS)()
    if name == "features" and callable(value):
        return None  # whatever a function of the caller's raises is the caller's
    whole = isinstance(value, int | np.integer)
    return 3 if name in WORK and whole and 100 < int(value) < 2**63 else value


@dataclass
class Target:
    """Something public, with arguments that it takes; any of them may be replaced."""

    call: object
    good: dict
    weight: float = 1.0
    fixed: set = field(default_factory=set)

    def arguments(self, generator):
        given = {name: make() if callable(make) else make for name, make in self.good.items()}
        free = [name for name in given if name not in self.fixed]
        for name in generator.sample(free, min(len(free), generator.choice((1, 1, 1, 2, 3)))):
            given[name] = odd(generator, name)
        return given


def drawn(plan, how, **options):
    return plans.design_of(plan(**how), **options)


def of_plan(kind, **good):
    """A plan made and drawn for seven records."""

    def call(n, seed, labels, ids, places, **how):
        made = kind(**how)
        made.spec()
        return plans.design_of(made, n, seed, labels=labels, ids=ids, places=places)

    asked = {"n": 7, "seed": 0, "labels": list("aabbaab"), "ids": range(7), "places": 40}
    return Target(call, {**good, **asked}, fixed={"n"})


def canary(text, alphabet, length, words, secret, seed, n, completion):
    made = byrote.Canary(text, alphabet=alphabet, length=length, words=words)
    drawn = made.drawn(seed)
    found = repr(made), made.masked, made.candidates(n, seed), made.with_secret(secret).filled
    return *found, drawn.secrets_in(completion), made.format.at(seed), made.format.index(completion)


def bounded(epsilon, delta, insertions, space_size, bits):
    found = byrote.privacy.exposure_bound(
        epsilon=epsilon, delta=delta, insertions=insertions, space_size=space_size
    )
    return found.tail(bits), found.to_dict()


def estimated(**how):
    found = byrote.exposure.estimate_exposure(**how)
    return found.summary(), found.to_frame(), repr(found), found.interval


def laplace(bins, epsilon, range_, random_state, x, n_samples):
    made = models.LaplaceHistogram(
        bins=bins, epsilon=epsilon, range=range_, random_state=random_state
    )
    made.fit(x)
    return made.score_samples(x), made.sample(n_samples)


def fitted(kind, /, x, **how):
    made = kind(**how).fit(x)
    return made.score_samples(x)


def corpus(documents, held_out, characters, places, lines):
    made = byrote.Corpus(documents)
    return made.split(held_out), made.first(characters), made.with_lines(places, lines), repr(made)


def records(x, ids, labels):
    made = as_records(x, ids=ids, labels=labels)
    return made.fingerprint, repr(made), made.values()


class Files:
    """A folder with runs and files, and results to ask."""

    def __init__(self, folder):
        generator = np.random.default_rng(0)
        self.x = generator.normal(size=(24, 2))
        os.chdir(folder)
        for name, plan, bandwidth in (
            ("run", byrote.KFold(3, 4), 0.5),
            ("other", byrote.KFold(3, 4), 1.0),
            ("coins", byrote.Probes(20, 9, coins=True), 0.5),
        ):
            self.result = byrote.score_memorization(
                KernelDensity(bandwidth=bandwidth), self.x, plan=plan, out=name,
                labels=[0, 1] * 12,
            )  # fmt: skip
        self.text = ["the cat sat on the mat and the dog sat on the log"] * 40
        self.planted = byrote.score_exposure(
            Ngram(), self.text, byrote.Canary("my pin is {digits:3}"), insertions=[1, 4],
            canaries_per_level=2, controls=3, references=50, out="planted",
        )  # fmt: skip
        self.language = Ngram().fit(["my pin is 123\n", *self.text])
        self.own = byrote.Canary("my pin is {digits:3}", secret="123")
        pd.DataFrame(self.x, columns=["a", "b"]).assign(id=range(24)).to_csv("x.csv", index=False)
        Path("text.txt").write_text("\n".join(self.text))
        Path("ids.txt").write_text("1\n2\n")
        np.save("x.npy", self.x)


def of_run(method):
    """A method of a run, called with the folder."""
    return lambda run, **arguments: getattr(byrote.open_run(run), method)(**arguments)


def targets(files):  # one entry each
    x, result, validation = files.x, files.result, files.x + 0.01
    neighbors = {"samples": lambda: x[:12] + 0.1, "features": None, "downsample": True}
    limits = {"max_significant": "5%", "max_q999": 3.0, "max_epsilon_proven": 1.0, "max_auc": 0.7}
    return {
        "KFold": of_plan(plans.KFold, folds=3, repeats=2, stratify=False),
        "LeaveOneOut": of_plan(plans.LeaveOneOut, repeats=1),
        "Subset": of_plan(plans.Subset, fraction=0.5, fits=2, stratify=False),
        "Probes": of_plan(plans.Probes, records=2, fits=4, pairs=False, coins=False),
        "Membership": of_plan(
            plans.Membership, matrix=lambda: np.eye(7, dtype=bool), randomized=False
        ),
        "Insertions": of_plan(
            plans.Insertions, levels=(1, 2), per_level=1, controls=1, fits=2, chosen=1, within=1.0
        ),
        "as_plan": Target(
            lambda plan: plans.design_of(plans.as_plan(plan), 7), {"plan": lambda: ShuffleSplit(2)}
        ),
        "Canary": Target(canary, {
            "text": "pin {digits:3}", "alphabet": None, "length": None, "words": None,
            "secret": "123", "seed": 0, "n": 3, "completion": "123"}),
        "Canary {}": Target(canary, {
            "text": "pin {} of {name}", "alphabet": "abc", "length": 2,
            "words": lambda: {"name": ["ann", "bob"]}, "secret": ("ab", "ann"), "seed": 0, "n": 3,
            "completion": "ab of ann"}),
        "exposure_from_rank": Target(
            byrote.exposure.exposure_from_rank, {"rank": lambda: [1, 2], "space_size": 10**9}
        ),
        "estimate_exposure": Target(estimated, {
            "canary_bits": lambda: [29.0, 12.0], "reference_bits": lambda: np.arange(20.0, 40.0),
            "space_size": 10**9, "method": "sampled", "level": 0.95, "ids": lambda: ["a", "b"]}),
        "exposure_bound": Target(bounded, {
            "epsilon": 1.0, "delta": 1e-6, "insertions": 3, "space_size": 10**6, "bits": 3.0}),
        "discovery_probability": Target(discovery_probability, {"bits": 5.0, "n": 5}),
        "samples_to_discover": Target(samples_to_discover, {"bits": 5.0, "p": 0.5}),
        "one_run_epsilon": Target(byrote.privacy.one_run_epsilon, {
            "canaries": 100, "guesses": 50, "correct": 45, "delta": 1e-5, "significance": 0.05}),
        "one_run_mu": Target(byrote.privacy.one_run_mu, {
            "canaries": 100, "guesses": 50, "correct": 45, "significance": 0.05}),
        "audit_one_run": Target(byrote.privacy.audit_one_run, {
            "scores": lambda: np.arange(7.0), "included": lambda: np.arange(7) % 2 == 0,
            "guesses": 4, "delta": 1e-5, "significance": 0.05}),
        "epsilon_from_rates": Target(byrote.privacy.epsilon_from_rates, {
            "true_positives": 40, "members": 50, "false_positives": 2, "non_members": 50,
            "delta": 1e-5, "significance": 0.05}),
        "epsilon_from_scores": Target(byrote.privacy.epsilon_from_scores, {
            "inside": lambda: np.arange(7.0), "outside": lambda: np.arange(7.0) - 4, "delta": 0.0,
            "significance": 0.05, "seed": 0}),
        "epsilon_from_density": Target(byrote.privacy.epsilon_from_density, {
            "log_prob": lambda: np.arange(28.0).reshape(4, 7) / 9,
            "included": lambda: np.arange(28).reshape(4, 7) // 7 % 2 == 0, "epsilon": 1.0,
            "significance": 0.05}),
        "infer_membership": Target(byrote.privacy.infer_membership, {
            "log_prob": lambda: np.sin(np.arange(70.0)).reshape(10, 7),
            "included": lambda: np.arange(70).reshape(10, 7) // 7 % 2 == 0, "attack": "lira"}),
        "gaussian_delta": Target(byrote.privacy.gaussian_delta, {"mu": 1.0, "epsilon": 1.0}),
        "gaussian_epsilon": Target(byrote.privacy.gaussian_epsilon, {"mu": 1.0, "delta": 1e-5}),
        "Records": Target(records, {
            "x": lambda: np.ones((7, 2)), "ids": lambda: range(7),
            "labels": lambda: list("aabbaab")}),
        "Corpus": Target(corpus, {
            "documents": lambda: ["one\ntwo\n", "three\nfour"], "held_out": 0.3, "characters": 14,
            "places": lambda: [0, 1], "lines": lambda: ["a", "b"]}),
        "load": Target(byrote.load, {
            "source": "x.csv", "key": None, "labels": None, "ids": "id", "part": None,
            "image": None, "records": 9, "only": "ids.txt"}, weight=0.3),
        "load_corpus": Target(byrote.load_corpus, {
            "source": "text.txt", "column": None, "part": None, "characters": 200}, weight=0.3),
        "LaplaceHistogram": Target(laplace, {
            "bins": 4, "epsilon": 1.0, "range_": (0.0, 1.0), "random_state": 0,
            "x": lambda: np.full((7, 2), 0.4), "n_samples": 3}),
        "DP": Target(lambda **how: models.DP(**how).check(), {
            "target_epsilon": None, "noise_multiplier": 1.0, "delta": 1e-5, "max_grad_norm": 1.0,
            "accountant": "rdp", "sampling": "poisson"}),
        "VAE": Target(lambda **how: fitted(models.VAE, **how), {
            "x": lambda: np.full((9, 4), 0.5), "latent_dim": 2, "hidden": lambda: [4], "epochs": 1,
            "batch_size": 4, "learning_rate": 1e-3, "draws": 2, "random_state": 0, "noise_seed": 0,
            "redraw": True, "likelihood": "bernoulli", "space": "auto", "precision": "float32",
            "compile": False, "weight_decay": 0.0, "robust": 0.0, "defensive": 0.0,
            "outlier": None, "device": "cpu", "network": "fully-connected", "flips": False},
            weight=0.03),
        "Flow": Target(lambda **how: fitted(models.Flow, **how), {
            "x": lambda: np.arange(18.0).reshape(9, 2) / 7, "kind": "affine", "transforms": 1,
            "hidden": lambda: [4], "bins": 4, "levels": None, "epochs": 1, "batch_size": 4,
            "learning_rate": 1e-3, "weight_decay": 0.0, "random_state": 0, "noise_seed": 0,
            "device": "cpu"}, weight=0.03),
        "CharLSTM": Target(lambda **how: fitted(models.CharLSTM, **how), {
            "x": lambda: ["the cat sat"] * 9, "hidden": 4, "layers": 1, "epochs": 1,
            "batch_size": 4, "window": 8, "learning_rate": 1e-3, "clip": 5.0, "dropout": 0.0,
            "weight_decay": 0.0, "shuffle": False, "report_every": None, "random_state": 0,
            "optimizer": "adam", "precision": "float32"}, weight=0.03),
        "Settings": Target(Settings, {
            "seed": 0, "threads": 1, "workers": 1, "executor": "auto", "debug": False,
            "keep_models": "none"}),
        "score_memorization": Target(byrote.score_memorization, {
            "model": KernelDensity, "X": lambda: x[:9], "plan": lambda: byrote.KFold(2, 2),
            "ids": lambda: range(9), "labels": None, "seed": 0, "track": (), "threads": 1,
            "progress": False, "debug": False, "keep_models": "none"}, weight=0.01),
        "score_exposure": Target(byrote.score_exposure, {
            "model": Ngram, "corpus": lambda: files.text,
            "canaries": lambda: byrote.Canary("my pin is {digits:2}"), "insertions": (1, 2),
            "canaries_per_level": 1, "controls": 1, "fits": 1, "references": 20, "method": "auto",
            "max_queries": 50, "held_out": 0.1, "within": 1.0, "seed": 0, "track": ()},
            weight=0.01),
        "expose": Target(byrote.expose, {
            "model": lambda: files.language, "canaries": lambda: [files.own], "method": "auto",
            "references": 20, "seed": 0, "max_queries": 50, "level": 0.95, "ids": None},
            weight=0.05),
        "extract": Target(byrote.extract, {
            "model": lambda: files.language, "canary": lambda: files.own, "prefix": None, "top": 1,
            "batch_size": 8, "max_queries": 50, "max_frontier": 100}, weight=0.05),
        "open_run": Target(byrote.open_run, {"run": "run"}, weight=0.1),
        "Run.memorization": Target(of_run("memorization"), {
            "run": "run", "epoch": None, "partial": False}, weight=0.1),
        "Run.trajectory": Target(of_run("trajectory"), {
            "run": "run", "method": "auto", "partial": False}, 0.1),
        "Run.exposure": Target(of_run("exposure"), {
            "run": "planted", "epoch": None, "method": "auto", "partial": False}, weight=0.1),
        "Run.trajectory of exposure": Target(of_run("trajectory"), {
            "run": "planted", "method": "auto", "partial": False}, weight=0.1),
        "Run.epsilon": Target(of_run("epsilon"), {
            "run": "coins", "significance": 0.05, "delta": None, "guesses": None, "record": None,
            "partial": False}, weight=0.05),
        "Run.membership": Target(of_run("membership"), {
            "run": "coins", "attack": "lira", "partial": False}, weight=0.05),
        "compare": Target(byrote.compare, {
            "runs": lambda: ["run", "other"], "names": None, "match": "same", "partial": False},
            weight=0.03),
        "Run.model": Target(of_run("model"), {"run": "run", "fit": None, "model": None}, 0.1),
        "Run.sample": Target(of_run("sample"), {
            "run": "run", "n": 3, "seed": 0, "fit": None, "model": None}, weight=0.1),
        "check": Target(byrote.check, {
            "run": "run", **limits, "max_exposure": None, "insertions": None, "level": 0.95},
            weight=0.05),
        "check of exposure": Target(byrote.check, {
            "run": "planted", "max_exposure": 5.0, "insertions": 4, "level": 0.95}, weight=0.05),
        "prune": Target(byrote.prune, {"run": lambda: result, "fdr": None, "top": 0.1}),
        "record_percentiles": Target(
            byrote.memorization.record_percentiles,
            {"result": lambda: result, "id": 3},
            fixed={"result"},
        ),
        "distance_ratio": Target(byrote.neighbors.distance_ratio, {
            "train": lambda: x, "validation": lambda: validation, **neighbors, "seed": 0},
            weight=0.3),
        "copying_test": Target(byrote.neighbors.copying_test, {
            "train": lambda: x, "test": lambda: validation, **neighbors, "cells": 2, "seed": 0},
            weight=0.1),
        "authenticity": Target(byrote.neighbors.authenticity, {
            "train": lambda: x, **neighbors}, weight=0.3),
        "near_duplicates": Target(byrote.neighbors.near_duplicates, {
            "result": lambda: result, "train": lambda: x, "features": None}, 0.1, {"result"}),
        "compare_neighbors": Target(byrote.neighbors.compare_neighbors, {
            "result": lambda: result, "train": lambda: x, "validation": lambda: validation,
            **neighbors, "cells": 2, "seed": 0}, weight=0.05, fixed={"result"}),
        "save": Target(result.save, {"path": "saved.parquet"}, weight=0.1),
        "load saved": Target(byrote.MemorizationResult.load, {"path": "saved.parquet"}, 0.1),
        "ExposureCallback": Target(byrote.hf.ExposureCallback, {
            "canaries": lambda: [files.own], "tokenizer": None, "every": 3, "method": "auto",
            "references": 20, "max_queries": 50, "seed": 0}),
        "command": Target(command, {}, weight=0.05),
    }  # fmt: skip


VERBS = {
    "show": ["run"], "epsilon": ["coins"], "prune": ["run"], "check": ["run"],
    "extract": ["planted"],
    "compare": ["run", "other"], "neighbors": ["run"], "figures": ["nothing"],
    "score": ["x.csv", "--dry-run", "--model", "kde"], "study": ["onion", "--dry-run"],
    "expose": ["text.txt", "--dry-run", "--canary", "pin {digits:2}"],
}  # fmt: skip
OPTIONS = [
    "--epoch", "--method", "--json", "--csv", "--top", "--significance", "--delta", "--guesses",
    "--record", "--fdr", "--out", "--max-exposure", "--max-significant", "--max-q999", "--max-auc",
    "--max-epsilon-proven", "--insertions", "--level", "--canary", "--fit", "--prefix",
    "--batch-size", "--max-queries", "--names", "--match-ids", "--format", "--samples", "--cells",
    "--model", "--set", "--plan", "--folds", "--repeats", "--fits", "--fraction", "--probes",
    "--pairs", "--coins", "--stratify", "--key", "--labels", "--ids", "--part", "--image",
    "--records", "--only", "--seed", "--track", "--threads", "--keep-models", "--alphabet",
    "--length", "--words", "--secret", "--controls", "--references", "--held-out", "--within",
    "--score-only", "--space-size", "--characters", "--column", "--clusters", "--scale", "--help",
    "--validation", "--junit", "--version", "--nothing",
]  # fmt: skip
WORDS = [
    *(text for text in TEXTS if isinstance(text, str)), "nan", "inf", "-1", "0", "1", "1e400",
    "0x10", "1_0", "9" * 5000, "run", "planted", "collections:OrderedDict", "os:getcwd", "a:b",
    "kde", "x=1", "bandwidth=nan", "bandwidth=[1]", "bandwidth=" + "[" * 9000, "epochs=1e999",
    'dp={"a":1}', "every=3", "epoch", "1,2", "pad=2", "crop=1", "kfold", "subset", "probes",
    "\udcff",
]  # fmt: skip
CODES = {exits.Exit.DONE, exits.Exit.UNUSABLE, exits.Exit.FAILED, exits.Exit.INCOMPLETE}


def command(generator):
    """A command line; whatever it prints goes nowhere, and its exit code must be one of ours."""
    verb = generator.choice(list(VERBS))
    words = [verb, *VERBS[verb]]
    for _ in range(generator.choice((1, 1, 2, 3))):
        words += [generator.choice(OPTIONS), *generator.sample(WORDS, generator.choice((0, 1, 1)))]
    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        warnings.simplefilter("always")  # they are lines on standard error, as every other
        code = exits.run(lambda: app.app(words, standalone_mode=False), debug=False)
    if code not in CODES:
        raise AssertionError(f"exit {code} of byrote {words}: {said.getvalue()[-300:]}")
    return code


def told(given):
    """Arguments for a report, shortened; some cannot even be shown."""
    try:
        return {name: repr(value)[:80] for name, value in given.items()}
    except Exception:
        return {name: type(value).__name__ for name, value in given.items()}


def once(name, target, generator):
    """Call it; what is wrong with what happened, or None."""
    given = {"generator": generator} if name == "command" else target.arguments(generator)
    started = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            target.call(**given)
    except byrote.ByroteError as error:
        text = str(error)
        if "\n" in text or not text.isprintable():
            return f"{name}: message {text[:200]!r}"
    except TooSlow:
        return f"{name}: more than {SECONDS} s with {told(given)}"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        last = traceback.extract_tb(error.__traceback__)[-1]
        ours = [f for f in traceback.extract_tb(error.__traceback__) if "/byrote/" in f.filename]
        place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"
        what = f"{type(error).__name__} at {place} ({Path(last.filename).name}:{last.lineno})"
        return f"{name}: {what}: {str(error)[:150]} with {told(given)}"
    seconds = time.process_time() - started
    return f"{name}: {seconds:.1f} s with {told(given)}" if seconds > SECONDS else None


def _too_slow(*_):
    raise TooSlow


def fuzz(count, seed, *, only=None, progress=False):
    """So many calls; the different complaints, with how often each came."""
    generator = random.Random(seed)
    found, examples = Counter(), {}
    started = time.perf_counter()
    before, here = signal.signal(signal.SIGPROF, _too_slow), Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        try:
            public = targets(Files(folder))
            if only is not None:
                public = {name: target for name, target in public.items() if name in only}
            names, weights = list(public), [target.weight for target in public.values()]
            for number in range(count):
                name = generator.choices(names, weights)[0]
                signal.setitimer(signal.ITIMER_PROF, 2 * SECONDS)  # of work, on any machine
                complaint = once(name, public[name], generator)
                signal.setitimer(signal.ITIMER_PROF, 0)
                if complaint is not None:
                    key = complaint.split(" with ")[0].split(": ")
                    key = ": ".join(key[:2])
                    found[key] += 1
                    if progress and key not in examples:
                        print(complaint, flush=True)
                    examples.setdefault(key, complaint)
                if progress and number % 10_000 == 0:
                    seconds = time.perf_counter() - started
                    print(f"{number:,} calls, {seconds:.0f} s, {peak() >> 20} MB", flush=True)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)
            os.chdir(here)
    return found, examples


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--count", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--only", nargs="*")
    asked = options.parse_args()
    torch.set_num_threads(1)
    found, examples = fuzz(asked.count, asked.seed, only=asked.only, progress=True)
    print(f"{asked.count:,} calls; {sum(found.values()):,} complaints of {len(found)} kinds")
    for key, times in found.most_common():
        print(f"{times:7,}  {examples[key]}")


if __name__ == "__main__":
    main()
