"""What records hold, for pages that may show it: pictures, named values, texts."""

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from byrote.data.records import Records, as_floats
from byrote.data.text_records import TextRecords
from byrote.errors import InvalidInput
from byrote.report.format import number
from byrote.report.page.content import RecordContent
from byrote.scores.run import Run

Contents = Callable[[int], RecordContent]  # by row of the records
_PIXELS = 96  # of the longer side of a picture
_VALUES = 12  # of a record that is not a picture
_LETTERS = 400  # of a text


def contents_of(run: Run) -> Contents:
    """Return a function from a record's row, or a canary's, to what it holds.

    Raises
    ------
    InvalidInput
        If the records cannot be loaded again, or have changed.
    """
    if run.has_canaries:
        return lambda row: RecordContent(lines=(_secret(run, row),))
    records = run.records
    if isinstance(records, TextRecords):
        texts = records.texts
        return lambda row: RecordContent(lines=(_beginning(texts[row]),))
    if records.columns is not None:
        return lambda row: RecordContent(fields=_named(records, row))
    if len(records.shape) == 1:
        return lambda row: RecordContent(fields=_values(records.x[row]))
    _check_picture(records.shape)
    return lambda row: RecordContent(picture=picture(records.x[row]))


def _check_picture(shape: tuple[int, ...]) -> None:
    if len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4)):
        return
    raise InvalidInput(f"records of shape {shape} are not pictures")


def picture(values: NDArray[Any]) -> str:
    """Return a small picture, (h, w) or (h, w, c), as the data URI of a PNG without metadata.

    Grey ones are dark on light, as in the figures.

    Examples
    --------
    >>> picture(np.zeros((2, 2)))[:22]
    'data:image/png;base64,'
    """
    scaled = np.clip(as_floats(values[None])[0], 0, 1)
    if scaled.ndim == 3 and scaled.shape[2] == 1:
        scaled = scaled[..., 0]
    pixels = np.rint(255 * (1 - scaled if scaled.ndim == 2 else scaled)).astype(np.uint8)
    image = Image.fromarray(pixels)
    image.thumbnail((_PIXELS, _PIXELS))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _named(records: Records, row: int) -> tuple[tuple[str, str], ...]:
    frame = records.take(np.array([row])).frame()
    return tuple((str(name), str(value)) for name, value in frame.iloc[0].items())


def _values(values: NDArray[Any]) -> tuple[tuple[str, str], ...]:
    shown = [(str(place), number(float(v))) for place, v in enumerate(values[:_VALUES], start=1)]
    left_out = len(values) - len(shown)
    return (*shown, *([("…", f"{left_out:,} more")] if left_out else []))


def _secret(run: Run, row: int) -> str:
    return _beginning(run.folder.canaries.canary(row).filled)


def _beginning(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[:_LETTERS]}…"
