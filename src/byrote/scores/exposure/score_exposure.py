"""Exposure from a model, a text and canaries: insert, train, measure."""

from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from byrote import checks
from byrote.data.canaries import Canary
from byrote.data.canary_records import Measurement, plant
from byrote.data.corpus import Corpus
from byrote.errors import InvalidInput
from byrote.plans import Insertions
from byrote.runs.execute import run_fits
from byrote.runs.job import KEEP_MODELS
from byrote.runs.progress import Bar, Progress, Silent
from byrote.runs.request import Request, Settings
from byrote.runs.temporary import temporary_folder
from byrote.scores.exposure.exposure_result import ExposureResult
from byrote.scores.run import Run


def score_exposure(
    model: Any,
    corpus: Corpus | Sequence[str],
    canaries: Canary | Sequence[Canary],
    *,
    insertions: Sequence[int] = (1, 4, 16),
    canaries_per_level: int = 4,
    controls: int = 16,
    fits: int = 1,
    references: int = 5000,
    method: str = "auto",
    max_queries: int = 20_000,
    held_out: float = 0.1,
    within: float = 1.0,
    seed: int = 0,
    track: Sequence[int] = (),
    out: str | Path | None = None,
    workers: int = 1,
    threads: int = 1,
    executor: str | Executor = "auto",
    progress: bool = False,
    debug: bool = False,
    keep_models: str = "none",
) -> ExposureResult:
    """Measure the exposure of secrets by their number of insertions in the training text.

    Canaries with random secrets are inserted into a copy of the text, each as a separate line,
    and some are left out; the model is trained on it, and the exposure of each canary is measured
    (Carlini et al. 2019).

    Parameters
    ----------
    model
        A language model: an estimator with ``takes_texts``, such as ``byrote.models.CharLSTM``. Its
        ``random_state`` is set for every fit.
    corpus
        The text to train on: a ``Corpus`` or a list of documents.
    canaries
        Patterns whose secrets are drawn. A pattern with a secret is also inserted with that secret,
        as often as the highest level, without a p-value, which is for drawn secrets. Canaries of
        one pattern compete: only one of them can have rank 1 in a model.
    insertions, canaries_per_level, controls
        Numbers of insertions (levels); number of canaries of each pattern at each level; number of
        canaries of each pattern never inserted.
    fits
        Number of models trained; from the second on, canaries are assigned to levels again.
    references
        Number of candidates drawn at random for each pattern, whose log-perplexities are kept.
    method, max_queries
        How ranks are found in the model, as for ``byrote.expose``; "none": by references alone.
    held_out
        Share of the text, at its end, held out to test the model; canaries go into the rest.
    within
        Share of the training text, from its start, that canaries go into.
    seed
        Seed of every random choice.
    track
        Reports of the model, from 1, after which exposure is also measured: epochs, or every N
        batches where the model has ``report_every`` = N. Models and final numbers do not change.
    out, workers, threads, executor, progress, debug
        As for ``byrote.score_memorization``.
    keep_models
        "release": keep the weights of the first fit, whose model would ship; "all": of every fit.

    Raises
    ------
    InvalidInput
        If an argument is invalid; nothing was written.
    RunMismatch
        If the folder holds another run; the message lists the differences.
    IncompleteRun
        If fits failed. The others are kept: start again to retry.

    Examples
    --------
    >>> import byrote
    >>> from byrote.models import CharLSTM
    >>> text = ["the cat sat on the mat and the dog sat on the log"] * 60
    >>> model = CharLSTM(hidden=16, layers=1, epochs=2, batch_size=4, window=16)
    >>> run = byrote.score_exposure(
    ...     model, text, byrote.Canary("my pin is {digits:4}"), insertions=[2],
    ...     canaries_per_level=2, controls=2, references=50,
    ... )
    >>> run.inserted.tolist(), run.role.tolist()
    ([2, 2, 0, 0], ['canary', 'canary', 'control', 'control'])
    """
    if out is None and checks.choice("keep_models", keep_models, KEEP_MODELS) != "none":
        raise InvalidInput(
            f"keep_models={keep_models!r} needs out, the folder of the run; got None"
        )
    patterns = checks.as_list("canaries", [canaries] if isinstance(canaries, Canary) else canaries)
    request = exposure_request(
        model,
        corpus if isinstance(corpus, Corpus) else Corpus(corpus),  # type: ignore[arg-type]
        patterns,
        insertions=insertions,
        canaries_per_level=canaries_per_level,
        controls=controls,
        fits=fits,
        measurement=Measurement(references, method, max_queries),
        held_out=held_out,
        within=within,
        settings=Settings(seed, threads, workers, executor, debug, keep_models),
        track=track,
    )
    display: Progress = Bar() if checks.flag("progress", progress) else Silent()
    if out is not None:
        return Run(run_fits(request, checks.path("out", out), display)).exposure()
    with temporary_folder() as folder:
        return Run(run_fits(request, folder / "run", display)).exposure()


def exposure_request(
    model: Any,
    corpus: Corpus,
    patterns: Sequence[Canary],
    *,
    insertions: Sequence[int],
    canaries_per_level: int,
    controls: int,
    settings: Settings,
    fits: int = 1,
    measurement: Measurement | None = None,
    held_out: float = 0.1,
    within: float = 1.0,
    track: Sequence[int] = (),
) -> Request:
    """Describe the run that ``score_exposure`` executes."""
    for place, pattern in enumerate(patterns):
        if not isinstance(pattern, Canary):
            raise InvalidInput(
                f"canaries must be of the class Canary; number {place} is {type(pattern).__name__}"
            )
    canaries_per_level = checks.integer("canaries_per_level", canaries_per_level, at_least=0)
    controls = checks.integer("controls", controls, at_least=0)
    plan = Insertions(
        levels=tuple(checks.as_list("insertions", insertions)),
        per_level=canaries_per_level * len(patterns),
        controls=controls * len(patterns),
        fits=fits,
        chosen=sum(pattern.completion is not None for pattern in patterns),
        within=within,
    )
    training, test = corpus.split(held_out)
    records = plant(
        training,
        patterns,
        per_level=[canaries_per_level] * len(plan.levels),
        controls=controls,
        seed=settings.seed,
        held_out=test,
        measurement=measurement,
    )
    return Request(model=model, records=records, plan=plan, settings=settings, track=track)
