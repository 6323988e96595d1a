"""Statistics of a finished run from its Parquet files: a million records, a hundred fits."""

import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.special import logsumexp
from scipy.stats import rankdata
from sklearn.neighbors import KernelDensity

import byrote
from byrote.data import Records
from byrote.plans import KFold, Plan, design_of
from byrote.runs.job import Outcome, Scored
from byrote.runs.paths import RunPaths
from byrote.runs.request import Request, Settings
from byrote.runs.run_folder import RunFolder
from run import peak_gb, report

FOLDS, REPEATS = 10, 10
PLAIN = 20_000  # records of the plain version, whose time is proportional to them


def make_run(folder: Path, records: Records, plan: Plan, number: int = 0) -> RunFolder:
    """A finished run with noise for log-likelihoods, each record's around a level of its own.

    Runs of other numbers have other noise, and models with other parameters.
    """
    n = len(records)
    design = design_of(plan, n)
    request = Request(KernelDensity(bandwidth=1 + number), records, plan, Settings())
    manifest = request.manifest(design)
    run = RunFolder.create(RunPaths(folder), manifest, design, request.kind)
    generator = np.random.default_rng(number)
    level = -100 + 5 * generator.normal(size=n)
    for fit in range(design.fits):
        values = level + generator.normal(size=n)
        run.keep(Outcome(fit, Scored(values[design.counted_rows(fit)])))
    return run


def timed(folder: Path) -> float:
    started = time.perf_counter()
    result = byrote.open_run(folder).memorization()
    assert result.summary().scored == len(result)
    return time.perf_counter() - started


def plain(run: RunFolder) -> float:
    """Algorithm 1, ranks and jackknife written record by record, without reading files."""
    design, values = run.design, run.table().log_prob[:, :PLAIN]
    member = np.array([design.trained_on(fit)[:PLAIN] for fit in range(design.fits)])
    started = time.perf_counter()
    for i in range(values.shape[1]):
        inside = [values[~(design.repeat == r) & member[:, i], i] for r in range(REPEATS)]
        outside = [values[~(design.repeat == r) & ~member[:, i], i] for r in range(REPEATS)]
        score = logsumexp(values[member[:, i], i]) - logsumexp(values[~member[:, i], i])
        jackknife = [logsumexp(a) - logsumexp(b) for a, b in zip(inside, outside, strict=True)]
        ranks = [rankdata(values[design.repeat == r, i]) for r in range(REPEATS)]
        assert np.isfinite(score + np.std(jackknife) + ranks[0][0])
    return time.perf_counter() - started


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = {}
        for n in (250_000, 1_000_000):
            records = Records(np.zeros((n, 1), dtype=np.float32), source="synthetic")
            run = make_run(Path(folder) / str(n), records, KFold(FOLDS, REPEATS))
            size = sum(path.stat().st_size for path in run.paths.fits.iterdir()) / 1e9
            rows[f"{n:,} records x {FOLDS * REPEATS} fits: seconds"] = timed(run.paths.root)
            rows[f"{n:,} records x {FOLDS * REPEATS} fits: GB on disk"] = size
        rows["peak memory, GB"] = peak_gb()
        small = RunFolder.open(RunPaths(Path(folder) / "250000"))
        per_record = plain(small) / PLAIN
        rows["plain version, microseconds a record"] = 1e6 * per_record
        ours = rows["1,000,000 records x 100 fits: seconds"] / 1e6
        rows["byrote, microseconds a record"] = 1e6 * ours
        report(rows, {"statistics": per_record / ours})


if __name__ == "__main__":
    main()
