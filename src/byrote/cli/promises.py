"""What the fits of a run promise of their privacy, said beside its scores or exposures."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text


def promise_of(run: Path) -> "Text | None":
    """What finished fits of a run spent, by their accountants; None where they are not private."""
    from rich.text import Text  # noqa: PLC0415 (slow to load)

    from byrote.fits.paths import RunPaths  # noqa: PLC0415
    from byrote.fits.store import RunFolder  # noqa: PLC0415
    from byrote.report.evidence import promise  # noqa: PLC0415
    from byrote.scores.evidence.promise import promised_by  # noqa: PLC0415

    folder = RunFolder.open(RunPaths(run))
    fits = sorted(set(range(folder.design.fits)) - set(folder.missing()))
    found = promised_by(folder, fits)
    return None if found is None else Text(f"{promise(found)} byrote epsilon tells what is proven.")
