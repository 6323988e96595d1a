"""byrote disclose: how much better a secret is guessed because a record was trained on."""

from byrote.cli.options.training import DiscloseOptions
from byrote.cli.output import output_format
from byrote.cli.verbs.score import named_model, sample_count, train
from byrote.cli.verbs.show import print_disclosure
from byrote.scores.privacy.attribute_disclosure import guesser_of
from byrote.scores.run import Run


def disclose(options: DiscloseOptions) -> int:
    """Train with and without each record, and print what is disclosed; return the exit code."""
    output = output_format(options.as_json, options.as_csv)
    run = train(
        options,
        lambda: guesser_of(named_model(options), options.secret, sample_count(options)),
        output,
    )
    if not isinstance(run, Run):
        return run
    return print_disclosure(run, output, top=options.top)
