"""Reports: pages of runs in files, and whether a page belongs to its runs."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from byrote import __version__, checks
from byrote.errors import InvalidInput
from byrote.report.page.card import metrics_of
from byrote.report.page.compose import FORMAT, page_of
from byrote.report.page.content import Page
from byrote.report.page.provenance import digests
from byrote.report.page.render import DATA, render
from byrote.runs import files, sealed
from byrote.scores.gate.check import check
from byrote.scores.run import Run

_MOST_BYTES = 1 << 25  # of a page that is read
_END = b"</script>"
_CHANGED = "the page was changed after it was made"


def write_report(
    runs: Mapping[str, Run],
    path: Path,
    *,
    show_records: bool = False,
    thresholds: Mapping[str, Any] | None = None,
) -> Page:
    """Write the page of runs by name, the first one the baseline; see ``Run.report``."""
    sealed.check_destination(path)
    page = make_page(runs, show_records=show_records, thresholds=thresholds)
    files.write_atomically(path, render(page))
    return page


def make_page(
    runs: Mapping[str, Run],
    *,
    show_records: bool = False,
    thresholds: Mapping[str, Any] | None = None,
) -> Page:
    """Return the page of runs by name; thresholds: arguments of ``byrote.check``."""
    shown = checks.flag("show_records", show_records)
    limits = dict(thresholds or {})
    # A page lists the records found; those above a threshold may be a million.
    gates = {name: check(run, **limits, redact=True) for name, run in runs.items() if limits}
    settings = {"show_records": shown, "thresholds": limits}
    return page_of(runs, gates=gates, show_records=shown, settings=settings)


def metrics(run: Run) -> dict[str, float]:
    """Return the numbers of a run under flat names; see ``Run.metrics``."""
    [chapter] = make_page({run.name: run}).chapters
    return metrics_of(chapter)


# -- whether a page belongs to its runs -----------------------------------------------------------


def verify(path: Path, runs: Sequence[Run]) -> list[str]:
    """Return why a page does not belong to runs, a clause each; nothing if it does.

    The page is made again from the runs, in the same way, and every byte compared; where another
    version of byrote made it, the digests of data, model and run are compared instead.

    Raises
    ------
    InvalidInput
        If the file is not such a page, or of another number of runs.
    """
    content = _read(path)
    data = _data_of(path, content)
    recorded = data["runs"]
    if len(recorded) != len(runs):
        raise InvalidInput(
            f"the page is about {len(recorded)} runs: all of them must be given; got {len(runs)}"
        )
    by_name = dict(zip(recorded, runs, strict=True))
    problems = [problem for name in recorded for problem in _differing(name, data, by_name[name])]
    if problems:
        return problems
    if data["byrote"] != __version__:
        return []
    return [] if _again(by_name, data["settings"]) == content else [_CHANGED]


def _again(runs: Mapping[str, Run], settings: Mapping[str, Any]) -> bytes:
    """Make a page again with the settings that it records; empty if they are not valid."""
    show, thresholds = settings["show_records"], settings["thresholds"]
    try:
        return render(make_page(runs, show_records=show, thresholds=thresholds))
    except (InvalidInput, TypeError, ValueError):  # settings that byrote report never writes
        return b""


def _read(path: Path) -> bytes:
    path = checks.path("page", path)
    with files.reading(path):
        if not path.is_file():
            raise InvalidInput(f"page must be a file; got {str(path)!r}")
        if path.stat().st_size > _MOST_BYTES:
            raise _not_a_page(path)
        return path.read_bytes()


def _data_of(path: Path, content: bytes) -> dict[str, Any]:
    start = content.rfind(DATA.encode())
    end = content.find(_END, start)
    if start < 0 or end < 0:
        raise _not_a_page(path)
    try:
        data = json.loads(content[start + len(DATA) : end])
        is_page = data["format"] == FORMAT and _is_complete(data)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise _not_a_page(path) from None
    if not is_page:
        raise _not_a_page(path)
    return dict(data)


def _is_complete(data: Mapping[str, Any]) -> bool:
    """Whether the parts that a verification reads are there."""
    _ = data["byrote"], data["settings"]["show_records"], data["settings"]["thresholds"]
    return all(_digests(data, name).keys() for name in data["runs"])


def _not_a_page(path: Path) -> InvalidInput:
    return InvalidInput(f"page must be a file that byrote report wrote; {str(path)!r} is not")


def _digests(data: Mapping[str, Any], name: str) -> dict[str, str]:
    sections: Mapping[str, Any] = data["runs"][name]["sections"]
    [made] = [part for key, part in sections.items() if key.endswith("made")]
    return dict(made["digests"])


def _differing(name: str, data: Mapping[str, Any], run: Run) -> list[str]:
    recorded, now = _digests(data, name), digests(run)
    return [
        f"{name}: the SHA-256 of its {part} differs from that of the page"
        for part in now
        if recorded.get(part) != now[part]
    ]
