"""byrote show: the scores or exposures of a run."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from byrote.cli.exits import complain, complete_or_not
from byrote.cli.options.runs import ShowOptions
from byrote.cli.output import Format, emit, output_format
from byrote.data import TextRecords
from byrote.errors import InvalidInput
from byrote.report import (
    attribute_disclosure,
    elsewhere,
    exposure,
    memorization,
    near_duplicates,
    per_token,
)
from byrote.report import trajectory as trajectory_text
from byrote.report.attacks import AttackReport, report_of
from byrote.report.conclusion import conclude
from byrote.report.format import plain
from byrote.report.privacy import guarantee
from byrote.scores.elsewhere import accidents_of
from byrote.scores.memorization.between_fits import Accident
from byrote.scores.memorization.evaluation import Test
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.trajectory import Trajectory
from byrote.scores.neighbors.near_duplicates import NearDuplicates
from byrote.scores.privacy.attribute_disclosure import disclosure_of_run, guesses
from byrote.scores.run import Run, open_run

if TYPE_CHECKING:
    import pandas as pd


def show(options: ShowOptions) -> int:
    """Print the scores or exposures of a run; return the exit code."""
    output = output_format(options.as_json, options.as_csv)
    run, top = open_run(options.run), options.top
    if guesses(run):
        for option in ("epoch", "method"):
            if getattr(options, option) is not None:
                raise InvalidInput(
                    f"--{option} does not apply to a run of byrote disclose, such as this one"
                )
        top, test = 10 if top is None else top, options.test or "moderated"
        return print_disclosure(run, output, top=top, test=test)
    if run.has_canaries:
        if options.test is not None:
            raise InvalidInput(
                "--test applies to runs of byrote score; this one is of byrote expose"
            )
        method = options.method or "auto"
        top = 40 if top is None else top
        return print_exposures(run, output, top=top, epoch=options.epoch, method=method)
    if options.method is not None:
        raise InvalidInput("--method applies to runs of byrote expose; this one is of byrote score")
    top, test = 10 if top is None else top, options.test or "moderated"
    return print_scores(
        run, output, top=top, epoch=options.epoch, test=test, show_records=options.show_records
    )


# -- scores ---------------------------------------------------------------------------------------


def print_scores(
    run: Run,
    output: Format,
    *,
    top: int,
    test: Test,
    epoch: int | None = None,
    show_records: bool = False,
) -> int:
    """Print the scores of a run; return the exit code."""
    texts = load_shown(run) if show_records else None
    result, _ = complete_or_not(partial(run.memorization, epoch, test=test))
    copies = load_near_duplicates(run, result)
    tracked = bool(run.manifest.track) and epoch is None and output != "csv"
    trajectory = run.trajectory(partial=True) if tracked else None
    print_result(
        result,
        output,
        top=top,
        trajectory=trajectory,
        copies=copies,
        texts=texts,
        accidents=accidents_of(run),
        after=_guarantee(run),
        attacks=_attacks(run),
    )
    return conclude(result, incomplete=run.incomplete).exit_code


def load_shown(run: Run) -> Sequence[str]:
    """Load the texts of a run, to be shown."""
    records = run.records
    if not isinstance(records, TextRecords):
        raise InvalidInput("--show-records applies to runs on texts; this one is on numbers")
    return records.texts


def load_near_duplicates(run: Run, result: MemorizationResult) -> NearDuplicates | None:
    """Load the near-duplicates that were saved with these scores; None if there are none."""
    copies: NearDuplicates | None = _stored(run.near_duplicates)
    return None if copies is None else replace(copies, score=result.score)


def _stored(load: Callable[[], Any]) -> Any:
    """Load what a command left in a run; None, with a complaint, if it is of another run."""
    try:
        return load()
    except InvalidInput as error:
        complain(f"{error}; it is not shown")
        return None


def _attacks(run: Run) -> list[AttackReport]:
    """Return what was recited and extracted, where these attacks were run."""
    results = [_stored(load) for load in (run.recitation, run.extraction)]
    return [report_of(result) for result in results if result is not None]


def print_result(
    result: MemorizationResult,
    output: Format,
    *,
    top: int,
    trajectory: Trajectory | None = None,
    copies: NearDuplicates | None = None,
    texts: Sequence[str] | None = None,
    accidents: Sequence[Accident] = (),
    after: Iterable[object] = (),
    attacks: Sequence[AttackReport] = (),
) -> None:
    """Print scores, with their trajectory, near copies and accidents where there are any."""

    def as_text() -> Iterator[object]:
        columns = [] if copies is None else [near_duplicates.column(copies)]
        columns += [] if texts is None else [per_token.texts_column(texts)]
        yield memorization.render(result, top=top, columns=columns)
        if trajectory is not None:
            yield from ("", trajectory_text.render(trajectory))
        yield from elsewhere.warnings(accidents)
        yield from after
        for attack in attacks:
            yield from attack.render()

    def as_json() -> dict[str, object]:
        data = memorization.to_json(result, top=top, texts=texts)
        if trajectory is not None:
            data["trajectory"] = trajectory_text.to_json(trajectory)
        if copies is not None:
            data["near_duplicates"] = plain(copies.summary())
        if accidents:
            data["accidents"] = [asdict(accident) for accident in accidents]
        return data | {attack.verb: attack.data for attack in attacks}

    def as_csv() -> "pd.DataFrame":
        columns = {} if copies is None else dict(near_duplicates.columns(copies))
        columns |= {} if texts is None else {"text": texts}
        return result.to_frame().assign(**columns)

    emit(output, text=as_text, data=as_json, table=as_csv)


def _guarantee(run: Run) -> Iterator[object]:
    if run.guarantee is not None:
        yield ""
        yield Text(f"{guarantee(run.guarantee)} byrote epsilon prints the proven bound.")


def print_disclosure(run: Run, output: Format, *, top: int, test: Test = "moderated") -> int:
    """Print how far a run of byrote disclose gives a secret away; return the exit code."""
    result, code = complete_or_not(partial(disclosure_of_run, run, test=test))
    emit(
        output,
        text=lambda: [attribute_disclosure.render(result, top=top)],
        data=lambda: attribute_disclosure.to_json(result, top=top),
        table=result.to_frame,
    )
    return code


# -- exposures ------------------------------------------------------------------------------------


def print_exposures(
    run: Run, output: Format, *, top: int, epoch: int | None = None, method: str = "auto"
) -> int:
    """Print the exposures of a run; return the exit code."""
    result, _ = complete_or_not(partial(run.exposure, epoch, method=method))
    tracked = bool(run.manifest.track) and epoch is None and output != "csv"
    trajectory = run.trajectory(method=method, partial=True) if tracked else None
    attacks = _attacks(run)

    def as_text() -> Iterator[object]:
        yield exposure.render_run(result, top=top)
        if trajectory is not None:
            yield from ("", trajectory_text.render(trajectory))
        yield from _guarantee(run)
        for attack in attacks:
            yield from attack.render()
        yield from ("", _next_commands(run.path))

    def as_json() -> dict[str, object]:
        data = exposure.run_to_json(result)
        if trajectory is not None:
            data["trajectory"] = trajectory_text.to_json(trajectory)
        return data | {attack.verb: attack.data for attack in attacks}

    emit(output, text=as_text, data=as_json, table=result.to_frame)
    return conclude(result, incomplete=run.incomplete).exit_code


def _next_commands(path: Path) -> Text:
    has_models = any((path / "models").glob("*.safetensors"))
    extract = ", extract" if has_models else "; extract needs --keep-models release"
    return Text(f"The run is in {path}: byrote show, figures{extract}.")
