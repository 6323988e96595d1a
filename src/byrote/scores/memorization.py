"""Memorization scores: from a model and records, or from a finished run folder."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data.records import as_records
from byrote.errors import IncompleteRun, InvalidInput
from byrote.fits.job import KEEP_MODELS
from byrote.fits.progress import Bar, Progress, Silent
from byrote.fits.request import Request, Settings
from byrote.fits.run import run_fits
from byrote.fits.run_folder import RunFolder
from byrote.fits.table import Table
from byrote.fits.temporary import temporary_folder
from byrote.plans import KFold, as_plan
from byrote.scores.evaluation import Evaluation, evaluate
from byrote.scores.reason import Reason
from byrote.scores.result import MemorizationResult
from byrote.scores.summary import summarize
from byrote.scores.trust import Diagnostics, collect
from byrote.stats.multiple_testing import q_values


def score_memorization(
    model: Any,
    X: Any,
    *,
    plan: Any = None,
    labels: Any = None,
    ids: Any = None,
    seed: int = 0,
    track: Sequence[int] = (),
    store: str | Path | None = None,
    workers: int = 1,
    threads: int = 1,
    executor: str | Executor = "auto",
    progress: bool = False,
    debug: bool = False,
    keep_models: str = "none",
) -> MemorizationResult:
    """Which records did the model learn by rote?

    The model is trained again and again on parts of the records, as the plan says, and each
    record's log-likelihood with and without it in training is compared: eq. (3) and Algorithm 1 of
    van den Burg & Williams (2021).

    Parameters
    ----------
    model
        A scikit-learn density estimator: ``fit(X)``, ``score_samples(X) -> (n,)`` nats, copyable by
        ``sklearn.base.clone``. Its ``random_state`` is set anew for every fit.
    X
        (n, d) rows of numbers, (n, h, w) or (n, h, w, c) images, or ``Records``. Images of uint8
        stand for x/255. Models get images as rows unless their scikit-learn tags say that they take
        images.
    plan
        KFold, LeaveOneOut, Subset, Probes, Membership or a scikit-learn splitter;
        ``KFold(10, repeats=10)`` if not given.
    labels, ids
        (n,) labels for summaries and stratification; (n,) names of the records.
    seed
        Decides every random choice.
    track
        Epochs, from 1, after which the records are scored with the partly trained models too; the
        last is scored always. ``Run.trajectory`` reads them. The models and the last scores stay
        the same bit for bit.
    store
        Folder of the run. Starting the same run again does only what is missing; a larger plan
        extends it, and so do more tracked epochs, for which fits that lack them are done again.
        Without a folder nothing is kept.
    workers, executor
        Worker processes; or "in-process", "processes", "ray", or any ``concurrent.futures``
        executor. They change how long it takes and, on one kind of processor with the same
        versions, not one bit of the result.
    threads
        Threads per fit. They change the last bits, so a run keeps to its number.
    progress
        Show a progress bar on standard error.
    debug
        Keep the text of exceptions raised by fits, which may quote records.
    keep_models
        "release": one more fit, on all records, whose weights are kept in the run folder: the model
        that would ship, which ``Run.model`` loads. "all": the weights of every fit besides. The
        model needs ``get_weights`` and ``set_weights``. A finished run does only what is missing;
        under "all", finished fits without weights are done again.

    Raises
    ------
    InvalidInput
        If an argument cannot be used; nothing was written.
    RunMismatch
        If the folder holds another run; the message says what differs.
    IncompleteRun
        If fits failed, that of the release model included. The others are kept: start again to
        retry, or use ``open_run(store).memorization(partial=True)``.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> from sklearn.mixture import GaussianMixture
    >>> x = np.random.default_rng(0).normal(size=(60, 2)); x[7] = 9.0
    >>> result = byrote.score_memorization(GaussianMixture(2), x, plan=byrote.KFold(5, repeats=2))
    >>> result.ids[result.order()[0]]
    np.int64(7)
    """
    if store is None and checks.choice("keep_models", keep_models, KEEP_MODELS) != "none":
        raise InvalidInput(f"keep_models={keep_models!r} needs a folder: store; got none")
    request = Request(
        model=model,
        records=as_records(X, ids=ids, labels=labels),
        plan=as_plan(KFold() if plan is None else plan),
        settings=Settings(seed, threads, workers, executor, debug, keep_models),
        track=track,
    )
    shown: Progress = Bar() if checks.flag("progress", progress) else Silent()
    if store is not None:
        run = run_fits(request, checks.path("store", store), shown)
        result = scores_of(run)
        if request.keeps:
            run.check_release()
        return result
    with temporary_folder() as folder:
        return scores_of(run_fits(request, folder / "run", shown))


def scores_of(
    run: RunFolder, epoch: int | None = None, *, partial: bool = False
) -> MemorizationResult:
    """Compute the scores of a run from its log-likelihoods; see ``Run.memorization``."""
    partial = checks.flag("partial", partial)
    if epoch is not None:
        epoch = checks.integer("epoch", epoch, at_least=0)
    run.check_no_canaries()
    table = run.table(partial=partial, epoch=epoch)
    if not table.counting().any():
        raise IncompleteRun(run.complaint(table.missing))
    description = run.manifest.model_dump(mode="json")
    if epoch is not None:
        return memorization(table, run.ids, run.labels, {**description, "epoch": epoch})
    return memorization(table, run.ids, run.labels, description, collect(run, table))


def memorization(
    table: Table,
    ids: NDArray[Any],
    labels: NDArray[Any] | None,
    description: Mapping[str, Any],
    diagnostics: Diagnostics | None = None,
) -> MemorizationResult:
    """The result that a table gives; everything in it is a function of the table."""
    found = evaluate(table)
    diagnostics = diagnostics or Diagnostics({})
    reason = _reasons(table, found)
    q = q_values(np.where(np.isnan(found.estimate["score"]), np.nan, found.p_value))

    def spread(values: NDArray[Any], empty: float = np.nan) -> NDArray[Any]:
        if len(table.rows) == table.design.n:
            return values
        whole = np.full((table.design.n, *values.shape[1:]), empty, dtype=values.dtype)
        whole[table.rows] = values
        return whole

    return MemorizationResult(
        ids=ids,
        labels=labels,
        **{name: spread(values) for name, values in found.estimate.items()},
        log_prob_in=spread(found.log_prob_in),
        log_prob_out=spread(found.log_prob_out),
        standard_error={name: spread(values) for name, values in found.standard_error.items()},
        interval=spread(found.interval),
        p_value=spread(found.p_value),
        q_value=spread(q),
        n_in=spread(found.n_in, 0),
        n_out=spread(found.n_out, 0),
        reason=spread(reason, Reason.NOT_SCORED),
        missing=table.missing,
        description=description,
        _summary=summarize(table, found, q, reason, labels, diagnostics.trust),
        **{name: spread(values) for name, values in diagnostics.columns.items()},
    )


def _reasons(table: Table, found: Evaluation) -> NDArray[np.int8]:
    reason = np.zeros(len(table.rows), dtype=np.int8)
    reason[np.isnan(found.estimate["score"])] = Reason.ZERO_DENSITY
    reason[found.n_out == 0] = Reason.NEVER_OUT
    reason[found.n_in == 0] = Reason.NEVER_IN
    return reason
