"""The scores of every record with their uncertainty: the result of an audit."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from byrote.columnar import Columnar, Columns
from byrote.runs.run_folder import RunFolder
from byrote.runs.table import Table
from byrote.scores.memorization.diagnostics import Diagnostics, collect_diagnostics
from byrote.scores.memorization.evaluation import Evaluation
from byrote.scores.memorization.per_token import TokenScores, token_scores
from byrote.scores.memorization.stopping import Look, look_of
from byrote.scores.memorization.summary import Reason, Summary, summarize
from byrote.stats.memorization import ESTIMATORS
from byrote.stats.multiple_testing import q_values
from byrote.stats.ranks import highest
from byrote.stats.threads import in_order

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class MemorizationResult(Columnar):
    """Memorization scores of n records, in the order of the data. Nats unless stated otherwise.

    Attributes
    ----------
    ids
        (n,) record ids.
    labels
        (n,) labels, or None.
    score
        (n,) the paper's M: eq. (3), or eq. (2) under LeaveOneOut. Biased upward by retraining noise
        wherever n_in > n_out.
    matched
        (n,) the same over blocks of equal size on both sides: zero mean without memorization.
    mean_log
        (n,) mean log-likelihood in minus out: the least noisy of the three.
    log_prob_in, log_prob_out
        (n,) log P_A, eq. (1), with the record in training and without it.
    standard_error
        One (n,) array per estimator, by jackknife over repeats or pairs (other probes, subsets:
        over fits within each side). NaN with a single repeat, pair, or value on a side.
    interval
        (n, 2) 95 % t-interval of mean_log, which covers at its nominal rate where values are
        roughly normal (docs/levels.md); intervals of the other two would not. NaN where equal
        values hide the spread.
    p_value
        (n,) one-sided p-value of "held-out values are as high as the others": the moderated test,
        and the exact test where it cannot be had (``summary().sensitivity``).
    q_value
        (n,) Benjamini-Hochberg q-value over the scored records.
    p_value_exact, q_value_exact
        (n,) the same by the exact randomization test.
    n_in, n_out
        (n,) number of fits in which the record was trained on, and held out.
    reason
        (n,) ``Reason`` why a record has no score, 0 where it has one.
    missing
        Fits that failed or are missing; empty unless partial results were requested.
    description
        Model, plan, data and seed of the run.
    mc_error, effective_sample_size, k_hat
        (n,) the model's own diagnostics of its log-likelihoods, or None: Monte Carlo standard error
        (nats, root mean square over fits), effective number of importance samples (the smallest of
        any fit), Pareto k-hat of the weights (the largest).
    tokens
        (n,) number of tokens of each text that were scored; this and what follows None for other
        records, and for models that do not report it.
    bits_per_token_in, bits_per_token_out
        (n,) minus log_prob_in and log_prob_out over tokens, in bits.
    accuracy_in, accuracy_out
        (n,) share of the tokens that were the likeliest, mean over fits.
    counterfactual, counterfactual_error
        (n,) accuracy in minus out, the counterfactual memorization of Zhang et al. (2023), and its
        standard error.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.array([[0.0], [0.1], [0.2], [5.0]])
    >>> result = byrote.score_memorization(KernelDensity(), x, plan=byrote.LeaveOneOut())
    >>> int(result.score.argmax()), result.summary().scored
    (3, 4)
    """

    FORMAT = "byrote-memorization-1"
    CONTENT = "memorization scores"

    labels: NDArray[Any] | None
    score: Array
    matched: Array
    mean_log: Array
    log_prob_in: Array
    log_prob_out: Array
    standard_error: Mapping[str, Array]
    interval: Array
    p_value: Array
    q_value: Array
    p_value_exact: Array
    q_value_exact: Array
    n_in: NDArray[np.int32]
    n_out: NDArray[np.int32]
    reason: NDArray[np.int8]
    missing: tuple[int, ...]
    description: Mapping[str, Any]
    _summary: Summary
    mc_error: Array | None = None
    effective_sample_size: Array | None = None
    k_hat: Array | None = None
    tokens: Array | None = None
    bits_per_token_in: Array | None = None
    bits_per_token_out: Array | None = None
    accuracy_in: Array | None = None
    accuracy_out: Array | None = None
    counterfactual: Array | None = None
    counterfactual_error: Array | None = None

    def __repr__(self) -> str:
        summary = self._summary
        count = summary.significant
        memorized = "no p-values" if count is None else f"{count} memorized"
        return f"MemorizationResult({len(self)} records, {summary.scored} scored, {memorized})"

    def summary(self) -> Summary:
        """Return the summary of the run, a few numbers with their uncertainty."""
        return self._summary

    def order(self, most: int | None = None) -> NDArray[np.intp]:
        """Return the scored rows by decreasing score, all or ``most``; ties keep their order."""
        return highest(self.score, most)

    def take(self, rows: NDArray[Any] | slice) -> Self:
        """Select rows, by number or by a mask."""
        errors = {name: values[rows] for name, values in self.standard_error.items()}
        return replace(super().take(rows), standard_error=errors)

    def to_frame(self) -> "pd.DataFrame":
        """Return one row per record, in the order of the data."""
        return super().to_frame().assign(reason=self.reasons())

    def reasons(self) -> NDArray[Any]:
        """Return why each record has no score, in words, (n,); empty where it has one."""
        return np.array([str(code) for code in Reason], dtype=object)[self.reason]

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the columns by name, (n,) each."""
        columns = super().columns()
        labels = {} if (label := columns.pop("labels", None)) is None else {"label": label}
        low, high = columns.pop("interval").T
        errors = {f"standard_error_{name}": self.standard_error[name] for name in ESTIMATORS}
        first = {name: columns.pop(name) for name in ESTIMATORS}
        limits = {"mean_log_low": low, "mean_log_high": high}
        reason = columns.pop("reason")
        return {
            "id": columns.pop("id"),
            **labels,
            **first,
            **errors,
            **limits,
            **columns,
            "reason": reason,
        }

    def facts(self) -> dict[str, Any]:
        """Return what is not a column, as plain data."""
        return {
            "missing": list(self.missing),
            "description": dict(self.description),
            "summary": self._summary.to_dict(),
        }

    @classmethod
    def from_columns(cls, columns: Columns, facts: Mapping[str, Any]) -> "MemorizationResult":
        """Make a result from what ``columns`` and ``facts`` return."""
        interval = np.stack([columns["mean_log_low"], columns["mean_log_high"]], axis=1)
        errors = {name: columns[f"standard_error_{name}"] for name in ESTIMATORS}
        values = {**facts, "labels": columns.get("label"), "interval": interval}
        values |= {"standard_error": errors, "missing": tuple(facts["missing"])}
        summary = Summary.from_dict(facts["summary"])
        return super().from_columns(columns, {**values, "_summary": summary})


