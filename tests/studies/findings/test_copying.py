"""What the studies of copying find, with models that copy all, or only other records."""

import tomllib
from importlib.resources import files

import numpy as np
import pytest

from byrote import InvalidInput
from byrote.runs.request import Settings
from byrote.studies import page
from byrote.studies.audit_kind import MitigationStudy
from byrote.studies.execute import execute
from byrote.studies.kinds import load_study
from byrote.studies.null_model import NullModel
from byrote.studies.requests import load_data
from byrote.studies.study import at_scale

from estimators import Copying


def tiny():
    """Models of copies: of a few images, of more, and of others in their place."""
    text = files("byrote.studies").joinpath("diffusion-size.toml").read_text("utf-8")
    sizes = [{"name": str(n), "title": f"{n} images", "records": 2 * n} for n in (4, 16)]
    null = {"name": "null", "title": "others", "records": 32, "null": True}
    declared = tomllib.loads(text)
    common = {**declared["common"], "kind": "estimators:Copying", "epochs": 1, "fits": 4}
    small = {"minutes": 1, "records": 60, "validation": 20}
    runs = {"run": [*sizes, null], "common": {**common, "model": {}}, "small": small}
    return MitigationStudy(name="diffusion-size", **{**declared, **runs})


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    data, settings = load_data(at_scale(tiny())), Settings()
    out = tmp_path_factory.mktemp("copying")
    return page.report_on(data, execute(data, settings, out), settings, out)


def test_models_of_copies_show_it_in_all_measures_and_the_null_model_in_none(report):
    few, more, null = report.findings.data["copying"]
    for row, n in ((few, 4), (more, 16)):
        assert row["mean_log"][0] > 1
        assert {share[0] for share in row["shares"].values()} == {1.0}
        assert (row["extracted"][0], row["trained_on"]) == (n, n)
    for row in (few, more, null):
        assert {share[0] for share in row["controls"].values()} == {0.0}
    assert {share[0] for share in null["shares"].values()} == {0.0}
    assert null["extracted"][0] == 0
    said = page.remarks(report)
    assert "16 images: memorization shows in M, ratio below 1/3, extraction." in said
    assert "others: memorization shows in none of M, ratio below 1/3, extraction." in said
    assert set(report.findings.figures) == {"copying"}
    for _, (head, *rows) in report.findings.tables:
        assert {len(row) for row in rows} == {len(head)}


def test_every_fit_trains_on_exactly_half_of_a_subset_of_the_records(report):
    for run, n in zip(report.runs, (4, 16, 16), strict=True):
        design = run.run.design
        assert {len(design.training_rows(fit)) for fit in range(design.fits)} == {n}
    few, more, _ = (set(run.request.records.ids.tolist()) for run in report.runs)
    assert few < more


def test_a_null_model_learns_others_which_differ_between_sets_of_records():
    x, others = np.random.default_rng(0).normal(size=(2, 20, 3))
    fitted = [NullModel(Copying(), others, random_state=3).fit(part) for part in (x[:9], x[9:18])]
    learned = [model.get_weights()["learned"] for model in fitted]
    assert not np.array_equal(*learned)
    assert all(set(map(tuple, rows)) <= set(map(tuple, others)) for rows in learned)
    again = NullModel(Copying(), others).set_weights(fitted[0].get_weights())
    assert again.score(x) == fitted[0].score(x)
    with pytest.raises(InvalidInput, match="at least as many records as X, 20; got 8"):
        NullModel(Copying(), others[:8]).fit(x)


def test_labels_are_none_or_random_and_the_same_for_the_same_seed():
    data = load_data(at_scale(load_study("random-labels")))
    plain, labelled = (request.records for request in data.requests(Settings()).values())
    assert plain.labels is None
    np.testing.assert_array_equal(plain.x, labelled.x)
    assert len(np.unique(labelled.labels)) == 10
    own = data.audited.labels[np.isin(data.audited.ids, labelled.ids)]
    assert np.mean(own == labelled.labels) < 0.2
    again = data.requests(Settings())["random"].records
    np.testing.assert_array_equal(again.labels, labelled.labels)


def test_too_few_records_for_the_largest_run_are_refused():
    scaled = at_scale(load_study("diffusion-size"), records=100)
    with pytest.raises(InvalidInput, match="and be 256 or more; got 100"):
        load_data(scaled)
