"""Data frames in memory: of pandas, or of any library that shares Arrow tables."""

from typing import Any

import numpy as np
import pyarrow as pa

from byrote import checks
from byrote.data.column_choice import ColumnChoice
from byrote.data.columns import is_arrow
from byrote.data.records import Records
from byrote.data.tables import as_frame, frame_records, number_records


def load_records(
    source: Any,
    *,
    labels: str | None = None,
    ids: str | None = None,
    columns: str | None = None,
    drop: str | None = None,
    categories: str | None = None,
    standardize: str | None = None,
) -> Records:
    """Make records of a data frame; its index becomes their ids if it holds integers or strings.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"age": [30, 41], "sex": ["f", "m"]}, index=["ann", "bob"])
    >>> records = load_records(frame)
    >>> records.ids.tolist(), records.columns.kinds
    (['ann', 'bob'], ('number', 2))
    """
    choice = ColumnChoice.parse(columns, drop, categories, labels, ids, standardize)
    frame = as_frame(pa.table(source)) if is_arrow(source) else source
    names = choice.values([*frame.columns])
    arrays = {
        option: checks.names(option, frame[name].to_numpy())
        for option, name in (("labels", labels), ("ids", ids))
        if name is not None
    }
    arrays.setdefault("ids", np.asarray(frame.index))
    values = frame[names]
    kinds = {np.dtype(kind).kind if isinstance(kind, np.dtype) else "O" for kind in values.dtypes}
    if kinds <= {*"iuf"} and not choice.categories:
        return number_records(names, np.asarray(values), choice, **arrays)
    return frame_records(values.reset_index(drop=True), choice, **arrays)
