"""Damage to the files of run folders, and what their readers make of it.

A changed file must be refused or named, or change nothing: never another number without a word, an
error that is none of byrote's, or a reader that does not come back. Many, by hand:

    python tests/mutations.py --count 5000 --edits 2000 --digests 50000
"""

import argparse
import collections
import contextlib
import io
import itertools
import json
import resource
import signal
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

import byrote
from byrote.cli import app
from byrote.errors import ByroteError
from byrote.fits import sealed
from byrote.fits.paths import RunPaths
from sealing import reseal

from estimators import Misbehaving, Steps
from languages import Ngram

SECONDS = 5.0
X = np.random.default_rng(0).random((24, 3))
TEXT = [f"line {k} of few\n" for k in range(30)]


class Weighed(Steps):
    """A model that can be followed and kept."""

    def get_weights(self):
        return {"mean": self.mean_, "steps": np.array(self.epochs)}

    def set_weights(self, arrays):
        self.mean_ = arrays["mean"]
        return self

    def sample(self, n_samples=1):
        return np.random.default_rng(0).normal(self.mean_, size=(n_samples, len(self.mean_)))


def tracked(store, seed=0):
    plan = byrote.KFold(2, repeats=2)
    names = {"labels": np.arange(24) % 2, "ids": [f"r{k}" for k in range(24)]}
    how = {"plan": plan, "out": store, "track": [1], "keep_models": "all", "seed": seed}
    result = byrote.score_memorization(Weighed(3, noise=0.1), X, **names, **how)
    paths = RunPaths(Path(store))
    byrote.neighbors.near_duplicates(result, X).save(paths.near_duplicates)
    samples, fresh = np.random.default_rng(1).random((2, 30, 3))
    byrote.neighbors.compare_neighbors(result, X, fresh, samples).save(paths.neighbors)
    result.save(paths.root.with_name("scores.parquet"))
    return result


def probes(store, seed=0):
    plan = byrote.Probes(12, fits=4)
    return byrote.score_memorization(Steps(2, noise=0.1), X, plan=plan, out=store, seed=seed)


def exposed(store, seed=0):
    options = {"canaries_per_level": 2, "controls": 2, "references": 8, "method": "exact"}
    options |= {"held_out": 0, "out": store, "keep_models": "release", "seed": seed}
    canary = byrote.Canary("pin {digits:2}")
    found = byrote.score_exposure(Ngram(order=1), TEXT, canary, insertions=[2], **options)
    found.exposure.save(Path(store).with_name("exposure.parquet"))
    return found


def failed(store):
    x = np.concatenate([X, np.full((1, 3), 7.0)])
    with contextlib.suppress(byrote.IncompleteRun):
        byrote.score_memorization(
            Misbehaving(marked=7.0), x, plan=byrote.KFold(2, repeats=1), out=store
        )


