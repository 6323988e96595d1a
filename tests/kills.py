"""Runs that are killed at random moments and at every file operation, then resumed and compared.

``python tests/kills.py --count 1000`` attacks at length; ``test_kills.py`` a little each time. A
trial draws what is run and with which options, kills it once or more, resumes it, and looks for a
changed bit and for anything left behind: files, folders, semaphores, processes, copies of records.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

import byrote
from byrote import KFold, LeaveOneOut, Probes, Subset
from byrote.cli import exits
from byrote.models import VAE, Flow
from byrote.runs import interrupts
from byrote.runs.paths import RunPaths
from byrote.runs.run_folder import RunFolder

from estimators import Keepable, Slow, Steps
from languages import Ngram

X = np.random.default_rng(0).random((70, 3))
TEXT = [f"line {k} of few\n" for k in range(30)]
FILE_CALLS = (
    "open", "close", "fsync", "replace", "rename", "link", "mkdir", "rmdir", "unlink", "ftruncate",
    "write", "scandir",
)  # fmt: skip
SIGNALS = [signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT]
PLANS = {  # each with the smaller one that it extends
    "kfold": (KFold(2, repeats=3), KFold(2, repeats=1)),
    "leave-one-out": (LeaveOneOut(repeats=2), LeaveOneOut(repeats=1)),
    "subset": (Subset(0.5, fits=6), Subset(0.5, fits=2)),
    "probes": (Probes(6, fits=6), Probes(6, fits=4)),
    "pairs": (Probes(6, fits=6, pairs=True), Probes(6, fits=4, pairs=True)),
    "coins": (Probes(6, fits=6, coins=True), Probes(6, fits=4, coins=True)),
}
MODELS = {  # each with whether its weights can be kept, and whether it has epochs
    "kde": (lambda: KernelDensity(bandwidth=0.5), False, False),
    "gmm": (lambda: GaussianMixture(2), True, False),
    "slow": (lambda: Slow(0.05), False, False),
    "keepable": (lambda: Keepable(), True, False),
    "steps": (lambda: Steps(4, noise=0.1), False, True),
    "flow": (lambda: Flow("maf", hidden=(8,), epochs=4, batch_size=32), True, True),
    "vae": (lambda: VAE(latent_dim=2, hidden=(8,), epochs=4, draws=4, batch_size=32), True, True),
}


@dataclass(frozen=True)
class Combination:
    """What is run, and how."""

    plan: str
    model: str
    track: tuple
    keep_models: str
    workers: int
    extends: bool

    @classmethod
    def drawn(cls, generator, workers):
        plan = str(generator.choice([*PLANS, "insertions", "insertions"]))
        if plan == "insertions":
            track = (1,) if generator.random() < 0.5 else ()
            return cls(plan, "ngram", track, _kept(generator, True), workers, False)
        rare = plan == "leave-one-out"  # of many fits
        model = str(generator.choice(["keepable"] if rare else list(MODELS)))
        _, keeps, epochs = MODELS[model]
        track = (2,) if epochs and generator.random() < 0.5 else ()
        extends = bool(generator.random() < 0.4)
        return cls(plan, model, track, _kept(generator, keeps), workers, extends)

    def run(self, store, *, smaller=False, workers=None):
        how = {"out": store, "keep_models": self.keep_models, "track": self.track}
        how |= {"workers": workers or self.workers, "seed": 3}
        if self.plan == "insertions":
            canary = byrote.Canary("pin {digits:2}")
            how |= {"canaries_per_level": 2, "controls": 2, "references": 5, "method": "none"}
            how |= {"insertions": [2], "fits": 3}
            return byrote.score_exposure(Ngram(order=1, epochs=2), TEXT, canary, **how)
        x = X[:8] if self.plan == "leave-one-out" else X
        plan = PLANS[self.plan][smaller]
        return byrote.score_memorization(MODELS[self.model][0](), x, plan=plan, **how)


def _kept(generator, possible):
    return str(generator.choice(["none", "release", "all"])) if possible else "none"


def content(store, epochs):
    """All that a run holds of its numbers, bit for bit."""
    run = RunFolder.open(RunPaths(store))
    found = {"id": run.ids.tolist()}
    for fit in range(run.design.fits):
        for epoch in (None, *epochs):
            found[fit, epoch] = run.log_prob(fit, epoch).tobytes()
    for path in sorted((store / "models").glob("*.safetensors")):
        number = -1 if path.stem == "release" else int(path.stem[4:])
        weights = run.models.weights(number)
        found[path.name] = {name: array.tobytes() for name, array in weights.items()}
    return found


def in_a_child(action, *, said=os.devnull, patience=60.0):
    """Do something in a process, and a session, of its own; returns its number.

    ``said`` is where its messages go.
    """
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        os.setsid()
        for stream, path in enumerate((os.devnull, os.devnull, said)):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC), stream)
        signal.alarm(int(patience) * 20)  # no trial hangs for ever
        for number in SIGNALS[2:]:  # which a shell or nohup may have ignored
            signal.signal(number, signal.default_int_handler)
        interrupts.raise_on_signals()
        code = exits.run(action, debug=False)
        from multiprocessing import util

        util._exit_function()  # as at the end of a process that was not forked
    except KeyboardInterrupt:  # before the action began, or after it
        code = exits.Exit.INTERRUPTED
    finally:
        os._exit(code)


def killing_at(count, number, flag):
    """Patch the calls by which this process changes files, so that a signal comes before one.

    Not those of the workers that it forks: where one dies, the run goes on.
    """
    left, process = [count], os.getpid()

    def before(original):
        def patched(*args, **kwargs):
            if os.getpid() == process:
                left[0] -= 1
                if left[0] == 0:
                    flag.write_text("".join(traceback.format_stack(limit=9)))
                    os.kill(process, number)
            return original(*args, **kwargs)

        return patched

    for name in FILE_CALLS:
        setattr(os, name, before(getattr(os, name)))


def alive(session):
    """Processes of a session that still run, or whose threads still hold its files."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
            threads = len(os.listdir(path.parent / "task"))
        except OSError:
            continue
        if int(fields[3]) == session and (fields[0] not in "ZX" or threads > 1):
            found.append(int(path.parent.name))
    return found


