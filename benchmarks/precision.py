"""Does bfloat16 change the scores? By as much as another seed does, or less?

    python benchmarks/precision.py --data mnist_train.npz --labels y --image pad=2 --records 3000

First the same weights are scored in both precisions. Then a small study is made in float32 with two
seeds and in bfloat16: if precision matters less than chance, bfloat16 agrees with float32 as well
as float32 with another seed does.
"""

import argparse

import numpy as np
from sklearn.base import clone

import byrote
from byrote import KFold
from byrote.models import VAE
from byrote.stats.estimate import spearman


def same_weights(model: VAE, x: np.ndarray) -> str:
    """Log p of all records by one trained model, in both precisions and with the same draws."""
    model = clone(model).set_params(random_state=0, precision="float32").fit(x)
    other = clone(model).set_params(precision="bfloat16").set_weights(model.get_weights())
    exact, quick = model.score_samples(x), other.score_samples(x)
    rank = spearman(exact, quick).value
    difference = quick - exact
    return (
        f"same weights: rank correlation {rank:.6f}, mean difference {difference.mean():+.4f} nats,"
        f" standard deviation {difference.std():.4f}"
    )


def study(model: VAE, x: np.ndarray, plan: KFold, seed: int, workers: int) -> np.ndarray:
    """mean_log of all records; mean log p in training and held out are printed."""
    result = byrote.score_memorization(model, x, plan=plan, seed=seed, workers=workers)
    found = result.summary().mean_log_prob
    print(
        f"{model.precision}, seed {seed}: mean log p {found['in'].value:.2f} in training,"
        f" {found['out'].value:.2f} ± {found['out'].standard_error:.2f} held out",
        flush=True,
    )
    return result.mean_log


def main() -> None:
    """Print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--labels")
    parser.add_argument("--image")
    parser.add_argument("--records", type=int, default=3000)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    options = {name: getattr(asked, name) for name in ("labels", "image") if getattr(asked, name)}
    x = byrote.load(asked.data, **options).x[: asked.records]
    model, plan = VAE(epochs=asked.epochs, draws=64, compile=True), KFold(3, repeats=4)
    print(same_weights(model, x), flush=True)
    single, half = (clone(model).set_params(precision=p) for p in ("float32", "bfloat16"))
    first = study(single, x, plan, 0, asked.workers)
    other = study(single, x, plan, 1, asked.workers)
    lower = study(half, x, plan, 0, asked.workers)
    for name, scores in (("float32, another seed", other), ("bfloat16", lower)):
        rank = spearman(first, scores)
        print(
            f"mean_log against float32: {name}: rank correlation {rank.value:.3f}"
            f" [{rank.low:.3f}, {rank.high:.3f}]"
        )


if __name__ == "__main__":
    main()
