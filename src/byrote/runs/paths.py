"""File names of a run folder."""

from dataclasses import dataclass
from pathlib import Path

from byrote.runs.files import check_no_links
from byrote.plans.design import RELEASE


@dataclass(frozen=True)
class RunPaths:
    """The files of one run folder."""

    root: Path

    def check(self) -> None:
        """Reject symbolic links in the folder before anything is read or written."""
        check_no_links(self.root, ("fits", "failures", "models", "figures", "work"))

    @property
    def manifest(self) -> Path:
        """Description of the run."""
        return self.root / "run.json"

    @property
    def records(self) -> Path:
        """Ids and labels."""
        return self.root / "records.parquet"

    @property
    def plan(self) -> Path:
        """The design: who sees what."""
        return self.root / "plan.parquet"

    @property
    def canaries(self) -> Path:
        """Patterns and secrets of the canaries of an exposure run."""
        return self.root / "canaries.parquet"

    @property
    def fits(self) -> Path:
        """Folder of finished fits."""
        return self.root / "fits"

    @property
    def failures(self) -> Path:
        """Folder of failed fits."""
        return self.root / "failures"

    @property
    def models(self) -> Path:
        """Folder of kept models."""
        return self.root / "models"

    @property
    def figures(self) -> Path:
        """Folder of figures."""
        return self.root / "figures"

    @property
    def neighbors(self) -> Path:
        """Nearest-neighbour ratios."""
        return self.root / "neighbors.parquet"

    @property
    def near_duplicates(self) -> Path:
        """Near-duplicates among the records."""
        return self.root / "near-duplicates.parquet"

    @property
    def pruned(self) -> Path:
        """Ids of the records that remain after pruning."""
        return self.root / "pruned.csv"

    @property
    def study(self) -> Path:
        """Report of a study."""
        return self.root / "study.md"

    @property
    def work(self) -> Path:
        """Folder of a running process; removed when it ends."""
        return self.root / "work"

    @property
    def lock(self) -> Path:
        """Lock of the process that works on the run."""
        return self.root / "run.lock"

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


def _name(number: int) -> str:
    return "release" if number == RELEASE else f"fit-{number:06d}"
