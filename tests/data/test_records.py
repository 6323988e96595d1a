"""Records: what they accept, and what they keep to themselves."""

import numpy as np
import pandas as pd
import pytest

import byrote
from byrote import Records
from byrote.data.records import as_values
from byrote.data.sources import as_records
from byrote.errors import InvalidInput

X = np.arange(12.0).reshape(4, 3)


def test_what_a_record_holds_is_not_printed():
    shown = repr(Records(X + 1234.5, labels=[0, 1, 0, 1]))
    assert shown == "Records(4 of shape (3,), labelled, from memory)"
    result = byrote.score_memorization(_flat(), X, plan=byrote.KFold(2, 1))
    assert repr(result) == "MemorizationResult(4 records, 4 scored, 0 memorized)"


PIXELS = np.random.default_rng(0).integers(0, 256, (4, 3, 2), dtype=np.uint8)


def test_images_of_uint8_are_kept_and_stand_for_numbers():
    for images in (PIXELS, PIXELS[..., None]):
        records = Records(images)
        assert records.x.dtype == np.uint8
        assert records.values().dtype == np.float32
        np.testing.assert_array_equal(records.values(), (images / 255).astype(np.float32))
        np.testing.assert_array_equal(records.values([2, 0]), records.values()[[2, 0]])
        np.testing.assert_array_equal(records.values(slice(1, 3)), records.values()[1:3])
    np.testing.assert_array_equal(as_values("X", PIXELS), Records(PIXELS).values())


def test_other_records_are_their_own_numbers():
    table = PIXELS[:, 0]
    np.testing.assert_array_equal(Records(table).values(), table)
    assert Records(table).x.dtype == np.float64
    records = Records(X)
    assert records.values() is records.x
    np.testing.assert_array_equal(records.values([3]), X[[3]])


def test_pixels_and_their_numbers_are_different_data():
    records = Records(PIXELS)
    changed = PIXELS.copy()
    changed[0, 0, 0] ^= 1
    same = Records(np.asfortranarray(PIXELS))
    assert records.fingerprint == same.fingerprint
    others = [Records(changed), Records(records.values()), Records(PIXELS.reshape(4, 2, 3))]
    assert records.fingerprint not in {other.fingerprint for other in others}


def _flat():
    from estimators import KnownVariance

    return KnownVariance()


def test_the_index_of_a_data_frame_is_its_ids():
    frame = pd.DataFrame(X, index=["a", "b", "c", "d"])
    assert as_records(frame).ids.tolist() == ["a", "b", "c", "d"]
    assert as_records(frame, ids=[4, 3, 2, 1]).ids.tolist() == [4, 3, 2, 1]
    assert as_records(X.tolist()).ids.tolist() == [0, 1, 2, 3]


def test_the_fingerprint_is_that_of_the_content():
    first = Records(X, ids=np.array(["a", "b", "c", "d"], dtype="<U9"))
    assert first.fingerprint == Records(X.copy(), ids=list("abcd")).fingerprint
    assert first.fingerprint == Records(X.astype(">f8"), ids=list("abcd")).fingerprint
    assert first.fingerprint != Records(X + 1e-12, ids=list("abcd")).fingerprint
    assert first.fingerprint != Records(X, ids=list("abce")).fingerprint
    assert first.fingerprint != Records(X, ids=list("abcd"), labels=[0] * 4).fingerprint
    assert Records(X).fingerprint != Records(X.reshape(4, 1, 3)).fingerprint


BAD = {
    "a path": (lambda: as_records("x.npy"), "byrote.load and byrote.load_texts read files"),
    "ragged": (lambda: Records([[1.0], [1.0, 2.0]]), "got ragged rows"),
    "text": (lambda: Records(np.array([["a"]])), "X must be numeric"),
    "both infinities": (lambda: Records([[np.inf, -np.inf]]), "an infinite value in row 0"),
    "too few ids": (lambda: Records(X, ids=[1]), "one entry for each of 4 records"),
    "ids that are numbers": (lambda: Records(X, ids=[0.5] * 4), "integers or strings"),
    "ids too large": (
        lambda: Records(X, ids=np.arange(2**63, 2**63 + 4, dtype=np.uint64)),
        "64-bit integers",
    ),
    "labels of two dimensions": (lambda: Records(X, labels=np.zeros((4, 1), int)), "labels must"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_records_are_refused(case):
    make, message = BAD[case]
    with pytest.raises(InvalidInput, match=message):
        make()


def test_large_finite_values_are_finite():
    assert len(Records([[1e308], [1e308]])) == 2
