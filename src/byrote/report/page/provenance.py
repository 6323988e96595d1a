"""Digests that tie a page to its run: of the data, the model, and every file that counts."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from byrote.runs import files
from byrote.scores.run import Run
from byrote.stats.threads import in_order

_BLOCK = 1 << 24  # bytes read at a time


def digests(run: Run) -> dict[str, str]:
    """Return SHA-256 of data, model and run, 64 hexadecimal digits each.

    data: the fingerprint of values, ids and labels. model: class, code, parameters and files. run:
    its description, plan and ids, every finished fit, and the results kept beside them.
    """
    return {
        "data": run.manifest.data.fingerprint,
        "model": of_model(run),
        "run": _of_files(run),
    }


def of_model(run: Run) -> str:
    """Return the SHA-256 of a run's model: class, code, parameters and files."""
    model = json.dumps(run.manifest.model.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(model.encode()).hexdigest()


def _of_files(run: Run) -> str:
    digest, paths = hashlib.sha256(), [*_files(run)]
    values = run.design.n * run.design.fits
    for path, of_file in zip(paths, in_order(_of_file, paths, size=values), strict=True):
        digest.update(f"{path.relative_to(run.path).as_posix()}\n".encode())
        digest.update(of_file)
    return digest.hexdigest()


def _files(run: Run) -> Iterator[Path]:
    """Yield the files on which a page rests, in an order of their own."""
    paths = run.folder.paths
    yield from (paths.manifest, paths.records, paths.plan)
    for path in (paths.canaries, *paths.results):
        if files.file_exists(path):
            yield path
    yield from (paths.fit(fit) for fit in run.finished)


def _of_file(path: Path) -> bytes:
    digest = hashlib.sha256()
    with files.reading(path), path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.digest()
