"""byrote compare: text, JSON, figures, refusals."""

import json
import re
import shutil

import numpy as np
import pytest
from sklearn.neighbors import KernelDensity

import byrote


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Runs made once."""
    root = tmp_path_factory.mktemp("made")
    x = np.random.default_rng(0).normal(size=(40, 2))
    x[5] = 6.0
    for name, width, repeats in (("plain", 0.3, 4), ("wide", 1.0, 4), ("few", 0.3, 2)):
        plan = byrote.KFold(3, repeats=repeats)
        model = KernelDensity(bandwidth=width)
        byrote.score_memorization(model, x, plan=plan, out=root / name)
    return root


@pytest.fixture(autouse=True)
def data(made, tmp_path):
    for name in ("plain", "wide", "few"):
        shutil.copytree(made / name, tmp_path / name)


def test_text_says_what_changed_and_what_it_cost(byrote_):
    code, out, err = byrote_("compare", "plain", "wide", "--top", "3")
    assert (code, err) == (0, "")
    change = byrote.compare(["plain", "wide"]).changes[0]
    gain = change.held_out
    assert "bandwidth 1.0 instead of 0.3" in out
    assert f"+{gain.value:.2f} [{gain.low:.2f}, {gain.high:.2f}]" in out
    assert f"by {gain.value:.2f} [{gain.low:.2f}, {gain.high:.2f}] nats per record" in out
    assert f"{change.less} of 40 records are memorized less and {change.more} more" in out
    assert re.search(r"^5 ", out.partition("changed most")[2], flags=re.MULTILINE)
    assert "folds are not independent coins" in " ".join(out.split())


def test_json_is_alone_on_standard_output_with_figures_too(byrote_, tmp_path):
    code, out, err = byrote_("compare", "plain", "wide", "--json", "--figures", "drawn")
    data = json.loads(out, parse_constant=pytest.fail)
    assert code == 0
    assert data["changes"][0]["changed_most"][0]["id"] == 5
    assert data["changes"][0]["held_out"]["low"] > 0
    drawn = sorted(path.name for path in (tmp_path / "drawn").iterdir())
    assert drawn == ["paired-scores.png", "usefulness-pareto.png"]
    assert [line.rpartition("/")[2] for line in err.split()] == drawn
    assert (tmp_path / "drawn").stat().st_mode & 0o777 == 0o700


def test_a_run_with_fits_missing_is_incomplete(byrote_, tmp_path):
    (tmp_path / "wide" / "fits" / "fit-000002.parquet").unlink()
    code, out, err = byrote_("compare", "plain", "wide")
    assert (code, out) == (4, "")
    assert "1 of 12 fits are missing from wide" in err


BAD = {
    "one": (["plain"], "two runs or more"),
    "twice": (["plain", "./plain"], "got plain twice"),
    "none": (["plain", "nowhere"], "nowhere holds no run"),
    "names": (["plain", "wide", "--names", "a"], "names must be 2"),
    "format": (["plain", "wide", "--format", "gif"], "--format must be one of png, pdf, svg"),
    "plan": (["plain", "few"], "plan repeats 4 against 2"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_compared_is_refused(case, byrote_):
    arguments, message = BAD[case]
    code, out, err = byrote_("compare", *arguments)
    assert (code, out) == (2, "")
    assert message in err
