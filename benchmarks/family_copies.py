"""Do samples of families of models copy training images? The foreword of docs/studies/families.md.

One model of each family, with the settings of the study at full scale, on 2,250 of the 3,000 images
of FILE; 200 samples of each, compared with these and with the 750 held out: the memorization ratio,
extraction, and how near the nearest training image is beside the second. A kernel density's samples
are made here, so that it is known which image each was made from.

    python benchmarks/family_copies.py mnist-16.npz
"""

import argparse
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import byrote
from byrote.models import Dequantized, registry
from byrote.models.spaces import from_logit, quantize
from byrote.neighbors import extracted_records, memorization_ratio
from byrote.studies.audit_kind import AuditRun
from byrote.studies.kinds import load_study

RECORDS, TRAINING, SAMPLES, LEVELS = 3000, 2250, 200, 16

Array = NDArray[np.float32]


def images(logits: NDArray[Any], shape: tuple[int, ...]) -> Array:
    """Turn logits into images in levels of grey."""
    x = from_logit(torch.as_tensor(logits, dtype=torch.float32))
    return quantize(x, LEVELS).numpy().reshape(-1, *shape)


def samples(run: AuditRun, train: Array) -> tuple[Array, NDArray[np.intp] | None]:
    """Fit a run's model and draw from it; also return the rows copied, where they are known."""
    parameters = dict(run.model)
    if "epochs" in registry.settable(run.kind):
        parameters["epochs"] = run.epochs
    model = registry.build(run.kind, parameters)
    if "random_state" in model.get_params():
        model.set_params(random_state=0)
    if run.kind == "flow":
        return model.set_params(levels=LEVELS).fit(train).sample(SAMPLES), None
    space = Dequantized(model, levels=LEVELS).fit(train)
    if run.kind == "kde":
        generator = np.random.default_rng(1)
        rows = generator.choice(len(train), SAMPLES, replace=False)
        logits, _ = space._logits(train)
        noise = generator.normal(size=(SAMPLES, logits.shape[1]))
        return images(logits[rows] + model.bandwidth * noise, train.shape[1:]), rows
    drawn = space.estimator_.sample(SAMPLES)
    return images(drawn[0] if isinstance(drawn, tuple) else drawn, train.shape[1:]), None


def nearest(drawn: Array, train: Array) -> tuple[float, NDArray[np.intp]]:
    """Return the median ratio of distances to the nearest two images, and the nearest's rows."""
    distance = np.stack([np.sqrt(np.square(train - x).sum(axis=(1, 2))) for x in drawn])
    rows = np.argsort(distance, axis=1)[:, :2]
    first, second = np.take_along_axis(distance, rows, axis=1).T
    return float(np.median(first / second)), rows[:, 0]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("file")
    options.add_argument("--families", nargs="*", default=[])
    asked = options.parse_args()
    torch.set_num_threads(1)
    x = byrote.load(asked.file, records=RECORDS).x
    order = np.random.default_rng(0).permutation(RECORDS)
    train, held_out = x[order[:TRAINING]], x[order[TRAINING:]]
    print("| family | ratio below 1/3 | held out | extracted | held out | d1/d2, median | copied |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for run in load_study("families").runs("full"):
        if asked.families and run.name not in asked.families:
            continue
        drawn, source = samples(run, train)
        ratio = memorization_ratio(train, drawn, validation=held_out, downsample=False)
        extraction = extracted_records(train, drawn, validation=held_out)
        median, rows = nearest(drawn, train)
        rates = (ratio.rate, ratio.control, extraction.rate, extraction.control)
        cells = [f"{rate.value:.1%}" for rate in rates]
        copied = "unknown" if source is None else f"{np.mean(rows == source):.0%}"
        print("|", " | ".join([run.name, *cells, f"{median:.2f}", copied]), "|", flush=True)


if __name__ == "__main__":
    main()
