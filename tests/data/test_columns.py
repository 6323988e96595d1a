"""Columns of tables: what is a number and what a category, and frames as arrays and back."""

import numpy as np
import pandas as pd
import pytest

from byrote.data.columns import Columns
from byrote.errors import InvalidInput

FRAME = pd.DataFrame(
    {
        "age": [30, 41, 7],
        "income": [1.5, np.nan, 2.5],
        "sex": ["f", "m", None],
        "smokes": [True, False, True],
        "town": pd.Categorical(["b", "a", "b"], categories=["b", "a", "c"], ordered=True),
        "count": pd.array([1, None, 3], dtype="Int64"),
    },
    index=[5, 3, 9],
)


def test_a_frame_comes_back_as_it_was_from_finite_numbers():
    columns = Columns.of({"train": FRAME})
    encoded = columns.encode(FRAME)
    assert np.isfinite(encoded).all()
    back = columns.decode(encoded)
    pd.testing.assert_frame_equal(
        back.drop(columns="sex"), FRAME.reset_index(drop=True).drop(columns="sex")
    )
    assert back["sex"].tolist()[:2] == ["f", "m"]
    assert back["sex"].isna().tolist() == [False, False, True]
    rows = encoded[[2, 0]].astype(np.float64)
    assert columns.decode(rows)["age"].tolist() == [7, 30]


def test_numbers_have_ranges_over_all_tables_and_categories_common_codes():
    other = pd.DataFrame({"b": ["z", "x"], "a": [5.0, -5.0]})
    first = pd.DataFrame({"a": [0, 1, 1, 0, 0], "b": [*"xyxyx"]})
    columns = Columns.of({"train": first, "holdout": other})
    assert columns.names == ["a", "b"]
    assert columns.spans().tolist() == [10.0]
    assert columns.codes(first).ravel().tolist() == [0, 1, 0, 1, 0]
    assert columns.codes(other).ravel().tolist() == [2, 0]
    unknown = pd.DataFrame({"a": [0, 1], "b": ["never seen", None]})
    assert columns.codes(unknown).ravel().tolist() == [4, 3]


def test_codes_out_of_range_are_those_of_made_up_records():
    columns = Columns.of({"train": FRAME})
    made_up = np.random.default_rng(0).normal(size=columns.encode(FRAME).shape) * 9
    assert columns.decode(made_up).shape == FRAME.shape


BAD = {
    "twice": (FRAME, FRAME[["age", "age"]], "columns of different names"),
    "no rows": (FRAME, FRAME[:0], "holdout must have rows"),
    "lacks": (FRAME, FRAME.drop(columns="age"), "holdout must have the columns of train; it lacks"),
    "has also": (
        FRAME[["age"]],
        FRAME[["age", "sex"]],
        "holdout must have the columns of train; it has also 'sex'",
    ),
    "text here": (
        FRAME[["age"]],
        pd.DataFrame({"age": ["30", "41"]}),
        "column 'age' must hold numbers in all tables or in none; it does in train, not in holdout",
    ),
    "infinite": (
        pd.DataFrame({"a": [1.0, np.inf]}),
        pd.DataFrame({"a": [1.0, 2.0]}),
        "column 'a' must be finite",
    ),
    "dates": (
        pd.DataFrame({"day": pd.to_datetime(["2020-01-01", "2021-01-01"])}),
        pd.DataFrame({"day": pd.to_datetime(["2020-01-01", "2021-01-01"])}),
        "train: column 'day' must hold numbers or categories; got datetime64",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_tables_that_do_not_fit_are_refused_by_column(case):
    first, other, message = BAD[case]
    with pytest.raises(InvalidInput, match="^[^\n]*$") as caught:
        Columns.of({"train": first, "holdout": other})
    assert message in str(caught.value)
