"""What the study of families finds, with models of which the truth is known."""

import tomllib
from importlib.resources import files

import pytest

from byrote.models import registry
from byrote.runs.request import Settings
from byrote.studies import page
from byrote.studies.audit_kind import MitigationStudy
from byrote.studies.execute import execute
from byrote.studies.kinds import load_study
from byrote.studies.requests import load_data
from byrote.studies.study import at_scale


def tiny():
    """Three kernel densities on 100 digits."""
    text = files("byrote.studies").joinpath("families.toml").read_text("utf-8")
    kernels = [("vae", "wide", 0.8), ("again", "wide again", 0.8), ("narrow", "narrow", 0.4)]
    runs = [
        {"name": name, "title": title, "kind": "kde", "model": {"bandwidth": width}}
        for name, title, width in kernels
    ]
    small = {"minutes": 1, "records": 100, "validation": 20}
    common = {"probes": 30, "fits": 6, "epochs": 1, "model": {}}
    declared = {**tomllib.loads(text), "run": runs, "common": common, "small": small}
    declared["common"]["baseline"] = "vae"
    return MitigationStudy(name="families", **declared)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    data, settings = load_data(at_scale(tiny())), Settings()
    out = tmp_path_factory.mktemp("families")
    return page.report_on(data, execute(data, settings, out), settings, out)


def test_a_narrow_kernel_memorizes_more_and_predicts_worse(report):
    wide, again, narrow = report.findings.data["families"]
    assert {**wide, "seconds": 0} == {**again, "seconds": 0, "name": wide["name"]}
    assert narrow["mean_log"][0] > wide["mean_log"][0]
    assert narrow["held_out"][0] < wide["held_out"][0]
    said = " ".join(page.remarks(report))
    assert "The largest mean of mean_log over the probes is that of: narrow" in said
    assert "narrow: memorizes more than wide, and predicts held-out records worse" in said
    assert "wide again: memorizes neither significantly more nor less than wide" in said
    assert set(report.findings.figures) == {"families"}
    for _, (head, *rows) in report.findings.tables:
        assert {len(row) for row in rows} == {len(head)}


def test_models_see_the_records_as_continuous_levels(report):
    run = report.runs[0].run
    assert run.manifest.model.name.endswith("Dequantized")
    assert run.manifest.model.parameters["levels"] == 17


@pytest.mark.parametrize("scale", ["small", "full"])
def test_all_families_are_built_as_declared(scale):
    for run in load_study("families").runs(scale):
        parameters = {**run.model}
        if "epochs" in registry.settable(run.kind):
            parameters["epochs"] = run.epochs
        assert registry.build(run.kind, parameters) is not None
