"""The result of an audit: every record's scores with their uncertainty."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote.fits import parquet
from byrote.scores.reason import Reason
from byrote.scores.summary import Summary
from byrote.scores.trust import NAMES
from byrote.stats.memorization import ESTIMATORS

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
_FORMAT = "byrote-memorization-1"


@dataclass(frozen=True, eq=False, repr=False)
class MemorizationResult:
    """Memorization scores of n records, in the order of the data. Nats unless said otherwise.

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
        over fits within each side). NaN where there is one repeat, pair, or value on a side.
    interval
        (n, 2) 95 % t-interval of mean_log, which covers at its nominal rate where values spread as
        normal ones do (docs/levels.md); intervals of the other two would not. NaN where equal
        values hide the spread.
    p_value
        (n,) exact one-sided randomization p-value of "held-out values are as high as the others".
    q_value
        (n,) Benjamini-Hochberg q-value over the scored records.
    n_in, n_out
        (n,) number of fits in which the record was trained on, and held out.
    reason
        (n,) ``Reason`` why a record has no score, 0 where it has one.
    missing
        Fits that failed or are missing; not empty only where partial results were asked for.
    description
        What the run was: model, plan, data, seed.
    mc_error, effective_sample_size, k_hat
        (n,) the model's own diagnostics of its log-likelihoods, where it has them, else None: Monte
        Carlo standard error (nats, root mean square over fits), effective number of importance
        samples (the smallest of any fit), Pareto k-hat of the weights (the largest).

    Examples
    --------
    >>> import byrote, numpy as np
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.array([[0.0], [0.1], [0.2], [5.0]])
    >>> result = byrote.score_memorization(KernelDensity(), x, plan=byrote.LeaveOneOut())
    >>> int(result.score.argmax()), result.summary().scored
    (3, 4)
    """

    ids: NDArray[Any]
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
    n_in: NDArray[np.int32]
    n_out: NDArray[np.int32]
    reason: NDArray[np.int8]
    missing: tuple[int, ...]
    description: Mapping[str, Any]
    _summary: Summary
    mc_error: Array | None = None
    effective_sample_size: Array | None = None
    k_hat: Array | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        found = self._summary
        memorized = "no p-values" if found.significant is None else f"{found.significant} memorized"
        return f"MemorizationResult({len(self)} records, {found.scored} scored, {memorized})"

    def summary(self) -> Summary:
        """The run in a few numbers."""
        return self._summary

    def order(self) -> NDArray[np.intp]:
        """Rows by falling score, unscored ones left out; ties by row."""
        scored = np.flatnonzero(~np.isnan(self.score))
        return scored[np.argsort(-self.score[scored], kind="stable")]

    def to_frame(self) -> "pd.DataFrame":
        """One row per record, in the order of the data."""
        import pandas as pd  # noqa: PLC0415 (slow to load)

        return pd.DataFrame(
            {**self._columns(), "reason": [str(Reason(code)) for code in self.reason]}
        )

    def save(self, path: str | Path) -> None:
        """Write the result to one Parquet file.

        Raises
        ------
        InvalidInput
            If its folder does not exist.
        """
        parquet.check_destination(path)
        columns = {**self._columns(), "reason": self.reason}
        facts = {
            "format": _FORMAT,
            "missing": list(self.missing),
            "description": dict(self.description),
            "summary": self._summary.to_dict(),
        }
        parquet.write(Path(path), columns, facts)

    @classmethod
    def load(cls, path: str | Path) -> "MemorizationResult":
        """Read what ``save`` wrote.

        Raises
        ------
        InvalidInput
            If there is no such file.
        CorruptFile
            If the file is damaged or something else.
        CannotRead
            If the disk does not give it, or there is no memory for it.
        """
        return parquet.read_result(path, _FORMAT, "memorization scores", cls._of)

    @classmethod
    def _of(
        cls, columns: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]
    ) -> "MemorizationResult":
        plain = {field.name for field in fields(cls)} & set(columns)
        return cls(
            ids=columns["id"],
            labels=columns.get("label"),
            standard_error={n: columns[f"standard_error_{n}"] for n in ESTIMATORS},
            interval=np.stack([columns["mean_log_low"], columns["mean_log_high"]], axis=1),
            missing=tuple(facts["missing"]),
            description=facts["description"],
            _summary=Summary.from_dict(facts["summary"]),
            **{name: columns[name] for name in plain},
        )

    def _columns(self) -> dict[str, NDArray[Any]]:
        labels = {} if self.labels is None else {"label": self.labels}
        errors = {f"standard_error_{name}": self.standard_error[name] for name in ESTIMATORS}
        return {
            "id": self.ids,
            **labels,
            "score": self.score,
            "matched": self.matched,
            "mean_log": self.mean_log,
            **errors,
            "mean_log_low": self.interval[:, 0],
            "mean_log_high": self.interval[:, 1],
            "log_prob_in": self.log_prob_in,
            "log_prob_out": self.log_prob_out,
            "p_value": self.p_value,
            "q_value": self.q_value,
            "n_in": self.n_in,
            "n_out": self.n_out,
            **{name: values for name in NAMES if (values := getattr(self, name)) is not None},
        }
