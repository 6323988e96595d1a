"""How well a secret column is guessed from a density: by its own conditional."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator, clone

from byrote.data.columns import Columns
from byrote.errors import InvalidInput, did_you_mean
from byrote.models import contract
from byrote.models.statistic import GUESS

Array = NDArray[np.float64]


class GuessFromDensity(BaseEstimator):  # type: ignore[misc]
    """The quality of a guess of a secret category, from the other columns and a model's density.

    The guess is drawn from the model's conditional: with the density p(x) of the record with each
    category c of the secret put in,

        P(c | others) = p(c, others) / sum over k of p(k, others).

    ``score_samples`` returns the probability of the true category: how often such a guess is right.
    It takes one scoring for each category.

    Parameters
    ----------
    model
        A density of tables that takes categories, such as ``VAE``.
    secret
        Name of the column that is guessed; a missing value is a category of its own.
    place, categories
        Place of its codes in a record, and how many; a run sets them from its table.

    Examples
    --------
    See ``byrote.privacy.attribute_disclosure``.
    """

    statistic = GUESS
    incidental_parameters = ("place", "categories")  # they follow from the table

    def __init__(
        self, model: Any, secret: Any, place: int | None = None, categories: int | None = None
    ) -> None:
        self.model = model
        self.secret = secret
        self.place = place
        self.categories = categories

    @property
    def takes_categories(self) -> bool:
        """Whether the model does."""
        return contract.takes_categories(self.model)

    @property
    def takes_units(self) -> bool:
        """Whether the model does."""
        return contract.takes_units(self.model)

    @property
    def takes_columns_by_name(self) -> bool:
        """Whether the model does."""
        return bool(getattr(self.model, "takes_columns_by_name", False))

    def prepared(self, X: Any) -> tuple[Self, Any]:
        """Return a copy that knows the secret's place, and X, the records of a table.

        Raises
        ------
        InvalidInput
            If the secret is not a column of categories, it is the only one, or the model has no
            density of categories.
        """
        columns = columns_with_secret(X, self.secret)
        model, X = contract.prepared(self.model, X)
        if not contract.takes_categories(model):
            raise InvalidInput(
                f"model must have a density of categories, as VAE has; {type(model).__name__} has"
                " none (guess from its samples: samples=5, --from-samples 5)"
            )
        ordered = columns.by_name() if self.takes_columns_by_name else columns
        place = ordered.names.index(self.secret)
        categories = ordered.columns[place].kind
        if isinstance(categories, str):
            raise InvalidInput(
                f"secret must hold categories to be guessed from a density; {self.secret!r} holds"
                f" numbers (--categories {self.secret} makes them categories; samples=5,"
                " --from-samples 5 guesses from samples)"
            )
        return clone(self).set_params(model=model, place=place, categories=categories), X

    def check_input(self, X: Any) -> None:
        """Let the model check the records."""
        contract.check_input(self.model, X)

    def fit(self, X: Array, y: object = None) -> Self:
        """Fit the model to encoded records, (n, d)."""
        del y
        self.model_ = clone(self.model).fit(X)
        return self

    def conditional(self, X: Array) -> Array:
        """Compute the probability of each category of the secret given the other columns, (n, k).

        Equal ones where the model gives the record a density of zero whatever the secret.
        """
        columns = []
        for code in range(self.categories or 0):
            changed = np.array(X)
            changed[:, self.place] = code
            columns.append(self.model_.score_samples(changed))
        log_prob = np.stack(columns, axis=1).astype(np.float64)
        log_prob[np.isneginf(log_prob).all(axis=1)] = 0
        return np.asarray(softmax(log_prob, axis=1))

    def score_samples(self, X: Array) -> Array:
        """Compute the probability of each record's own category, (n,)."""
        truth = np.asarray(X)[:, self.place].astype(int)
        return np.asarray(self.conditional(X)[np.arange(len(truth)), truth])


def columns_with_secret(X: Any, secret: Any) -> Columns:
    """Return the columns of records of a table, which must have the secret and others."""
    columns = getattr(X, "columns", None)
    if columns is None:
        raise InvalidInput("X must be a data frame, whose columns have names; got an array")
    if not isinstance(columns, Columns):  # of a data frame
        columns = Columns.of({"X": X})
    if secret not in columns.names:
        nearest = did_you_mean(str(secret), list(map(str, columns.names)))
        raise InvalidInput(
            "secret must be a column of values, not one that is dropped or holds ids or labels;"
            f" got {secret!r}{nearest}"
        )
    column = columns.columns[columns.names.index(secret)]
    if not column.has_gaps and (column.kind == 1 or column.low == column.high):
        raise InvalidInput(
            f"secret must differ between records; column {secret!r} has the same value in all"
        )
    if len(columns.names) < 2:
        raise InvalidInput("X must have columns to guess the secret from; got the secret alone")
    return columns