def printed(*arguments):
    """What a command prints; its errors are raised."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = app.app([str(a) for a in arguments], standalone_mode=False)
    return f"{code} {out.getvalue()}{err.getvalue()}"


def same_again(start):
    """A start of the same run: its numbers, and a warning for what was done again."""

    def read(run):
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            found = start(run)
        return found.to_frame().to_json() + "".join(f"\n{one.message}" for one in heard)

    return read


STARTS = {start: same_again(start) for start in (tracked, probes, exposed)}
READERS = {
    "tracked": [
        lambda run: printed("show", run, "--json"),
        lambda run: printed("check", run, "--max-significant", "50%", "--json"),
        lambda run: printed("compare", run.with_name("steady"), run, "--match-ids", "--json"),
        lambda run: byrote.open_run(run).memorization(epoch=1).to_frame().to_json(),
        lambda run: (
            byrote.neighbors.NeighborResult.load(RunPaths(run).neighbors).to_frame().to_json()
        ),
        lambda run: str(byrote.open_run(run).sample(3, model=Weighed(3, noise=0.1))),
        STARTS[tracked],
    ],
    "probes": [
        lambda run: printed("show", run, "--json"),
        lambda run: printed("epsilon", run, "--json"),
        STARTS[probes],
    ],
    "exposed": [
        lambda run: printed("show", run, "--json"),
        lambda run: printed("check", run, "--max-exposure", "5", "--json"),
        STARTS[exposed],
    ],
    "failed": [lambda run: printed("show", run, "--json")],
    "scores.parquet": [lambda path: byrote.MemorizationResult.load(path).to_frame().to_json()],
    "exposure.parquet": [lambda path: byrote.Exposure.load(path).to_frame().to_json()],
}


def make(folder):
    """Runs of every kind, results that were saved, and runs of other seeds to take files from."""
    tracked(folder / "steady", seed=3)
    probes(folder / "other-probes", seed=3)
    exposed(folder / "other-exposed", seed=3)
    tracked(folder / "tracked")
    probes(folder / "probes")
    exposed(folder / "exposed")
    failed(folder / "failed")


# -- damage ---------------------------------------------------------------------------------------


def flip(content, generator, pool):
    place = generator.integers(len(content))
    content[place] ^= 1 << generator.integers(8)


def put(content, generator, pool):
    content[generator.integers(len(content))] = generator.integers(256)


def cut(content, generator, pool):
    del content[generator.integers(len(content)) :]


def take_out(content, generator, pool):
    start = generator.integers(len(content))
    del content[start : start + generator.integers(1, 64)]


def insert(content, generator, pool):
    start = generator.integers(len(content) + 1)
    content[start:start] = generator.bytes(int(generator.integers(1, 64)))


def swap(content, generator, pool):
    size = int(generator.integers(1, max(2, len(content) // 4)))
    first, second = np.sort(generator.integers(0, max(1, len(content) - size), 2))
    if second - first >= size:
        one, two = content[first : first + size], content[second : second + size]
        content[first : first + size], content[second : second + size] = two, one


def wipe(content, generator, pool):
    start = int(generator.integers(len(content))) // 512 * 512
    content[start : start + 512] = bytes(len(content[start : start + 512]))


def append(content, generator, pool):
    content += content[-int(generator.integers(1, 200)) :]


def other(content, generator, pool):
    content[:] = pool[generator.integers(len(pool))]


DAMAGES = [flip, flip, flip, flip, put, cut, take_out, insert, swap, wipe, append, other]


# -- what comes of it -----------------------------------------------------------------------------


class Hangs(BaseException):
    """A reader that did not come back."""


def _stop(*_):
    raise Hangs


def outcome(reader, place):
    """What a reader gives or says, with the class of its error."""
    signal.signal(signal.SIGALRM, _stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS * 24)  # of the wall, on a machine that is busy
    try:
        return reader(place), None
    except ByroteError as error:
        return str(error), type(error).__name__
    except (Exception, Hangs) as error:  # whatever comes is what is looked for
        return repr(error), "UNEXPECTED"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class Attack:
    """Runs in a folder, damaged one file at a time, read, and put back."""

    def __init__(self, folder, seed=0):
        self.folder, self.generator = folder, np.random.default_rng(seed)
        make(folder)
        self.files = {
            path: path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.stat().st_size
        }
        self.pool = list(self.files.values())
        kept = (".parquet", ".json", ".safetensors")
        self.targets = [p for p in self.files if self.kind(p) in READERS and p.suffix in kept]
        self.expected = {
            (kind, number): outcome(reader, folder / kind)
            for kind, readers in READERS.items()
            for number, reader in enumerate(readers)
        }
        for key, (text, error) in self.expected.items():
            assert key[0] == "failed" or error is None, (key, error, text)
        self.counts, self.wrong = collections.Counter(), []
        self.slowest = 0.0

    def kind(self, path):
        return path.relative_to(self.folder).parts[0]

    def restore(self):
        for path in self.folder.rglob("*"):
            if path.is_file() and path not in self.files:
                path.unlink()
        for path, content in self.files.items():
            if not path.is_file() or path.read_bytes() != content:
                path.write_bytes(content)

    def attack(self, damage=None, path=None):
        """One damage to one file, seen by one reader."""
        generator = self.generator
        path = path or self.targets[generator.integers(len(self.targets))]
        damage = damage or DAMAGES[generator.integers(len(DAMAGES))]
        content = bytearray(self.files[path])
        damage(content, generator, self.pool)
        if content != self.files[path]:
            self.see(path, content, damage.__name__)

    def see(self, path, content, name, *, edited=False):
        kind = self.kind(path)
        number = int(self.generator.integers(len(READERS[kind])))
        path.write_bytes(content)
        if edited:
            reseal(path)
        began = time.process_time()
        got = outcome(READERS[kind][number], self.folder / kind)
        self.slowest = max(self.slowest, time.process_time() - began)
        verdict = self.verdict(self.expected[kind, number], got, path.name, edited=edited)
        self.counts[name, verdict] += 1
        if verdict in ("SILENT", "UNEXPECTED"):
            where = path.relative_to(self.folder)
            self.wrong.append((name, verdict, str(where), number, got[0][-300:]))
            print(*self.wrong[-1], flush=True)
        path.write_bytes(self.files[path])
        if READERS[kind][number] in STARTS.values():
            self.restore()

    @staticmethod
    def verdict(expected, got, name, *, edited):
        if got == expected or got[1] == "UNEXPECTED":
            return got[1] or "same"
        named = name in got[0]
        if got[1] is None and not got[0].startswith(expected[0]):  # other numbers
            # Near-duplicates of another run are left out, which is said.
            return "read" if edited else "left out" if named and "near" in name else "SILENT"
        return "named" if named else "refused"


def unseen(attack, count):
    """Damages that the digest of a file does not see, of so many; and flips, of every bit of all.

    What else a reader looks at comes after the digest, so that these are all that could matter.
    """
    found, flips = 0, 0
    for _ in range(count):
        path = attack.targets[attack.generator.integers(len(attack.targets))]
        content = bytearray(attack.files[path])
        DAMAGES[attack.generator.integers(len(DAMAGES) - 1)](content, attack.generator, ())
        found += content != attack.files[path] and whole(path, content)
    for path in attack.targets:
        content = bytearray(attack.files[path])
        for place, bit in itertools.product(range(len(content)), range(8)):
            content[place] ^= 1 << bit
            found += whole(path, content)
            content[place] ^= 1 << bit
            flips += 1
    return found, flips


def whole(path, content):
    """Whether a content has the digest that it carries."""
    try:
        sealed._verify(path, content, last=path.suffix == ".parquet")
    except byrote.CorruptFile:
        return False
    return True


# -- edits that are sealed again ------------------------------------------------------------------

VALUES = [None, True, False, 0, -1, 1, 2, 2**31, 10**20, 0.5, "", "1", "x", [], {}, [1], {"a": 1}]
VALUES += ["repeats", "pairs", "fits", "kfold", "probes", "insertions", 1e308, "\x1b[31m", [[]]]


def places(data, at=()):
    """Every place of a JSON value."""
    yield at
    if isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from places(value, (*at, key))


def edit(attack, path):
    """Change, remove or add a value of run.json, and seal it again."""
    data, generator = json.loads(attack.files[path]), attack.generator
    known = [at for at in places(data) if at and at != ("sha256",)]
    at = known[generator.integers(len(known))]
    holder = data
    for key in at[:-1]:
        holder = holder[key]
    how = generator.integers(4)
    if how == 0:
        del holder[at[-1]]
    else:
        value = VALUES[generator.integers(len(VALUES))]
        holder[at[-1] if how > 1 or isinstance(holder, list) else "more"] = value
    attack.see(path, json.dumps(data).encode(), "edit", edited=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--edits", type=int, default=0)
    parser.add_argument("--digests", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        attack = Attack(Path(folder), given.seed)
        if given.digests:
            found, flips = unseen(attack, given.digests)
            print(f"{found} of {given.digests} damages and {flips} flips unseen", flush=True)
        described = [path for path in attack.targets if path.name == "run.json"]
        for number in itertools.count():
            if number >= given.count and number >= given.edits:
                break
            if number < given.count:
                attack.attack()
            if number < given.edits:
                edit(attack, described[number % len(described)])
            if number % 1000 == 999:
                print(number + 1, dict(attack.counts), flush=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(dict(attack.counts))
    print(f"{len(attack.wrong)} wrong, {attack.slowest:.2f} s at most, {memory} MB")


if __name__ == "__main__":
    main()
