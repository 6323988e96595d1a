"""byrote study of exposure, end to end at tiny size."""

import json

import pytest

from byrote.cli import study_of_runs
from byrote.models import CharLSTM
from byrote.studies.exposure import declaration
from tiny_studies import tiny

STUDY = ["study", "exposure-pareto", "--out", "run"]


@pytest.fixture
def small(monkeypatch):
    """Studies are tiny, their figures of few pixels."""
    monkeypatch.setattr(declaration, "load_exposure_study", tiny)
    monkeypatch.setattr(study_of_runs, "_DPI", 20)


def written(folder):
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.suffix in (".parquet", ".json")
    }


def test_a_study_is_run_reported_and_only_printed_the_second_time(byrote_, small, tmp_path):
    code, out, _ = byrote_(*STUDY)
    assert code == 0
    assert "Usefulness against exposure" in out
    assert "1 figures and this report" not in out
    assert "1 figure and this report, study.md, are in run" in out
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700
    first = written(tmp_path / "run")
    assert {"base/fits/fit-000000.parquet", "layers-1/fits/fit-000001.parquet"} <= set(first)
    report = (tmp_path / "run" / "study.md").read_text()
    assert (tmp_path / "run" / "study.md").stat().st_mode & 0o777 == 0o600
    assert "    byrote study exposure-pareto --data python-help --scale small" in report
    assert "On the Pareto frontier" in report
    assert (tmp_path / "run" / "figures" / "exposure-pareto.png").read_bytes()[1:4] == b"PNG"
    code, out, _ = byrote_(*STUDY, "--json")
    assert code == 0
    data = json.loads(out, parse_constant=pytest.fail)
    assert data["study"] == "exposure-pareto"
    assert data["figures"] == ["figures/exposure-pareto.png"]
    assert written(tmp_path / "run") == first
    assert (tmp_path / "run" / "study.md").read_text() == report


def test_what_is_interrupted_or_fails_goes_on(byrote_, small, monkeypatch, tmp_path):
    fit, calls = CharLSTM.fit, []

    def upset(error, at):
        calls.clear()

        def counted(self, x, y=None, *, on_epoch=None):
            calls.append(1)
            if len(calls) == at:
                raise error
            return fit(self, x, y, on_epoch=on_epoch)

        monkeypatch.setattr(CharLSTM, "fit", counted)

    upset(KeyboardInterrupt(), at=5)  # two rehearsals and two fits before
    code, out, err = byrote_(*STUDY)
    assert (code, out) == (130, "")
    assert "the same command goes on" in err
    done = {path for path in written(tmp_path / "run") if "fits/" in path}
    assert done == {"base/fits/fit-000000.parquet", "base/fits/fit-000001.parquet"}
    upset(ValueError("a secret"), at=3)  # the second fit of the second configuration
    code, out, err = byrote_(*STUDY)
    assert code == 4
    assert "fits are missing" in err
    assert "a secret" not in err + out
    assert "INCOMPLETE: 1 of 2 fits of layers-1 are missing" in " ".join(out.split())
    monkeypatch.setattr(CharLSTM, "fit", fit)
    assert byrote_(*STUDY)[0] == 0
    assert "INCOMPLETE" not in (tmp_path / "run" / "study.md").read_text()


REFUSED = {
    "records": (["study", "exposure-pareto", "--records", "5"], "--records does not apply"),
    "dry run": (["study", "skew-normal-fit", "--dry-run"], "--dry-run does not apply"),
    "scale": (
        ["study", "skew-normal-fit", "--scale", "paper"],
        "--scale must be one of small, full",
    ),
    "characters": (
        ["study", "celeba", "--data", "x", "--characters", "5"],
        "--characters does not apply to the study celeba",
    ),
    "no data": (["study", "celeba"], "--data must name the data set for the study celeba"),
    "nowhere": (["study", "skew-normal-fit", "--data", "nowhere.txt"], "there is no nowhere.txt"),
    "too short": (
        ["study", "exposure-pareto", "--characters", "400"],
        "insertions must fit into the text",
    ),
    "name": (["study", "exposure-paret"], "did you mean exposure-pareto?"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_a_sentence_before_any_work(byrote_, tmp_path, case):
    arguments, message = REFUSED[case]
    code, out, err = byrote_(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert not (tmp_path / "runs").exists()
