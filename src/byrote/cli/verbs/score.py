"""byrote score: memorization scores; and the execution or forecast of any run."""

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.cli.exits import Exit, complain
from byrote.cli.options.planning import PlanOptions
from byrote.cli.options.records import RecordOptions, load_options
from byrote.cli.options.training import ExposeOptions, ScoreOptions, TrainOptions
from byrote.cli.output import Format, emit, output_format, standard_output_kept_clean
from byrote.cli.verbs.show import print_scores
from byrote.data import Records, TextRecords, load, load_texts
from byrote.data.canary_records import CanaryRecords
from byrote.data.formats.registry import RECORD_FORMATS, holds_texts, record_format
from byrote.errors import InvalidInput
from byrote.models import FromSamples, contract, registry
from byrote.plans import Grouped, KFold, LeaveOneOut, Plan, Probes, Subset
from byrote.report.forecast import of_canaries, of_records
from byrote.report.format import plain
from byrote.runs.execute import kept_in
from byrote.runs.paths import RunPaths
from byrote.runs.progress import Bar, Silent
from byrote.runs.request import Request, Settings
from byrote.scores.memorization.evaluation import Test
from byrote.scores.memorization.score_memorization import run_to_answer
from byrote.scores.memorization.stopping import planned_looks
from byrote.scores.neighbors.text_duplicates import cluster_texts
from byrote.scores.outlook.outlook import foresee
from byrote.scores.run import Run

_PLANS = {"kfold": KFold, "leave-one-out": LeaveOneOut, "subset": Subset, "probes": Probes}
_OF_TEXTS = ("column", "unit")
_TEXT_OPTIONS = ("column", "ids", "labels", "unit", "part", "records", "only")
_OWN_LABELS = "labels"  # of --groups: those of the layout, such as sub-folders
_PLAN_OPTION = {"records": "probes"}  # parameters whose option has another name


def score(options: ScoreOptions) -> int:
    """Train with and without each record, and print the scores; return the exit code."""
    output = output_format(options.as_json, options.as_csv)
    run = train(
        options,
        lambda: build_model(options),
        output,
        keep_models=options.keep_models,
        track=parse_epochs(options.track),
        show_records=options.show_records,
        groups=options.groups,
        group_duplicates=options.group_duplicates,
        looks=options.looks,
        stop_when=options.stop_when,
        test=options.test,
    )
    if not isinstance(run, Run):
        return run
    code = print_scores(
        run, output, top=options.top, test=options.test, show_records=options.show_records
    )
    if options.keep_models != "none":
        run.folder.check_release()
    return code


def train(
    options: TrainOptions,
    build: Callable[[], Any],
    output: Format,
    *,
    keep_models: str = "none",
    track: Sequence[int] = (),
    show_records: bool = False,
    groups: str | None = None,
    group_duplicates: bool = False,
    looks: int | None = None,
    stop_when: str | None = None,
    test: Test = "moderated",
) -> Run | Exit:
    """Execute the run that the options ask for; or print its forecast, and return the exit code.

    ``groups`` and ``group_duplicates`` hold records out together; ``show_records`` and the latter
    apply to texts only. ``looks``, ``stop_when`` and ``test``: as for ``score_memorization``.
    """
    if options.out is None and not options.dry_run:
        raise InvalidInput("--out must name a folder for the run; got none")
    plan = build_plan(options.plan, options.parameters())
    sizes = planned_looks(plan, looks, stop_when)
    model = build()
    if groups is not None and group_duplicates:
        raise InvalidInput("--groups and --group-duplicates exclude each other; got both")
    records, group = load_grouped(options, groups, model, show=show_records)
    model, records = contract.prepared(model, records)
    if group_duplicates:
        group = _near_duplicates(records)
    if group is not None:
        plan = Grouped(plan, group)
    request = Request(
        model=model,
        records=records,
        plan=plan,
        settings=run_settings(options, keep_models),
        track=track,
        looks=sizes,
        stop_when=stop_when or "",
    )
    if options.out is None or options.dry_run:
        print_forecast(request, output, options.started)
        return Exit.DONE
    run = execute(request, options.out, test)
    return Exit.INTERRUPTED if run is None else run


def build_model(options: TrainOptions | PlanOptions) -> Any:
    """Build the model that the options name, or the density of its samples."""
    model = named_model(options)
    samples = sample_count(options)
    return model if samples is None else FromSamples(model, samples=samples)


def named_model(options: TrainOptions | PlanOptions) -> Any:
    """Build the model that the options name."""
    return registry.build(options.model or "vae", registry.parse_settings(options.settings or []))


def sample_count(options: TrainOptions | PlanOptions) -> int | None:
    """Return the number of samples per training record; None for a model's density."""
    count = options.from_samples
    return None if count is None else checks.integer("--from-samples", count, at_least=1)


