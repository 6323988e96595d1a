"""Progress of the fits of a run: silent, or a bar on standard error."""

from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from byrote.runs.job import Outcome


class Progress(Protocol):
    """Listener to the fits of a run."""

    def start(self, total: int, done: int, heartbeats: Path) -> None:
        """Start with ``done`` fits of ``total`` finished; fits write heartbeats into the folder."""

    def ended(self, outcome: Outcome) -> None:
        """Count a fit that ended."""

    def stop(self) -> None:
        """End after the last fit."""


class Silent:
    """No output, for pipelines and libraries."""

    def start(self, total: int, done: int, heartbeats: Path) -> None:
        """Do nothing."""

    def ended(self, outcome: Outcome) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""


class Bar:
    """A bar of finished fits, with the time left and the latest epoch and loss."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._failed = 0

    def start(self, total: int, done: int, heartbeats: Path) -> None:
        """Show the bar."""
        from rich import progress  # noqa: PLC0415 (slow to load; most runs are silent)
        from rich.console import Console  # noqa: PLC0415

        class Heartbeat(progress.TextColumn):
            max_refresh = 0.5

            def render(self, task: progress.Task) -> Any:
                task.fields["heartbeat"] = latest_heartbeat(heartbeats)
                return super().render(task)

        self._bar = progress.Progress(
            progress.TextColumn("fits"),
            progress.BarColumn(bar_width=20),
            progress.MofNCompleteColumn(),
            progress.TextColumn("[red]{task.fields[failed]}"),
            progress.TimeRemainingColumn(),
            progress.TextColumn("left"),
            Heartbeat("{task.fields[heartbeat]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(
            "fits", total=total, completed=done, heartbeat="", failed=""
        )
        self._bar.start()

    def ended(self, outcome: Outcome) -> None:
        """Advance by one fit."""
        self._failed += outcome.failure is not None
        failed = f"{self._failed} failed" if self._failed else ""
        self._bar.update(self._task, advance=1, failed=failed)

    def stop(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()


def latest_heartbeat(folder: Path) -> str:
    """Return 'fit 3: epoch 5, loss 98.7' of the latest heartbeat, or an empty string."""
    newest, text = 0.0, ""
    with suppress(OSError, ValueError):  # a fit may be writing, and the folder goes with the run
        for path in folder.iterdir():
            changed = path.stat().st_mtime
            if changed > newest:
                epoch, loss = path.read_text().split()
                newest, text = changed, f"{path.name}: epoch {epoch}, loss {float(loss):.4g}"
    return text
