"""Every file name of a run folder, in one place."""

from dataclasses import dataclass
from pathlib import Path

from byrote.plans.design import RELEASE
from byrote.runs.reading import check_no_links


@dataclass(frozen=True)
class RunPaths:
    """The files of one run folder."""

    root: Path

    def check(self) -> None:
        """Refuse a folder with symbolic links in it, before anything is read or written.

        Raises
        ------
        InvalidInput
            If there is one; the folder itself may be.
        """
        check_no_links(self.root, ("fits", "failures", "models", "figures", "work"))

    @property
    def manifest(self) -> Path:
        """What the run is: run.json."""
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
        """Nearest-neighbour ratios beside the scores."""
        return self.root / "neighbors.parquet"

    @property
    def near_duplicates(self) -> Path:
        """Which records have a copy or near copy among the others."""
        return self.root / "near-duplicates.parquet"

    @property
    def pruned(self) -> Path:
        """Ids of the records that stay when memorized ones are taken out."""
        return self.root / "pruned.csv"

    @property
    def study(self) -> Path:
        """The report of a study."""
        return self.root / "study.md"

    @property
    def work(self) -> Path:
        """Folder of what only a running process needs; removed when it ends."""
        return self.root / "work"

    @property
    def lock(self) -> Path:
        """Held by the process that works on the run."""
        return self.root / "run.lock"

    def fit(self, number: int) -> Path:
        """One finished fit."""
        return self.fits / f"fit-{number:06d}.parquet"

    def aside(self, number: int) -> Path:
        """Where a finished fit that is done again waits for its successor."""
        return self.fits / f"fit-{number:06d}.parquet.old"

    def failure(self, number: int) -> Path:
        """One failed fit."""
        return self.failures / f"{_name(number)}.json"

    def model(self, number: int) -> Path:
        """The weights of one fit."""
        return self.models / f"{_name(number)}.safetensors"


def _name(number: int) -> str:
    return "release" if number == RELEASE else f"fit-{number:06d}"
