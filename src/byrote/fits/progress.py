"""What a person sees while fits run. Quiet unless somebody is watching."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from byrote.fits.job import Outcome


class Progress(Protocol):
    """Hears of every fit."""

    def start(self, total: int, done: int) -> None:
        """Fits of the run, and how many were finished before."""

    def ended(self, outcome: Outcome) -> None:
        """A fit ended."""

    def waiting(self, heartbeats: Path) -> None:
        """Nothing ended for a moment; the folder holds the current epoch and loss of each fit."""

    def stop(self) -> None:
        """No more fits."""


class Silent:
    """For pipelines, and for libraries."""

    def start(self, total: int, done: int) -> None:
        """Nothing."""

    def ended(self, outcome: Outcome) -> None:
        """Nothing."""

    def waiting(self, heartbeats: Path) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""


class Bar:
    """A bar on standard error: fits done, time left, current epoch and loss."""

    def __init__(self) -> None:
        from rich.console import Console  # noqa: PLC0415 (slow to load; most runs are silent)
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._bar = Progress(
            TextColumn("fits"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("elapsed"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[news]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._failed = 0

    def start(self, total: int, done: int) -> None:
        """Draw the bar."""
        self._task = self._bar.add_task("fits", total=total, completed=done, news="")
        self._bar.start()

    def ended(self, outcome: Outcome) -> None:
        """Move on by one fit."""
        self._failed += outcome.failure is not None
        self._bar.update(self._task, advance=1)
        if self._failed:
            self._bar.update(self._task, news=f"[red]{self._failed} failed")

    def waiting(self, heartbeats: Path) -> None:
        """Show the latest epoch and loss."""
        if not self._failed:
            self._bar.update(self._task, news=latest_heartbeat(heartbeats))

    def stop(self) -> None:
        """Clear the bar away."""
        self._bar.stop()


def latest_heartbeat(folder: Path) -> str:
    """'epoch 3, loss 98.7' of the fit that spoke last, or nothing."""
    newest, text = 0.0, ""
    for path in folder.iterdir():
        with suppress(OSError, ValueError):  # a fit may be writing it, or may just have ended
            changed = path.stat().st_mtime
            epoch, loss = path.read_text().split()
            if changed > max(newest, time.time() - 600):
                newest, text = changed, f"epoch {epoch}, loss {loss}"
    return text
