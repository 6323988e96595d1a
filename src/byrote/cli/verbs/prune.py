"""byrote prune: a list of the records without the memorized ones."""

from pathlib import Path

from byrote import checks
from byrote.cli.exits import Exit
from byrote.cli.options.runs import PruneOptions
from byrote.cli.output import emit, output_format
from byrote.cli.verbs.show import load_near_duplicates
from byrote.data.id_lists import check_suffix
from byrote.errors import InvalidInput
from byrote.report import pruning as report
from byrote.runs.paths import RunPaths
from byrote.runs.sealed import check_destination
from byrote.scores.memorization import pruning
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.run import open_run


def prune(options: PruneOptions) -> int:
    """Write the ids of the records kept, and print a summary of those removed."""
    share = None if options.top is None else parse_share("--top", options.top)
    run = open_run(options.run)
    paths = run.folder.paths
    out = paths.pruned if options.out is None else check_suffix("--out", options.out)
    check_destination(out)
    result = run.memorization()
    _check_free(out, paths, result)
    pruned = pruning.prune(result, fdr=options.fdr, top=share)
    pruned.save(out)
    copies = load_near_duplicates(run, result)
    emit(
        output_format(options.as_json),
        text=lambda: [report.render(pruned, result.description, out, copies)],
        data=lambda: report.to_json(pruned, out, copies),
    )
    return Exit.DONE


def parse_share(option: str, text: str) -> float:
    """Parse a share between 0 and 1 (both excluded), a percentage or a number.

    Raises
    ------
    InvalidInput
        If the text is neither, or out of range.

    Examples
    --------
    >>> parse_share("--top", "5%"), parse_share("--top", "0.05")
    (0.05, 0.05)
    """
    share = checks.parse_share(text)
    if not 0 < share < 1:  # NaN neither
        raise InvalidInput(f"{option} must be a share such as 5% or 0.05; got {text!r}")
    return share


def _check_free(out: Path, paths: RunPaths, result: MemorizationResult) -> None:
    """Reject a file of the data or of the run folder."""
    data = result.description["data"]
    sources = [data["location"], data["options"].get("labels"), data["options"].get("ids")]
    is_source = out.resolve() in {Path(name).resolve() for name in sources if name}
    in_run = out.resolve().parent == paths.root.resolve() and out.stem != paths.pruned.stem
    if is_source or in_run:
        raise InvalidInput(f"--out must not be a file of the data or the run; got {out}")
