"""Memorization scores: train on parts of the records, and compare log-likelihoods."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

from byrote import checks
from byrote.data.sources import as_records
from byrote.errors import InvalidInput
from byrote.models import contract
from byrote.plans import KFold, Plan, as_plan
from byrote.runs.execute import run_fits
from byrote.runs.files import file_exists
from byrote.runs.job import KEEP_MODELS
from byrote.runs.manifest import Manifest
from byrote.runs.paths import RunPaths
from byrote.runs.progress import Bar, Progress, Silent
from byrote.runs.request import Request, Settings
from byrote.runs.temporary import temporary_folder
from byrote.scores.memorization.evaluation import TESTS, Test
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.stopping import look_of, planned_looks
from byrote.scores.run import Run


def score_memorization(
    model: Any,
    X: Any,
    *,
    plan: Any = None,
    labels: Any = None,
    ids: Any = None,
    standardize: bool | None = None,
    seed: int = 0,
    track: Sequence[int] = (),
    out: str | Path | None = None,
    workers: int = 1,
    threads: int = 1,
    executor: str | Executor = "auto",
    progress: bool = False,
    debug: bool = False,
    keep_models: str = "none",
    test: Test = "moderated",
    stop_when: str | None = None,
    looks: int | None = None,
) -> MemorizationResult:
    """Score how strongly a model memorizes each of its training records.

    The model is retrained on parts of the records, as the plan prescribes, and each record's
    log-likelihood with it in training is compared with that without it: eq. (3) and Algorithm 1 of
    van den Burg & Williams (2021).

    Parameters
    ----------
    model
        A scikit-learn density estimator: ``fit(X)``, ``score_samples(X) -> (n,)`` nats, copyable by
        ``sklearn.base.clone``. Its ``random_state`` is set for every fit.
    X
        (n, d) rows of numbers, (n, h, w) or (n, h, w, c) images, a data frame, or ``Records``.
        Images of uint8 stand for x/255. Models get images as flat rows unless their scikit-learn
        tags declare images. Categories and missing values of a table need a model that takes them:
        ``VAE`` or ``FromSamples``.
    plan
        KFold, LeaveOneOut, Subset, Probes, Membership or a scikit-learn splitter (default:
        ``KFold(10, repeats=10)``).
    labels, ids
        (n,) labels for summaries and stratification; (n,) ids of the records; or the names of such
        columns of a data frame.
    standardize
        Whether the model gets columns at mean 0 and standard deviation 1, over all records; log p
        remains a density in the units of X. Default: for data frames and tables from files, unless
        the model takes columns in their own units.
    seed
        Seed of every random choice.
    track
        Epochs, from 1, after which the partly trained models also score the records; the last epoch
        is always scored. ``Run.trajectory`` reads them. The models and the final scores do not
        change by a bit.
    out
        Folder of the run (default: a temporary one, removed at the end). Starting the same run
        again does only what is missing; a larger plan extends it, and so do more tracked epochs,
        for which fits that lack them are repeated.
    workers, executor
        Number of worker processes; "in-process", "processes", "ray", or any ``concurrent.futures``
        executor. On one kind of processor with the same versions they do not change a bit of the
        result.
    threads
        Threads per fit. They change the last bits, so a run always uses the same number.
    progress
        Show a progress bar on standard error.
    debug
        Keep the messages of exceptions raised by fits, which may quote records.
    keep_models
        "release": one more fit, on all records, whose weights are kept in the run folder: the model
        that would ship, which ``Run.model`` loads. "all": the weights of every fit, too. The model
        needs ``get_weights`` and ``set_weights``. A finished run does only what is missing; under
        "all", finished fits without weights are repeated.
    test
        "moderated": the t-test of each record with a variance that borrows from all records,
        checked by a negative control from the same run; it finds single records with few fits.
        "exact": the randomization test, which rests on the plan alone and needs many more fits.
    stop_when
        Stop before all fits are made if a look at the first ones answers this question:
        "discover=5", once 5 records are found, or even the complete plan would hardly find 5;
        "max-score=20", once it is known whether training raises some scored record's
        log-likelihood by more than 20 nats. The same run started again with another question, or
        none, goes on from there.
    looks
        How often to look, after equal parts of the plan (default: 3 with ``stop_when``). Each look
        spends an equal part of every error probability, so that results hold whichever is the last.

    Raises
    ------
    InvalidInput
        If an argument is invalid; nothing was written.
    RunMismatch
        If the folder holds another run; the message lists the differences.
    IncompleteRun
        If fits failed, that of the release model included. The others are kept: start again to
        retry, or use ``open_run(out).memorization(partial=True)``.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> from sklearn.mixture import GaussianMixture
    >>> x = np.random.default_rng(0).normal(size=(60, 2)); x[7] = 9.0
    >>> result = byrote.score_memorization(GaussianMixture(2), x, plan=byrote.KFold(5, repeats=2))
    >>> result.ids[result.order()[0]]
    np.int64(7)
    """
    if out is None and checks.choice("keep_models", keep_models, KEEP_MODELS) != "none":
        raise InvalidInput(
            f"keep_models={keep_models!r} needs out, the folder of the run; got None"
        )
    checks.choice("test", test, TESTS)
    plan = as_plan(KFold() if plan is None else plan)
    sizes = planned_looks(plan, looks, stop_when)
    records = as_records(X, ids=ids, labels=labels, standardize=standardize)
    model, records = contract.prepared(model, records)
    request = Request(
        model=model,
        records=records,
        plan=plan,
        settings=Settings(seed, threads, workers, executor, debug, keep_models),
        track=track,
        looks=sizes,
        stop_when=stop_when or "",
    )
    display: Progress = Bar() if checks.flag("progress", progress) else Silent()
    if out is not None:
        run = run_to_answer(request, checks.path("out", out), display, test)
        result = run.memorization(test=test)
        if request.keeps:
            run.folder.check_release()
        return result
    with temporary_folder() as folder:
        return run_to_answer(request, folder / "run", display, test).memorization(test=test)


def run_to_answer(
    request: Request, folder: Path, progress: Progress, test: Test = "moderated"
) -> Run:
    """Execute the fits that a run lacks, if it has looks no more than answer its question.

    Each look is at a complete run of a smaller plan, which the next step extends: what a stopped
    run needs to be shown, checked or continued is what every run has. Raises as ``run_fits``.
    """
    if not request.looks:
        return Run(run_fits(request, folder, progress))
    begun = _size_of(folder, request.plan)
    for size in [size for size in request.looks if size >= begun] or request.looks[-1:]:
        step = replace(request, plan=request.plan.resized(size))
        run = Run(run_fits(step, folder, progress))
        if run.incomplete:
            break
        look = look_of(run.manifest, run.evaluation.by(test))
        if look is None or look.answer:
            break
    return run


def _size_of(folder: Path, plan: Plan) -> int:
    """Return the size of the plan that a folder's run has, or 0 without a run."""
    paths = RunPaths(folder)
    if not file_exists(paths.manifest):
        return 0
    return int(Manifest.read(paths.manifest).plan.spec.get(plan.size, 0))
