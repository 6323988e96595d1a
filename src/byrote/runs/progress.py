"""What a person sees while fits run. Quiet unless somebody is watching."""

from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from byrote.runs.job import Outcome


class Progress(Protocol):
    """Hears of every fit."""

    def start(self, total: int, done: int, heartbeats: Path) -> None:
        """Fits of the run, and how many were finished before; where fits say their epoch."""

    def ended(self, outcome: Outcome) -> None:
        """A fit ended."""

    def stop(self) -> None:
        """No more fits."""


class Silent:
    """For pipelines, and for libraries."""

    def start(self, total: int, done: int, heartbeats: Path) -> None:
        """Nothing."""

    def ended(self, outcome: Outcome) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""


class Bar:
    """A bar on standard error: fits done, time left, current epoch and loss."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._failed = 0

    def start(self, total: int, done: int, heartbeats: Path) -> None:
        """Draw the bar."""
        from rich import progress  # noqa: PLC0415 (slow to load; most runs are silent)
        from rich.console import Console  # noqa: PLC0415

        class News(progress.TextColumn):
            max_refresh = 0.5

            def render(self, task: progress.Task) -> Any:
                task.fields["news"] = latest_heartbeat(heartbeats)
                return super().render(task)

        self._bar = progress.Progress(
            progress.TextColumn("fits"),
            progress.BarColumn(bar_width=20),
            progress.MofNCompleteColumn(),
            progress.TextColumn("[red]{task.fields[failed]}"),
            progress.TimeRemainingColumn(),
            progress.TextColumn("left"),
            News("{task.fields[news]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("fits", total=total, completed=done, news="", failed="")
        self._bar.start()

    def ended(self, outcome: Outcome) -> None:
        """Move on by one fit."""
        self._failed += outcome.failure is not None
        failed = f"{self._failed} failed" if self._failed else ""
        self._bar.update(self._task, advance=1, failed=failed)

    def stop(self) -> None:
        """Clear the bar away."""
        if self._bar is not None:
            self._bar.stop()


def latest_heartbeat(folder: Path) -> str:
    """'fit 3: epoch 5, loss 98.7' of the fit that spoke last, or nothing."""
    newest, text = 0.0, ""
    with suppress(OSError, ValueError):  # a fit may be writing, and the folder goes with the run
        for path in folder.iterdir():
            changed = path.stat().st_mtime
            if changed > newest:
                epoch, loss = path.read_text().split()
                newest, text = changed, f"{path.name}: epoch {epoch}, loss {float(loss):.4g}"
    return text