def memorization_of_run(
    run: RunFolder, table: Table, evaluation: Evaluation, epoch: int | None = None
) -> MemorizationResult:
    """Compute the result of a run from its table after an epoch; see ``Run.memorization``."""
    description = run.manifest.model_dump(mode="json")
    diagnostics = None
    if epoch is not None:
        description["epoch"] = epoch
    else:
        diagnostics = collect_diagnostics(run, table)
    texts = run.manifest.data.texts
    per_token = token_scores(run, table, evaluation, epoch) if texts else None
    look = look_of(run.manifest, evaluation)
    return result_from_table(
        table, evaluation, run.ids, run.labels, description, diagnostics, per_token, look
    )


def result_from_table(
    table: Table,
    evaluation: Evaluation,
    ids: NDArray[Any],
    labels: NDArray[Any] | None,
    description: Mapping[str, Any],
    diagnostics: Diagnostics | None = None,
    per_token: TokenScores | None = None,
    look: Look | None = None,
) -> MemorizationResult:
    """Compute the result of an evaluated table; everything in it is a function of the table."""
    diagnostics, per_token = diagnostics or Diagnostics({}), per_token or TokenScores()
    reason = _reasons(table, evaluation)
    p_values = evaluation.p_value, evaluation.p_value_exact
    q, q_exact = in_order(q_values, p_values, size=len(reason))

    def spread(values: NDArray[Any], empty: float = np.nan) -> NDArray[Any]:
        if len(table.rows) == table.design.n:
            return values
        whole = np.full((table.design.n, *values.shape[1:]), empty, dtype=values.dtype)
        whole[table.rows] = values
        return whole

    errors, further = evaluation.standard_error, {**diagnostics.columns, **per_token.columns}
    names = ("log_prob_in", "log_prob_out", "interval", "p_value", "p_value_exact")
    return MemorizationResult(
        ids=ids,
        labels=labels,
        **{name: spread(values) for name, values in evaluation.estimate.items()},
        **{name: spread(getattr(evaluation, name)) for name in names},
        standard_error={name: spread(values) for name, values in errors.items()},
        q_value=spread(q),
        q_value_exact=spread(q_exact),
        n_in=spread(evaluation.n_in, 0),
        n_out=spread(evaluation.n_out, 0),
        reason=spread(reason, Reason.NOT_SCORED),
        missing=table.missing,
        description=description,
        _summary=summarize(
            table, evaluation, q, reason, labels, diagnostics.summary, per_token.summary, look
        ),
        **{name: spread(values) for name, values in further.items()},
    )


def _reasons(table: Table, evaluation: Evaluation) -> NDArray[np.int8]:
    reason = np.zeros(len(table.rows), dtype=np.int8)
    reason[np.isnan(evaluation.estimate["score"])] = Reason.ZERO_DENSITY
    reason[evaluation.n_out == 0] = Reason.NEVER_OUT
    reason[evaluation.n_in == 0] = Reason.NEVER_IN
    return reason