def load_records(
    options: RecordOptions, model: Any = None, *, show: bool = False, leave_out: str | None = None
) -> Records | TextRecords:
    """Load the records that the options describe: texts where a language model takes them.

    Also where the source holds nothing else, or ``--column`` or ``--unit`` says so. Numbers are
    refused if they are to be shown. ``leave_out`` may be a column of a table.
    """
    values = load_options(options)
    as_texts = options.column is not None or options.unit is not None
    if not (as_texts or contract.takes_texts(model) or holds_texts(options.data)):
        if show:
            raise InvalidInput("--show-records applies to texts; these records are numbers")
        if leave_out is not None and _is_value(leave_out, options):
            values["drop"] = ",".join(filter(None, (options.drop, leave_out)))
        return load(options.data, **{n: v for n, v in values.items() if n not in _OF_TEXTS})
    for name, given in values.items():
        if given is not None and name not in _TEXT_OPTIONS:
            raise InvalidInput(
                f"--{name} does not apply to texts, which take"
                f" {', '.join(f'--{option}' for option in _TEXT_OPTIONS)}"
            )
    return load_texts(options.data, **{name: values[name] for name in _TEXT_OPTIONS})


def load_grouped(
    options: TrainOptions | PlanOptions,
    groups: str | None,
    model: Any = None,
    *,
    show: bool = False,
) -> tuple[Records | TextRecords, NDArray[Any] | None]:
    """Load the records, and the group of each, (n,), where ``groups`` names them."""
    group = None if groups is None else _load_groups(options, groups, model)
    column = None if groups == _OWN_LABELS else groups
    return load_records(options, model, show=show, leave_out=column), group


def _load_groups(options: TrainOptions | PlanOptions, name: str, model: Any) -> NDArray[Any]:
    """Load the group of each record, (n,): its label, or what is loaded as a label would be."""
    if name == _OWN_LABELS:
        labels = load_records(options, model).labels
        if labels is None:
            raise InvalidInput("--groups labels: the records must have labels; they have none")
        return labels
    try:
        return np.asarray(load_records(replace(options, labels=name), model).labels)
    except InvalidInput as error:
        raise InvalidInput(f"--groups, which are read as --labels are: {error}") from None


def _near_duplicates(records: Records | TextRecords) -> NDArray[Any]:
    """Return the cluster of each text, (n,)."""
    if not isinstance(records, TextRecords):
        raise InvalidInput("--group-duplicates applies to texts; these records are numbers")
    return cluster_texts(records)


def _is_value(name: str, options: RecordOptions) -> bool:
    """Whether a name is that of a column of a table that would be taken for values."""
    can_drop = "drop" in RECORD_FORMATS[record_format(options.data)].options
    return can_drop and options.key is None and name not in (options.labels, options.ids)


def build_plan(name: str, options: Mapping[str, Any]) -> Plan:
    """Build a plan from its name and options; None and False count as absent.

    Raises
    ------
    InvalidInput
        If an option is missing or belongs to another plan.
    """
    plan = _PLANS[name]
    parameters = inspect.signature(plan).parameters
    parameter_of = {_PLAN_OPTION.get(parameter, parameter): parameter for parameter in parameters}
    present = {
        option: value
        for option, value in options.items()
        if value is not None and value is not False
    }
    for option in present:
        if option not in parameter_of:
            valid = ", ".join(f"--{option}" for option in parameter_of)
            raise InvalidInput(f"--{option} is not an option of --plan {name}; use {valid}")
    for option, parameter in parameter_of.items():
        if parameters[parameter].default is inspect.Parameter.empty and option not in present:
            raise InvalidInput(f"--plan {name} needs --{option}")
    return plan(**{parameter_of[option]: value for option, value in present.items()})


def parse_epochs(text: str, *, alternatives: str = "") -> tuple[int, ...]:
    """Parse epochs like 5,10,20; the error for other text names the alternatives."""
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise InvalidInput(
            f"--track must be epochs separated by commas, like 5,10,20{alternatives}; got {text!r}"
        ) from None


def run_settings(options: TrainOptions | ExposeOptions, keep_models: str) -> Settings:
    """Return seed, executor and kept models of a run."""
    return Settings(
        seed=options.seed,
        threads=options.threads,
        workers=options.workers,
        executor=options.executor,
        debug=options.debug,
        keep_models=keep_models,
    )


# -- runs -----------------------------------------------------------------------------------------


def execute(request: Request, out: Path, test: Test = "moderated") -> Run | None:
    """Execute the missing fits with a progress bar; return None after an interrupt."""
    try:
        with standard_output_kept_clean():
            return run_to_answer(request, out, Bar() if sys.stderr.isatty() else Silent(), test)
    except KeyboardInterrupt:
        complain(f"interrupted; {kept_in(RunPaths(out))}")
        return None


def print_forecast(request: Request, output: Format, started: float | None = None) -> None:
    """Print the number of fits, their cost and what they can find, from pilot fits.

    ``started``: ``time.perf_counter()`` when the command began (default: now).
    """
    with standard_output_kept_clean():
        if isinstance(request.records, CanaryRecords):
            forecast: Any = request.forecast(started)
            text, data = of_canaries(forecast), asdict(forecast)
        else:
            costs, prospects = foresee(request, started)
            text, data = of_records(costs, prospects), asdict(costs) | asdict(prospects)
    emit(output, text=lambda: [text], data=lambda: plain(data))
