"""Log-perplexities from elsewhere: read as written, or refused with the row."""

import numpy as np
import pandas as pd
import pytest

from byrote.data.log_perplexities import load_log_perplexities
from byrote.errors import InvalidInput

SECRET = "s3cr3t"
FRAME = pd.DataFrame(
    {
        "id": ["r1", "c2", "c1", "r1", "n1", "r3"],
        "bits": [30.25, 1.5, 0.0, 31.0, 29.0, 30.25],
        "role": ["reference", "canary", "canary", "reference", "control", "reference"],
        "group": [1, 1, 2, 2, 1, 1],
        "more": 0,
    }
)


def write(frame, path):
    frame.to_csv(path, index=False) if path.suffix == ".csv" else frame.to_parquet(path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_read_as_written(tmp_path, suffix):
    found = load_log_perplexities(write(FRAME, tmp_path / f"t{suffix}"))
    assert found.ids.tolist() == ["c2", "c1", "n1"]
    assert found.canary_bits.tolist() == [1.5, 0.0, 29.0]
    assert found.control.tolist() == [False, False, True]
    assert found.reference_bits.tolist() == [30.25, 31.0, 30.25]
    assert found.canary_group.tolist() == [1, 2, 1]
    assert found.reference_group.tolist() == [1, 2, 1]
    assert repr(found) == "LogPerplexities(2 canaries, 1 control, 3 references)"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_without_groups_and_with_whole_numbers(tmp_path, suffix):
    frame = FRAME.drop(columns="group").assign(bits=[5, 1, 2, 3, 4, 6], id=[0, 3, 1, 0, 2, 0])
    found = load_log_perplexities(write(frame, tmp_path / f"t{suffix}"))
    assert found.canary_group is None
    assert found.reference_group is None
    assert found.ids.tolist() == [3, 1, 2]
    assert found.canary_bits.dtype == found.reference_bits.dtype == np.float64


def changed(row, **cells):
    frame = FRAME.astype({"group": object})
    for column, value in cells.items():
        frame.loc[row, column] = value
    return frame


# case: the table, fragment of the message
REFUSED = {
    "no bits": (FRAME.rename(columns={"bits": "bit"}), "'bits' is missing, did you mean bit?"),
    "no role": (FRAME.drop(columns="role"), "'role' is missing"),
    "unknown role": (changed(3, role=SECRET), "reference; row 3 (counted from 0) has another"),
    "no role in a row": (changed(2, role=None), "row 2 (counted from 0)"),
    "NaN bits": (changed(4, bits=np.nan), "row 4 (counted from 0) holds NaN or nothing"),
    "infinite bits": (changed(1, bits=np.inf), "row 1 (counted from 0) does not"),
    "negative bits": (changed(5, bits=-0.5), "row 5 (counted from 0) does not"),
    "bits of text": (FRAME.assign(bits=SECRET), "bits must be numbers"),
    "no canary": (FRAME[FRAME.role == "reference"], "no row has the role canary"),
    "no reference": (FRAME[FRAME.role != "reference"], "no row has the role reference"),
    "canary twice": (changed(1, id="c1"), "ids of canaries must all differ; 1 of 3"),
    "control of a canary's id": (changed(4, id="c1"), "must all differ"),
    "group without references": (FRAME.assign(group=[1, 1, 2, 1, 1, 1]), "1 of 3 canaries are in"),
    "no row": (FRAME.iloc[:0], "role"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_sentence(case, tmp_path):
    frame, fragment = REFUSED[case]
    path = write(frame, tmp_path / "t.csv")
    with pytest.raises(InvalidInput) as caught:
        load_log_perplexities(path)
    message = str(caught.value)
    assert fragment in message
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert SECRET not in message


def test_controls_alone_can_be_scored(tmp_path):
    frame = FRAME[FRAME.role != "canary"]
    assert load_log_perplexities(write(frame, tmp_path / "t.csv")).control.tolist() == [True]


def test_other_files_are_refused(tmp_path):
    (tmp_path / "t.json").write_text("{}")
    with pytest.raises(InvalidInput, match=r"\.csv or \.parquet file; got \.json"):
        load_log_perplexities(tmp_path / "t.json")
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_log_perplexities(tmp_path / "no.csv")
