"""Attribute disclosure: how much better a secret is guessed because a record was trained on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.columnar import Columnar, Columns
from byrote.errors import InvalidInput
from byrote.models.statistic import GUESS
from byrote.plans import IN, OUT
from byrote.runs.table import Table
from byrote.runs.temporary import temporary_folder
from byrote.scores.memorization.evaluation import Evaluation, Test
from byrote.scores.memorization.score_memorization import score_memorization
from byrote.scores.run import Run, open_run
from byrote.stats.estimate import Estimate, from_error

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class AttributeDisclosure(Columnar):
    """How much better the secret of n records is guessed because they were trained on.

    Attributes
    ----------
    ids
        (n,) ids of the records.
    quality_in, quality_out
        (n,) mean quality of the guess with the record in training and without it: the share of
        right guesses of a category, or the probability that the model's conditional gives it; 1 -
        mean error / range of a number. NaN where not scored.
    advantage
        (n,) quality_in - quality_out: what training on the record discloses of it. What is guessed
        as well without it is knowledge about the population.
    interval
        (n, 2) 95 % t-interval of the advantage.
    p_value, q_value
        (n,) one-sided p-value of "training on the record discloses nothing", as of memorization
        scores, and Benjamini-Hochberg q-value.
    mean
        Mean advantage over the scored records, with its interval over other fits.
    description
        Secret, model, plan, data and seed.

    Examples
    --------
    See ``byrote.privacy.attribute_disclosure``.
    """

    FORMAT = "byrote-attribute-disclosure-1"
    CONTENT = "attribute disclosure"

    quality_in: Array
    quality_out: Array
    advantage: Array
    interval: Array
    p_value: Array
    q_value: Array
    mean: Estimate
    description: Mapping[str, Any]

    def __repr__(self) -> str:
        low, high = self.mean.interval
        return (
            f"AttributeDisclosure({len(self)} records, {self.description['secret']!r}: mean"
            f" advantage {self.mean.value:.3f} [{low:.3f}, {high:.3f}], {len(self.found)} found)"
        )

    @property
    def found(self) -> NDArray[Any]:
        """Ids of the records with q <= 0.05, the largest advantage first."""
        rows = np.flatnonzero(self.q_value <= 0.05)
        return np.asarray(self.ids[rows[np.argsort(-self.advantage[rows], kind="stable")]])

    def summary(self) -> dict[str, Any]:
        """Return the disclosure in a few numbers."""
        scored = ~np.isnan(self.advantage)
        return {
            "records": len(self),
            "scored": int(scored.sum()),
            "found": len(self.found),
            "quality_in": _mean(self.quality_in[scored]),
            "quality_out": _mean(self.quality_out[scored]),
            "advantage": asdict(self.mean),
        }

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the columns by name, (n,) each."""
        columns = super().columns()
        low, high = columns.pop("interval").T
        return {**columns, "advantage_low": low, "advantage_high": high}

    def facts(self) -> dict[str, Any]:
        """Return what is not a column, as plain data."""
        return {**super().facts(), "mean": asdict(self.mean)}

    @classmethod
    def from_columns(cls, columns: Columns, facts: Mapping[str, Any]) -> "AttributeDisclosure":
        """Make a result from what ``columns`` and ``facts`` return."""
        interval = np.stack([columns["advantage_low"], columns["advantage_high"]], axis=1)
        mean = Estimate(**facts["mean"])
        return super().from_columns({**columns, "interval": interval}, {**facts, "mean": mean})


