"""byrote verify: whether a page belongs to its runs."""

from byrote.cli.exits import Exit
from byrote.cli.options.verdicts import VerifyOptions
from byrote.cli.output import emit, output_format
from byrote.report.page.report import verify as verify_page
from byrote.scores.run import open_run


def verify(options: VerifyOptions) -> int:
    """Print whether a page belongs to its runs; return the exit code."""
    problems = verify_page(options.page, [open_run(path) for path in options.runs])
    runs = ", ".join(map(str, options.runs))

    def as_text() -> list[str]:
        if problems:
            return [f"{options.page} does not belong to {runs}: {'; '.join(problems)}."]
        return [f"{options.page} belongs to {runs}."]

    emit(
        output_format(options.as_json),
        text=as_text,
        data=lambda: {"belongs": not problems, "problems": problems},
    )
    return Exit.FAILED if problems else Exit.DONE
