"""Log-likelihoods of fits that another program made, and the units that they may be in.

Messages name the place of a record in the file, never its id.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from byrote.errors import InvalidInput

Array = NDArray[np.float64]
LOG_PROB, LOSS = "log_prob", "loss"  # columns of numbers


@dataclass(frozen=True)
class Units:
    """What the numbers of a file are, by default log-likelihoods in nats.

    Attributes
    ----------
    loss
        They are losses: minus log-likelihoods.
    bits
        They are in bits.
    mean_of
        They are means over this many terms: the name of a column, or "values" for the number of
        values of a record.
    """

    loss: bool = False
    bits: bool = False
    mean_of: str | None = None

    @property
    def column(self) -> str:
        """Name of the column of numbers."""
        return LOSS if self.loss else LOG_PROB

    def nats(self, numbers: Array, terms: Array | int = 1) -> Array:
        """Convert numbers, each a mean over as many terms, to log-likelihoods in nats.

        Examples
        --------
        >>> Units(loss=True, bits=True, mean_of="tokens").nats(np.array([1.0, 2.0]), 8).round(3)
        array([ -5.545, -11.09 ])
        """
        sign = -1.0 if self.loss else 1.0
        return np.asarray(sign * (np.log(2) if self.bits else 1.0) * numbers * terms)


@dataclass(frozen=True, eq=False)
class FitNumbers:
    """The log-likelihoods of one fit as they stand in a file.

    Attributes
    ----------
    fit
        Number of the fit; None where the file does not hold it.
    key
        "id", "row" or "record"; empty for numbers in the order of the records.
    keys
        (m,) ids as text, or rows as integers; None for numbers in order.
    log_prob
        (m,) nats.
    run
        Run that the file names, if it does.
    included
        (m,) how often the fit trained on each record, where the file says it.
    """

    fit: int | None
    key: str
    keys: pa.Array | None
    log_prob: Array
    run: str | None = None
    included: Array | None = None

    def aligned(
        self, ids: NDArray[Any], rows: NDArray[Any], included: NDArray[Any] | None = None
    ) -> Array:
        """Return the log-likelihoods of the records in ``rows``, (k,) nats, in that order.

        Further records of the run may be in the file.

        Parameters
        ----------
        ids
            (n,) ids of all records of the run.
        rows
            (k,) rows of those needed.
        included
            (n,) how often the fit trains on each, against which the file is checked.

        Raises
        ------
        InvalidInput
            If a record is missing, double or unknown, or a needed number is NaN or +inf.
        """
        row = self._rows(len(ids), ids, rows)
        if self.included is not None and included is not None:
            refuse_rows(
                self.included != included[row], "trains on other records than the plan's fit"
            )
        place = np.full(len(ids), -1)
        place[row] = np.arange(len(row))
        places = place[rows]
        if (places < 0).any():
            raise InvalidInput(
                f"every record that the fit counts must be there; {int((places < 0).sum()):,} of"
                f" {len(rows):,} are missing, the first of them row {rows[places < 0][0]} of the"
                " data (counted from 0)"
            )
        values = self.log_prob[places]
        bad = np.isnan(values) | (values == np.inf)
        if bad.any():
            what = "NaN or empty" if np.isnan(values[bad][0]) else "an infinite log-likelihood"
            raise InvalidInput(
                f"log-likelihoods must be numbers, or -inf; row {places[bad][0]} of the file"
                f" (counted from 0) is {what} (such rows: {int(bad.sum()):,})"
            )
        return values

    def _rows(self, n: int, ids: NDArray[Any], rows: NDArray[Any]) -> NDArray[np.intp]:
        """Return the row in the data of each number, all different."""
        if self.keys is None:
            if len(self.log_prob) not in (n, len(rows)):
                expected = f"{n:,}" if len(rows) == n else f"{n:,} or {len(rows):,}"
                raise InvalidInput(
                    f"an array must have one number for each record, {expected}; got"
                    f" {len(self.log_prob):,}"
                )
            return np.arange(n) if len(self.log_prob) == n else np.asarray(rows, np.intp)
        row = _rows_of_ids(self.keys, ids) if self.key == "id" else _checked_rows(self.keys, n)
        refuse_rows(
            row < 0,
            f"has an unknown {self.key}; byrote rows prints those of the run's {n:,} records",
        )
        first = np.full(n, len(row))
        np.minimum.at(first, row, np.arange(len(row)))
        refuse_rows(first[row] < np.arange(len(row)), "repeats an earlier record")
        return row


def _rows_of_ids(keys: pa.Array, ids: NDArray[Any]) -> NDArray[np.intp]:
    """Return the row of each id, -1 where unknown; integer ids match their decimal form."""
    import pyarrow.compute as pc  # noqa: PLC0415 (slow to load)

    if ids.dtype.kind == "U":
        known, keys = pa.array(ids.tolist(), pa.string()), keys.cast(pa.string())
    else:
        known = pa.array(ids, pa.int64())
        if pa.types.is_string(keys.type):
            trimmed = pc.utf8_trim_whitespace(keys)
            decimal = pc.match_substring_regex(trimmed, r"^(0|-?[1-9]\d{0,17})$")
            keys = pc.if_else(decimal, trimmed, pa.scalar(None, pa.string())).cast(pa.int64())
    found = pc.fill_null(pc.index_in(keys, value_set=known, skip_nulls=True), -1)
    return np.asarray(found.to_numpy(zero_copy_only=False), np.intp)


def _checked_rows(keys: pa.Array, n: int) -> NDArray[np.intp]:
    rows = np.asarray(keys.fill_null(-1).to_numpy(zero_copy_only=False), np.intp)
    return np.where((rows >= 0) & (rows < n), rows, -1)


def refuse_rows(wrong: NDArray[np.bool_], what: str) -> None:
    """Refuse the rows that are wrong, naming the first of them."""
    if wrong.any():
        first, count = int(np.flatnonzero(wrong)[0]), int(wrong.sum())
        raise InvalidInput(
            f"row {first} of the file (counted from 0) {what} (such rows: {count:,} of"
            f" {len(wrong):,})"
        )
