"""File names of a run folder."""

from pathlib import Path

from byrote.plans.design import RELEASE
from byrote.runs.files import check_no_links


class RunPaths:
    """The files of one run folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.manifest = root / "run.json"  # description of the run
        self.records = root / "records.parquet"  # ids and labels
        self.canaries = root / "canaries.parquet"  # patterns and secrets of an exposure run
        self.plan = root / "plan.parquet"  # the design: who sees what
        self.fits = root / "fits"  # finished fits
        self.failures = root / "failures"  # failed fits
        self.models = root / "models"  # kept weights
        self.logs = root / "logs"  # what programs printed in their fits
        self.figures = root / "figures"
        self.neighbors = root / "neighbors.parquet"  # nearest-neighbour ratios
        self.near_duplicates = root / "near-duplicates.parquet"
        self.recitation = root / "recitation.parquet"  # what the kept models recite
        self.extraction = root / "extraction.parquet"  # what was extracted from a kept model
        self.pruned = root / "pruned.csv"  # ids of the records that remain after pruning
        self.membership = root / "membership.parquet"  # who sees what, for programs elsewhere
        self.study = root / "study.md"  # report of a study
        self.work = root / "work"  # files of a running process; removed when it ends
        self.lock = root / "run.lock"  # lock of the process that works on the run

    @property
    def results(self) -> tuple[Path, ...]:
        """What commands leave beside the fits, for the page of the run."""
        return self.neighbors, self.near_duplicates, self.recitation, self.extraction

    def check(self) -> None:
        """Reject symbolic links in the folder before anything is read or written."""
        check_no_links(self.root, ("fits", "failures", "models", "logs", "figures", "work"))

    def fit(self, number: int) -> Path:
        """A finished fit."""
        return self.fits / f"fit-{number:06d}.parquet"

    def superseded(self, number: int) -> Path:
        """A finished fit that is being repeated, until its successor is written."""
        return self.fits / f"fit-{number:06d}.parquet.old"

    def failure(self, number: int) -> Path:
        """A failed fit."""
        return self.failures / f"{_name(number)}.json"

    def model(self, number: int) -> Path:
        """The weights of a fit."""
        return self.models / f"{_name(number)}.safetensors"

    def log(self, number: int) -> Path:
        """What the program of a fit printed."""
        return self.logs / f"{_name(number)}.log"


def _name(number: int) -> str:
    return "release" if number == RELEASE else f"fit-{number:06d}"
