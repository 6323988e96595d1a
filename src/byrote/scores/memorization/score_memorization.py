"""Memorization scores: train on parts of the records, and compare log-likelihoods."""

from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from byrote import checks
from byrote.data.sources import as_records
from byrote.errors import InvalidInput
from byrote.models import contract
from byrote.plans import KFold, as_plan
from byrote.runs.execute import run_fits
from byrote.runs.job import KEEP_MODELS
from byrote.runs.progress import Bar, Progress, Silent
from byrote.runs.request import Request, Settings
from byrote.runs.temporary import temporary_folder
from byrote.scores.memorization.evaluation import TESTS, Test
from byrote.scores.memorization.memorization_result import MemorizationResult
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
        "exact": the randomization test, which cannot err and needs many more fits.

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
    records = as_records(X, ids=ids, labels=labels, standardize=standardize)
    model, records = contract.prepared(model, records)
    request = Request(
        model=model,
        records=records,
        plan=as_plan(KFold() if plan is None else plan),
        settings=Settings(seed, threads, workers, executor, debug, keep_models),
        track=track,
    )
    display: Progress = Bar() if checks.flag("progress", progress) else Silent()
    if out is not None:
        run = Run(run_fits(request, checks.path("out", out), display))
        result = run.memorization(test=test)
        if request.keeps:
            run.folder.check_release()
        return result
    with temporary_folder() as folder:
        return Run(run_fits(request, folder / "run", display)).memorization(test=test)
