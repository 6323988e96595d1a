"""What do as few importance samples as ``draws="auto"`` takes cost, and what do they spare?

    python benchmarks/draws.py                                     the bundled digits
    python benchmarks/draws.py --data mnist_train.npz --labels y --records 3000 --epochs 20

One run with "auto", whose models are kept and scored again: with 256 draws, for records found,
standard errors and time, and, on some records, with 8,192, for the error of both numbers.

With --proposals one model is trained instead, and ways to draw are compared: error against 16,384
draws, spread of repeats, the error stated, and processor time.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone

import byrote
from byrote.models import VAE
from byrote.models.vae import proposals
from byrote.models.vae.proposals import Proposal
from byrote.scores.memorization.evaluation import Evaluation, evaluate
from byrote.scores.run import Run
from byrote.stats.multiple_testing import q_values

FIXED, MANY = 256, 8192
REPEATS = 12
FOUND = 0.05  # largest q-value


def rescored(
    run: Run, x: NDArray[np.generic], draws: int, *, others: bool = False
) -> tuple[Evaluation, float]:
    """Evaluate the run's models with a number of draws, or as many others; also a fit's time."""
    design, table = run.design, run.table()
    values = np.full((design.fits, design.n), np.nan)
    seconds = []
    for fit in range(design.fits):
        rows, model = design.counted_rows(fit), run.model(fit).set_params(draws=draws)
        if others:
            model.set_params(random_state=fit)
        started = time.process_time()
        values[fit, rows] = model.score_samples(x[rows])
        seconds.append(time.process_time() - started)
    bystanders = values[:, design.bystanders] if len(design.bystanders) else None
    table = replace(table, log_prob=values[:, table.rows], bystanders=bystanders)
    return evaluate(table, run.manifest.seed), float(np.median(seconds))


def found_by(evaluation: Evaluation) -> NDArray[np.bool_]:
    """Records found at a false discovery rate of 5 %."""
    return q_values(evaluation.p_value) <= FOUND


def compare(few: Evaluation, all_: Evaluation) -> str:
    """Compare records found, standard errors and scores."""
    one, other = found_by(few), found_by(all_)
    few_error, error = (evaluation.standard_error["mean_log"] for evaluation in (few, all_))
    change = few.estimate["mean_log"] - all_.estimate["mean_log"]
    return (
        f"found {one.sum()} and {other.sum()}, both {(one & other).sum()}"
        f" of {len(change)}; standard error of mean_log {np.median(few_error):.3f} and"
        f" {np.median(error):.3f} (median ratio {np.median(few_error / error):.3f}); mean_log"
        f" changes by {np.median(change):+.3f} ± {change.std():.3f}, its median being"
        f" {np.median(all_.estimate['mean_log']):.2f}"
    )


def errors(run: Run, x: NDArray[np.generic], draws: int, records: int) -> list[str]:
    """Errors of both numbers of draws against 8,192, for records in training and held out."""
    design = run.design
    differences: dict[tuple[int, bool], list[NDArray[np.float64]]] = {}
    stated: dict[tuple[int, bool], list[NDArray[np.float64]]] = {}
    for fit in range(2):
        rows = np.random.default_rng(fit).permutation(design.counted_rows(fit))[:records]
        model = run.model(fit).set_params(draws=MANY, random_state=1)
        exact, inside = model.score_samples(x[rows]), design.trained_on(fit)[rows]
        for number in (draws, FIXED):
            estimates = run.model(fit).set_params(draws=number).importance(x[rows])
            for side in (True, False):
                of = inside == side
                change = (estimates.log_prob - exact)[of]
                differences.setdefault((number, side), []).append(change)
                stated.setdefault((number, side), []).append(estimates.standard_error[of])
    lines = []
    for key in sorted(differences, reverse=True):
        change, error = np.concatenate(differences[key]), np.concatenate(stated[key])
        lines.append(
            f"{key[0]} draws, {'in training' if key[1] else 'held out'}: error {change.std():.2f},"
            f" bias {change.mean():+.2f}, stated error {np.sqrt(np.mean(error**2)):.2f} nats"
            f" ({len(change)} values)"
        )
    return lines


def training_seconds(run: Run, x: NDArray[np.generic]) -> float:
    """Processor time of training the first fit again."""
    model, rows = clone(run.model(0)), run.design.training_rows(0)
    started = time.process_time()
    model.fit(x[rows])
    return time.process_time() - started


def antithetic(shape: tuple[int, ...], generator: torch.Generator, device: Any) -> torch.Tensor:
    """Draw normals, the second half of a record's being the first with the other sign."""
    half = NORMALS((shape[0] // 2, *shape[1:]), generator=generator, device=device)
    return torch.cat([half, -half])


def quasi(shape: tuple[int, ...], generator: torch.Generator, device: Any) -> torch.Tensor:
    """Draw normals from a Sobol sequence, shifted at random for each record."""
    count, n, latent = shape
    points = torch.quasirandom.SobolEngine(latent).draw(count).to(device)
    shift = torch.rand((n, latent), generator=generator, device=device)
    uniform = (points[:, None] + shift).remainder(1).clamp(1e-6, 1 - 1e-6)
    return torch.special.ndtri(uniform)


NORMALS = torch.randn
WAYS: dict[str, tuple[dict[str, Any], bool, Any]] = {  # parameters, posteriors or not, normals
    "encoder": ({}, False, NORMALS),
    "antithetic": ({}, False, antithetic),
    "quasi-Monte Carlo": ({}, False, quasi),
    "a fifth from a widened encoder": ({"defensive": 0.2}, False, NORMALS),
    "half from posteriors": ({}, True, NORMALS),
    "the same, quasi-Monte Carlo": ({}, True, quasi),
    "the same, a fifth widened": ({"defensive": 0.2}, True, NORMALS),
}


def print_proposals(model: VAE, x: NDArray[np.generic], records: int) -> None:
    """Compare ways to draw, on records in training and held out of one fit."""
    rows = np.random.default_rng(0).permutation(len(x))
    left_out = rows[: len(x) // 10]
    fitted = clone(model).set_params(random_state=0).fit(x[np.sort(rows[len(left_out) :])])
    some = x[np.concatenate([rows[-records:], left_out[:records]])]
    exact = fitted.set_params(draws=2 * MANY, random_state=99).score_samples(some)
    print("| draws | way | spread, in / out | bias, in / out | stated | k-hat high | ms a record |")
    for draws in (16, 64, 256):
        for way, (parameters, refined, normals) in WAYS.items():
            fitted.set_params(draws=draws, defensive=0.0).set_params(**parameters)
            refine = Proposal.refine if refined else lambda *_: None
            found, seconds = [], []
            with (
                mock.patch.object(Proposal, "refine", refine),
                mock.patch.object(proposals.torch, "randn", normals),
            ):
                for seed in range(REPEATS):
                    fitted.set_params(random_state=seed)
                    started = time.process_time()
                    found.append(fitted.importance(some))
                    seconds.append(time.process_time() - started)
            error = np.stack([one.log_prob for one in found]) - exact
            spread = np.sqrt(error.var(axis=0, ddof=1).reshape(2, -1).mean(axis=1))
            bias = error.mean(axis=0).reshape(2, -1).mean(axis=1)
            stated = np.sqrt(np.mean([one.standard_error**2 for one in found]))
            high = np.mean([one.k_hat > min(1 - 1 / np.log10(draws), 0.7) for one in found])
            print(
                f"| {draws} | {way} | {spread[0]:.3f} / {spread[1]:.3f} | {bias[0]:+.3f} /"
                f" {bias[1]:+.3f} | {stated:.3f} | {high:.0%} |"
                f" {1000 * min(seconds) / len(some):.3f} |",
                flush=True,
            )


def main() -> None:
    """Print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="digits")
    parser.add_argument("--labels")
    parser.add_argument("--records", type=int)
    parser.add_argument("--probes", type=int, default=500)
    parser.add_argument("--fits", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--exact", type=int, default=200, help="records scored with 8,192 draws")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--proposals", action="store_true", help="compare ways to draw")
    asked = parser.parse_args()
    x = byrote.load(asked.data, **({"labels": asked.labels} if asked.labels else {})).x
    x = x[: asked.records]
    small = {"latent_dim": 8, "hidden": (64, 32)} if asked.data == "digits" else {}
    arithmetic = {"precision": asked.precision, "compile": asked.compile}
    model = VAE(epochs=asked.epochs, draws="auto", **arithmetic, **small)
    if asked.proposals:
        print_proposals(model, x, asked.exact)
        return
    plan = byrote.Probes(asked.probes, fits=asked.fits)
    with TemporaryDirectory() as temporary:
        out = asked.out or Path(temporary) / "run"
        byrote.score_memorization(model, x, plan=plan, seed=0, out=out, keep_models="all")
        run = byrote.open_run(out)
        draws = run.manifest.settled["draws"]
        print(f"auto: {draws} draws, {asked.fits} fits of {len(x)} records", flush=True)
        few, quick = rescored(run, x, draws)
        all_, slow = rescored(run, x, FIXED)
        training = training_seconds(run, x)
        total = (asked.fits + 2) * training + asked.fits * quick
        fixed = asked.fits * (training + slow)
        print(f"{draws} and {FIXED} draws: {compare(few, all_)}")
        others, _ = rescored(run, x, FIXED, others=True)
        print(f"{FIXED} others and {FIXED}: {compare(others, all_)}", flush=True)
        print(
            f"a fit: training {training:.1f} s, scoring {quick:.2f} s and {slow:.2f} s"
            f" ({quick / slow:.2f}); the run with its pilot {total / fixed:.2f} of the time"
        )
        print("\n".join(errors(run, x, draws, asked.exact)))


if __name__ == "__main__":
    main()