def attribute_disclosure(
    model: Any,
    X: Any,
    *,
    secret: Any,
    plan: Any = None,
    samples: int | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    workers: int = 1,
) -> AttributeDisclosure:
    """Measure how much better a secret column is guessed because a record was trained on.

    The model is trained with and without each record, as the plan prescribes. Each time the
    record's secret is guessed from its other columns: by the model's own conditional where it has a
    density of categories, such as the mixed ``VAE``; else it is that of the nearest sample. Only
    the difference is disclosure: a guess that is as good without the record uses the population.

    Parameters
    ----------
    model
        A density model that takes categories, or any object with ``fit(X)`` and ``sample(n)`` on
        data frames.
    X
        Data frame of numbers and categories, or ``Records`` of one.
    secret
        Name of the column that is guessed.
    plan, seed, out, workers
        As for ``byrote.score_memorization``.
    samples
        Guess from this number of samples per training record (default: 5 for a model without a
        density).

    Raises
    ------
    InvalidInput
        If an argument is invalid.
    IncompleteRun
        If fits failed.

    Examples
    --------
    >>> import byrote, pandas as pd
    >>> class Copies:
    ...     def fit(self, X):
    ...         self.x = X
    ...     def sample(self, n):
    ...         return self.x.sample(n, replace=True, random_state=0)
    >>> g = np.random.default_rng(0)
    >>> frame = pd.DataFrame({"age": g.normal(size=80), "secret": g.integers(0, 9, 80).astype(str)})
    >>> plan = byrote.KFold(2, repeats=4)
    >>> result = byrote.privacy.attribute_disclosure(Copies(), frame, secret="secret", plan=plan)
    >>> result.mean.low > 0.7, result.summary()["quality_in"] > 0.95
    (True, True)
    """
    guesser = guesser_of(model, secret, samples)
    with _folder(out) as folder:
        score_memorization(guesser, X, plan=plan, seed=seed, out=folder, workers=workers)
        return disclosure_of_run(open_run(folder))


def guesser_of(model: Any, secret: Any, samples: int | None) -> Any:
    """Return what guesses the secret: from the model's density, or from its samples."""
    from byrote.models.guess_from_density import GuessFromDensity  # noqa: PLC0415 (slow to load)
    from byrote.models.samples.guess_from_samples import GuessFromSamples  # noqa: PLC0415

    has_density = callable(getattr(model, "score_samples", None))
    if samples is None and has_density:
        return GuessFromDensity(model, secret)
    return GuessFromSamples(model, secret, 5 if samples is None else samples)


def guesses(run: Run) -> bool:
    """Whether the values of a run are qualities of guesses."""
    return run.manifest.model.statistic.name == GUESS.name


def disclosure_of_run(
    run: Run, *, test: Test = "moderated", partial: bool = False
) -> AttributeDisclosure:
    """Compute the disclosure of a run whose values are qualities of guesses.

    ``test`` is as for ``score_memorization``; ``partial`` accepts a run with missing fits.
    """
    if not guesses(run):
        raise InvalidInput(f"{run.path} must be a run of byrote disclose; it has no guesses")
    scores, table = run.memorization(test=test, partial=partial), run.table(partial=partial)
    return AttributeDisclosure(
        ids=scores.ids,
        quality_in=_mean_quality(table, IN),
        quality_out=_mean_quality(table, OUT),
        advantage=scores.mean_log,
        interval=scores.interval,
        p_value=scores.p_value,
        q_value=scores.q_value,
        mean=_mean_advantage(run.evaluation),
        description={
            "secret": str(run.manifest.model.parameters.get("secret")),
            **scores.description,
        },
    )


@contextmanager
def _folder(out: str | Path | None) -> Iterator[Path]:
    if out is not None:
        yield checks.path("out", out)
        return
    with temporary_folder() as folder:
        yield folder / "run"


def _mean_quality(table: Table, side: int) -> Array:
    """Average each record's qualities over the fits of one side, (n,); NaN where not scored."""
    fits = table.counting()
    on_side = table.roles()[fits] == side
    total, count = np.where(on_side, table.log_prob[fits], 0.0).sum(axis=0), on_side.sum(axis=0)
    result = np.full(table.design.n, np.nan)
    result[table.rows[count > 0]] = total[count > 0] / count[count > 0]
    return result


def _mean_advantage(evaluation: Evaluation) -> Estimate:
    """Estimate the mean over records, with a jackknife over fits."""
    values, units = evaluation.estimate["mean_log"], len(evaluation.change_sums["mean_log"])
    error = evaluation.mean_error("mean_log")
    return from_error(
        _mean(values[~np.isnan(values)]), error, units - 1, units=evaluation.table.design.units
    )


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else float("nan")
