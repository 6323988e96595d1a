"""byrote card: what a run found, for a model card."""

from byrote.cli.exits import complain
from byrote.cli.options.verdicts import CardOptions
from byrote.cli.output import print_text
from byrote.cli.verbs.report import check_arguments
from byrote.report.page.card import card_of
from byrote.report.page.report import make_page
from byrote.scores.run import open_run


def card(options: CardOptions) -> int:
    """Print the section of a model card; return the exit code."""
    run = open_run(options.run)
    page = make_page({run.name: run}, thresholds=check_arguments(options))
    [chapter] = page.chapters
    print_text(card_of(chapter, run))
    if run.incomplete:
        complain(run.incomplete)
    return chapter.conclusion.exit_code
