"""byrote disclose: whose secret a model gives away, on the command line."""

import json

import numpy as np
import pandas as pd
import pytest

import byrote
from byrote.privacy import attribute_disclosure

from estimators import CategoryKernel, FrameCopies

DISCLOSE = ["disclose", "t.csv", "--model", "estimators:CategoryKernel", "--out", "run"]
DISCLOSE += ["--plan", "probes", "--probes", "20", "--fits", "8"]


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(__file__.rsplit("/", 2)[0])
    generator = np.random.default_rng(0)
    town, job = (generator.choice([*letters], 60) for letters in ("abcdef", "xy"))
    frame = pd.DataFrame({"town": town, "job": job, "ill": np.where(town < "d", "yes", "no")})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.assign(same="yes").to_csv(tmp_path / "same.csv", index=False)


def test_the_command_prints_what_the_function_finds_and_show_prints_it_again(byrote_):
    code, out, err = byrote_(*DISCLOSE, "--secret", "ill", "--top", "3")
    assert (code, err) == (0, "")
    assert "secret: ill" in out
    assert byrote_("show", "run", "--top", "3") == (0, out, "")
    plan = byrote.Probes(20, fits=8)
    expected = attribute_disclosure(CategoryKernel(), byrote.load("t.csv"), secret="ill", plan=plan)
    data = json.loads(byrote_("show", "run", "--json", "--top", "3")[1])
    assert data["summary"]["advantage"]["value"] == pytest.approx(expected.mean.value)
    assert data["found"] == expected.found.tolist()
    assert len(data["records"]) == 3
    assert byrote_("show", "run", "--test", "exact")[0] == 0
    code, _, err = byrote_("show", "run", "--epoch", "1")
    assert (code, "--epoch does not apply to a run of byrote disclose" in err) == (2, True)
    rows = byrote_(*DISCLOSE, "--secret", "ill", "--csv")[1].splitlines()
    assert len(rows) == 61
    assert rows[0].startswith("id,quality_in,quality_out,advantage")


def test_a_generator_is_guessed_from_by_its_samples(byrote_):
    words = [word if "Kernel" not in word else "estimators:FrameCopies" for word in DISCLOSE]
    code, out, _ = byrote_(*words, "--secret", "ill", "--from-samples", "2", "--json")
    assert code == 0
    plan, records = byrote.Probes(20, fits=8), byrote.load("t.csv")
    expected = attribute_disclosure(FrameCopies(), records, secret="ill", plan=plan, samples=2)
    assert json.loads(out)["summary"]["quality_in"] == np.nanmean(expected.quality_in)


BAD = {
    "no secret": (DISCLOSE, "missing option '--secret'"),
    "column": ([*DISCLOSE, "--secret", "il"], "secret must be a column of values"),
    "one value": (
        [DISCLOSE[0], "same.csv", *DISCLOSE[2:], "--secret", "same"],
        "secret must differ between records; column",
    ),
    "ids": ([*DISCLOSE, "--secret", "job", "--ids", "town"], "ids, column 'town', must all differ"),
    "no folder": ([*DISCLOSE[:4], "--secret", "ill"], "--out must name a folder for the run"),
    "an array": (["disclose", "digits", "--secret", "ill", "--out", "run"], "got an array"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_has_no_secret_is_refused_and_nothing_is_written(case, byrote_, tmp_path):
    arguments, message = BAD[case]
    code, out, err = byrote_(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert not (tmp_path / "run").exists()
