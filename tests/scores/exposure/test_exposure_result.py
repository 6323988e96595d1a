"""The result: shapes, what it says of itself, saving and loading."""

import numpy as np
import pytest

from byrote import CorruptFile, Exposure, InvalidInput
from byrote.exposure import SkewNormalFit

NAN = np.nan
FIT = SkewNormalFit(
    location=30.0,
    scale=2.0,
    shape=-1.5,
    covariance=((1.0, 0.0, 0.1), (0.0, 2.0, 0.0), (0.1, 0.0, 3.0)),
    n=1000,
    log_likelihood=-2100.5,
    ks=0.01,
    ks_p_value=0.7,
    quantile_errors={"0.01": 0.25},
)


def exposure():
    return Exposure(
        ids=np.array(["a", "b", "c"]),
        bits=np.array([10.0, NAN, 2.0]),
        low=np.array([8.0, NAN, 1.0]),
        high=np.array([np.inf, NAN, 3.0]),
        method=np.array(["sampled", "skew_normal", "sampled"]),
        p_value=np.array([0.001, NAN, 0.25]),
        saturated=np.array([True, False, False]),
        rank=np.array([1.0, NAN, 256.0]),
        log_perplexity=np.array([12.5, 30.0, NAN]),
        maximum=np.array([NAN, NAN, 20.0]),
        reason=np.array(["at least", "the curve does not fit", ""]),
        level=0.9,
        fits=(FIT,),
    )


def test_interval_stands_row_by_row():
    np.testing.assert_array_equal(exposure().interval, [[8, np.inf], [NAN, NAN], [1, 3]])


def test_summary_counts_what_is_known():
    found = exposure().summary()
    assert (found.canaries, found.estimated, found.saturated) == (3, 2, 1)
    assert (found.mean, found.median, found.largest) == (6.0, 6.0, 10.0)
    assert found.methods == {"sampled": 2, "skew_normal": 1}
    assert found.unknown == {"the curve does not fit": 1}
    assert found.p_values.tested == 2
    assert found.p_values.significant == 1
    assert found.p_values.smallest == 0.001
    assert found.fits == (FIT,)
    assert found.to_dict()["fits"][0]["ks"] == 0.01


def test_what_was_saved_comes_back(tmp_path):
    before = exposure()
    before.save(tmp_path / "e.parquet")
    after = Exposure.load(tmp_path / "e.parquet")
    assert before.to_frame().equals(after.to_frame())
    assert after.to_frame().columns[0] == "id"
    assert after.level == 0.9
    assert after.fits == (FIT,)
    assert after.saturated.dtype == bool


def test_saving_and_loading_refuse(tmp_path):
    with pytest.raises(InvalidInput, match="folder that exists"):
        exposure().save(tmp_path / "none" / "e.parquet")
    with pytest.raises(InvalidInput, match="does not exist"):
        Exposure.load(tmp_path / "e.parquet")
    (tmp_path / "e.parquet").write_bytes(b"something else")
    with pytest.raises(CorruptFile):
        Exposure.load(tmp_path / "e.parquet")


def test_representation_counts():
    assert repr(exposure()) == "Exposure(3 canaries, mean 6 bits, 1 saturated)"