def all_ended(session, patience=60.0):
    """Wait for the processes of a session that were told to end."""
    until = time.monotonic() + patience
    while alive(session):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def strange(store, temporary):
    """What should not lie in a run folder, or beside it, when no process works on it."""
    found = [path for path in temporary.iterdir() if path.name.startswith("byrote")]
    if store.exists():
        found += [path for path in store.rglob("*") if path.name.startswith(".")]
        found += [path for path in (store / "work", store / "run.lock") if path.exists()]
    return [str(path) for path in found]


def copies(*folders):
    """Files with a record in them, as workers get it."""
    secret = X[1].tobytes()
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if secret in path.read_bytes()]


def semaphores(session):
    return [str(path) for path in Path("/dev/shm").glob(f"sem.loky-{session}-*")]


class Attack:
    """Trials one after the other; what an undisturbed run gives is made once of each kind."""

    def __init__(self, folder, seed):
        self.folder = Path(folder)
        self.generator = np.random.default_rng(seed)
        self.expected = {}
        self.kills = Counter()
        self.temporary, self.said = self.folder / "tmp", self.folder / "said"
        self.temporary.mkdir()
        os.environ["TMPDIR"] = str(self.temporary)
        tempfile.tempdir = None
        for kind in ("vae", "gmm", "kde"):  # loads, once for all, what a child would load each time
            Combination("subset", kind, (), "none", 1, False).run(self.folder / f"first-{kind}")
        Combination("insertions", "ngram", (), "release", 1, False).run(self.folder / "first-text")

    def undisturbed(self, combination):
        """What the run holds, and how many seconds it takes."""
        if combination not in self.expected:
            store = self.folder / "whole"
            shutil.rmtree(store, ignore_errors=True)
            started = time.monotonic()
            self._begun(combination, store)
            child = in_a_child(lambda: self._ran(combination, store))
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            assert code == 0, (combination, code)
            seconds = time.monotonic() - started
            self.expected[combination] = content(store, combination.track), seconds
        return self.expected[combination]

    @property
    def ended(self):
        """How many processes were ended by their signal."""
        return sum(count for (*_, how), count in self.kills.items() if how == "ended by it")

    def _begun(self, combination, store):
        """The smaller run that this one extends, if it does."""
        if combination.extends:
            child = in_a_child(lambda: self._ran(combination, store, smaller=True))
            os.waitpid(child, 0)

    @staticmethod
    def _ran(combination, store, **how):
        combination.run(store, **how)

    def trial(self, workers=1, most=4):
        """Kill, resume, compare; returns what is wrong."""
        combination = Combination.drawn(self.generator, workers)
        expected, seconds = self.undisturbed(combination)
        store, wrong, sessions = self.folder / "run", [], []
        shutil.rmtree(store, ignore_errors=True)
        self._begun(combination, store)
        for _ in range(int(self.generator.integers(1, most + 1))):
            session, ill = self._killed(combination, store, seconds)
            sessions.append(session)
            wrong += ill
        child = in_a_child(lambda: self._ran(combination, store), said=self.said)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sessions.append(child)
        if code != 0:
            wrong.append(f"resumed with exit {code}: {self.said.read_text()}")
        elif content(store, combination.track) != expected:
            wrong.append("a bit differs")
        if not all(all_ended(session) for session in sessions):
            wrong.append("a process outlives the run")
        wrong += strange(store, self.temporary)
        wrong += [path for session in sessions for path in semaphores(session)]
        return [f"{combination}: {each}" for each in wrong]

    def _killed(self, combination, store, seconds):
        """Start, and kill; returns the session and what is wrong of it."""
        number = SIGNALS[int(self.generator.integers(len(SIGNALS)))]
        everyone = bool(self.generator.random() < 0.5)
        count = int(self.generator.integers(1, 90)) if self.generator.random() < 0.5 else None
        moment = float(self.generator.uniform(0, 0.9 * seconds))

        flag = self.folder / "signalled"

        def action():
            if count is not None:
                killing_at(count, number, flag)
            combination.run(store)

        before = strange(store, self.temporary)
        child = in_a_child(action, said=self.said)
        if count is None:
            time.sleep(moment)
            if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                try:
                    (os.killpg if everyone else os.kill)(child, number)
                except ProcessLookupError:  # it has no session of its own yet
                    os.kill(child, number)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        where = "at a call" if count is not None else ("all" if everyone else "at a moment")
        self.kills[number.name, where, {0: "ran to its end"}.get(code, "ended by it")] += 1
        wrong = []
        if flag.exists():
            if code == 0:
                wrong.append(f"{number.name} was not heeded, sent here:\n{flag.read_text()}")
            flag.unlink()
        if code not in (0, exits.Exit.INTERRUPTED, -number):
            wrong.append(f"{number.name} ended it with {code}: {self.said.read_text()}")
        if not all_ended(child):
            wrong.append(f"{number.name}: a process outlives its main process")
        if copies(self.temporary, *([store] if store.exists() else [])):
            wrong.append(f"{number.name}: a copy of records stays")
        if code == exits.Exit.INTERRUPTED:
            left = {*strange(store, self.temporary), *semaphores(child)}.difference(before)
            wrong += [f"{number.name} {where} ({count or moment}) left {path}" for path in left]
        return child, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000, help="kills, at least")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", help="where to work; one in memory is quicker")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        attack, wrong, trials = Attack(folder, asked.seed), [], 0
        while attack.ended < asked.count:
            found = attack.trial(asked.workers)
            trials += 1
            for each in found:
                print(f"trial {trials}: {each}", flush=True)
            wrong += found
            if trials % 20 == 0:
                print(trials, "trials,", attack.ended, "kills", flush=True)
    for kind, count in sorted(attack.kills.items()):
        print(f"{count:6d}  {', '.join(kind)}")
    print(f"{trials} runs, {attack.ended} kills, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
