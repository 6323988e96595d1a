"""Scale, data, models and time of a study, its missing fits, and its controls."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from byrote.report.format import byte_size, duration, number, plural, with_interval
from byrote.scores.exposure.levels import check_controls
from byrote.studies.audited_records import StudyRecords
from byrote.studies.execute import StudyRun
from byrote.studies.findings.finding import Rows, mean_of, named
from byrote.studies.held_out_texts import HeldOutTexts
from byrote.studies.planted_texts import StudyTexts
from byrote.studies.recitation_kind import CrossValidatedRun, PlantedRun, Pretraining
from byrote.studies.requests import StudyData, StudyImages, StudyText
from byrote.studies.study import ScaledStudy


def facts(data: StudyData, runs: Sequence[StudyRun]) -> Rows:
    """Return scale, data, settings and versions, by name."""
    manifest = runs[0].run.manifest
    if isinstance(data, StudyImages):
        of_data, of_fits = _image_facts(data, runs[0]), _fit_facts(runs[0])
    else:
        seconds = sum(run.total_seconds() for run in runs)
        of_data = _data_facts(data, runs)
        of_fits = [("time of all fits", f"{duration(seconds)}, one after the other")]
    return [
        ("", ""),
        ("scale", _scale(data.scaled)),
        *of_data,
        ("seed, threads a fit", f"{manifest.seed}, {manifest.threads}"),
        *of_fits,
        ('values of "auto"', _listed(manifest.settled) or "–"),
        ("versions", _listed(manifest.environment)),
    ]


def sentence(data: StudyData, runs: Sequence[StudyRun]) -> str:
    """Name study, scale, data and size, for the line below a figure."""
    study, fits = data.scaled.study, sum(len(run.run.finished) for run in runs)
    source = next(value for name, value in facts(data, runs) if name == "data").split(";")[0]
    return (
        f"Study {study.name}, {_scale(data.scaled)}: {source},"
        f" {plural(len(runs), 'run')}, {plural(fits, 'fit')}."
    )


def _data_facts(
    data: StudyText | StudyTexts | HeldOutTexts | StudyRecords, runs: Sequence[StudyRun]
) -> list[tuple[str, str]]:
    if isinstance(data, StudyText):
        return _text_facts(data, runs)
    if isinstance(data, StudyRecords):
        return _record_facts(data, runs)
    texts, first = data.texts, runs[0].declared
    return [
        ("data", f"{texts.source}: {len(texts):,} texts, {texts.characters:,} characters"),
        _plan_of_texts(first),
        ("windows", f"{first.prefix} + {first.suffix} tokens, one every {first.suffix}"),
        *(_pretraining(data.scaled.study.pretraining) if isinstance(data, StudyTexts) else []),
    ]


def _pretraining(declared: Pretraining | None) -> list[tuple[str, str]]:
    if declared is None:
        return []
    tokenizer = f"{declared.vocabulary:,} tokens, of bytes and frequent pairs in these texts"
    trained = f"{declared.data}, {plural(declared.epochs, 'epoch')}, {named(declared.model)}"
    return [("pretraining", f"{trained}; {tokenizer}")]


def _plan_of_texts(run: PlantedRun | CrossValidatedRun) -> tuple[str, str]:
    if isinstance(run, PlantedRun):
        copies = ", ".join(map(str, run.copies))
        return "planted", f"{run.planted} texts for each number of copies: {copies}"
    plan = f"{run.folds} folds, {plural(run.repeats, 'repeat')}"
    return "plan", f"{plan}; {run.vocabulary:,} tokens, of bytes and frequent pairs in all texts"


def _text_facts(data: StudyText, runs: Sequence[StudyRun]) -> list[tuple[str, str]]:
    corpus, records = data.corpus, runs[0].records
    tested = 0 if records.held_out is None else records.held_out.characters
    notes = f"; {_listed(corpus.notes)}" if corpus.notes else ""
    sizes = f"{byte_size(corpus.size)} ({byte_size(corpus.compressed)} compressed)"
    return [
        ("data", f"{corpus.source}: {corpus.characters:,} characters, {sizes}{notes}"),
        ("trained on, tested on", f"{records.corpus.characters:,}, {tested:,} characters"),
    ]


def _record_facts(data: StudyRecords, runs: Sequence[StudyRun]) -> list[tuple[str, str]]:
    audited, first = data.audited, runs[0].declared
    apart = f"{len(data.validation):,} others held out for validation"
    return [
        ("data", f"{_counted(audited.source, len(audited), audited.shape)}; {apart}"),
        ("model", f"{first.kind}: {named(first.model)}"),
    ]


def _image_facts(data: StudyImages, run: StudyRun) -> list[tuple[str, str]]:
    declared, manifest = run.declared, run.run.manifest
    records, noise = manifest.data, manifest.model.parameters.get("noise_seed")
    parameters = {**data.parameters, "noise_seed": noise}
    shown = {name: value for name, value in parameters.items() if value is not None}
    return [
        ("data", _counted(records.source, records.records, records.shape)),
        ("model", f"{declared.kind}: {_listed(shown)}"),
        ("plan", f"{declared.folds} folds, {plural(declared.repeats, 'repeat')}"),
        ("tracked epochs", ", ".join(map(str, manifest.track))),
    ]


def _fit_facts(run: StudyRun) -> list[tuple[str, str]]:
    summary, seconds = run.memorization.summary(), run.median_seconds()
    time = "" if np.isnan(seconds) else f", {duration(seconds)} each (median)"
    return [
        ("fits", f"{len(run.run.finished):,} of {run.run.design.fits:,}{time}"),
        ("records scored", f"{summary.scored:,} of {summary.records:,}"),
    ]


def _counted(source: str, count: int, shape: Sequence[int]) -> str:
    return f"{source}: {count:,} records of shape {' x '.join(map(str, shape))}"


def _scale(scaled: ScaledStudy) -> str:
    changed = [
        f"{name} {value:,} in place of {_declared(declared)}"
        for name, (value, declared) in scaled.overridden.items()
    ]
    return f"{scaled.scale}, overridden: {'; '.join(changed)}" if changed else scaled.scale


def _declared(value: Any) -> str:
    if value is None:
        return "all"
    return f"{value:,}" if isinstance(value, int) else " or ".join(f"{v:,}" for v in value)


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def run_table(data: StudyData, runs: Sequence[StudyRun]) -> Rows:
    """Tabulate the runs: model, data and fits; empty for a study of scores, which has one run."""
    if isinstance(data, StudyImages):
        return []
    if isinstance(data, StudyTexts | HeldOutTexts):
        return _text_runs(runs)
    return _canary_runs(runs) if isinstance(data, StudyText) else _audits(runs)


def _text_runs(runs: Sequence[StudyRun]) -> Rows:
    records = "records, with copies" if isinstance(runs[0].declared, PlantedRun) else "records"
    head = ("run", "model", "weights", records, "fits", "epochs", "a fit")
    return [head, *map(_text_run, runs)]


def _text_run(run: StudyRun) -> tuple[str, ...]:
    declared, seconds = run.declared, run.median_seconds()
    return (
        run.title,
        f"{declared.kind}: {named(declared.model)}",
        f"{run.weights:,}",
        f"{run.run.design.n:,}",
        f"{len(run.run.finished)} of {run.run.design.fits}",
        f"{declared.epochs}",
        "–" if np.isnan(seconds) else duration(seconds),
    )


def _canary_runs(runs: Sequence[StudyRun]) -> Rows:
    head = ("run", "model", "inserted (canaries each), never", "references", "fits", "epochs",
            "a fit", "test loss [95 %]", "mean of controls")  # fmt: skip
    return [head, *map(_canary_run, runs)]


def _canary_run(run: StudyRun) -> tuple[str, ...]:
    declared, seconds = run.declared, run.median_seconds()
    levels = ", ".join(map(str, declared.insertions))
    controls = np.flatnonzero(run.exposures.inserted == 0)
    return (
        run.title,
        f"{declared.kind}: {named(declared.model)}",
        f"{levels} ({declared.canaries_per_level}), {declared.controls}",
        f"{declared.references:,}",
        f"{len(run.run.finished)} of {run.run.design.fits}",
        f"{declared.epochs}",
        "–" if np.isnan(seconds) else duration(seconds),
        with_interval(mean_of(run.exposures.test_loss)),
        with_interval(run.mean_exposure(controls)),
    )


def _audits(runs: Sequence[StudyRun]) -> Rows:
    head = ("runs", "", "in the model", "records", "probes", "fits", "epochs")
    common = runs[0].declared.model
    alike: dict[tuple[str, ...], list[str]] = {}  # runs that differ in their seeds alone
    for run in runs:
        seed = run.run.manifest.seed
        alike.setdefault(_audit(run, common), []).append(f"{run.name} (seed {seed})")
    return [head, *((", ".join(names), *cells) for cells, names in alike.items())]


def _audit(run: StudyRun, common: Mapping[str, Any]) -> tuple[str, ...]:
    model, design = run.declared.model, run.run.design
    changed = {name: value for name, value in model.items() if common.get(name) != value}
    return (
        run.title,
        named(changed) or "the same",
        f"{design.n:,}",
        f"{len(run.probe_rows()):,}",
        f"{len(run.run.finished)} of {design.fits}",
        f"{run.declared.epochs}",
    )


def missing_fits(runs: Sequence[StudyRun], failed: Sequence[str]) -> list[str]:
    """Return a sentence for each run that lacks fits."""
    return [
        *(
            f"INCOMPLETE: {len(run.run.missing)} of {run.run.design.fits} fits of {run.name} are"
            " missing; the numbers are of the others."
            for run in runs
            if run.run.missing
        ),
        *(f"INCOMPLETE: no fit of {name} is finished." for name in failed),
    ]


def controls(data: StudyData, runs: Sequence[StudyRun]) -> list[str]:
    """Compare the exposure of canaries that were never inserted with chance, in a sentence."""
    if not isinstance(data, StudyText):
        return []
    checked = {
        run.title: check_controls(run.exposures.exposure, run.exposures.inserted)
        for run in runs
        if (run.exposures.inserted == 0).any()
    }
    if not checked:
        return ["No controls: the exposure of canaries never inserted is not checked."]
    doubtful = [title for title, check in checked.items() if not check.calibrated]
    count = sum(check.controls for check in checked.values())
    mean = sum(check.mean * check.controls for check in checked.values()) / max(1, count)
    sentence = (
        f"Controls, never inserted: mean exposure {number(mean)} bits over {count:,} in"
        f" {plural(len(checked), 'run')} (1.44 expected by chance)"
    )
    if not doubtful:
        return [f"{sentence}; not significantly different from chance in any run (1 % level)."]
    return [f"{sentence}; DIFFERENT from chance (1 % level) in: {'; '.join(doubtful)}."]


def as_data(
    data: StudyText | StudyTexts | HeldOutTexts | StudyRecords, runs: Sequence[StudyRun]
) -> dict[str, Any]:
    """Return data set and runs as plain data."""
    if isinstance(data, StudyText):
        source = {"source": data.corpus.source, "characters": data.corpus.characters}
        of_runs = [_exposures_as_data(run) for run in runs]
    elif isinstance(data, StudyTexts | HeldOutTexts):
        source = {"source": data.texts.source, "records": len(data.texts)}
        of_runs = [{"records": run.run.design.n} for run in runs]
    else:
        source = {
            "source": data.audited.source,
            "records": len(data.audited),
            "validation": len(data.validation),
        }
        of_runs = [{"records": run.run.design.n} for run in runs]
    configurations = [
        {
            **run.declared.model_dump(),
            "folder": run.run.path.name,
            "seconds": run.run.fact("seconds").tolist(),
            **specific,
        }
        for run, specific in zip(runs, of_runs, strict=True)
    ]
    return {"data": source, "configurations": configurations}


def _exposures_as_data(run: StudyRun) -> dict[str, Any]:
    return {
        "test_loss": run.exposures.test_loss.tolist(),
        "tracking_seconds": run.run.fact("tracking_seconds").tolist(),
        "controls": check_controls(run.exposures.exposure, run.exposures.inserted).to_dict(),
    }
