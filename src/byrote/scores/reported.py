"""The page of a run, which a later stage makes."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from byrote import checks
from byrote.display import Displayed


class Reported(Displayed):
    """Base of an open run: its table and its page."""

    @property
    def path(self) -> Path:
        """Path of the run's folder."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """Name of the run's folder."""
        return self.path.resolve().name

    def report(
        self,
        path: str | Path,
        *,
        show_records: bool = False,
        thresholds: Mapping[str, Any] | None = None,
    ) -> None:
        """Write what the run found to one page of HTML, which needs no network (docs/report.md).

        Parameters
        ----------
        path
            File of the page.
        show_records
            Whether the page shows what records, labels and secrets hold, beside their ids.
        thresholds
            Arguments of ``byrote.check``, such as ``{"max_score": 20}``: the page begins with their
            verdict.

        Raises
        ------
        InvalidInput
            If the folder of the file does not exist, or a threshold is not valid.
        IncompleteRun
            If no fit is finished.

        Examples
        --------
        >>> import byrote, numpy as np, tempfile
        >>> generator = np.random.default_rng(0)
        >>> half = np.repeat(np.arange(8)[:, None] < 4, 50, axis=1)
        >>> included = generator.permuted(half, axis=0)
        >>> log_prob = generator.normal(size=(8, 50))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "report.html")
        ...     run = byrote.run_from_table(log_prob, included, randomized=True)
        ...     run.report(path, thresholds={"max_score": 20})
        ...     page = path.read_text(encoding="utf-8")
        >>> page[:15], "<script src" in page
        ('<!doctype html>', False)
        """
        # A later stage, which is loaded when the first page is made.
        module, file = import_module("byrote.report.page.report"), checks.path("path", path)
        module.write_report(
            {self.name: self}, file, show_records=show_records, thresholds=thresholds
        )

    def metrics(self) -> dict[str, float]:
        """Return the numbers at the top of the page under flat names, for any log of metrics.

        Each with the ends of its interval, ``…_low`` and ``…_high``, where they are known. What was
        not measured is absent.
        """
        module = import_module("byrote.report.page.report")
        metrics: dict[str, float] = module.metrics(self)
        return metrics
