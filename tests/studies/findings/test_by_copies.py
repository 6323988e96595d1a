"""What the study of recitation by copies finds, of a tiny model and of results made up by hand."""

import tomllib
from importlib.resources import files

import numpy as np
import pytest

import byrote
from byrote.errors import InvalidInput
from byrote.figures import RecitationCurve, recitation_by_copies
from byrote.runs.request import Request, Settings
from byrote.stats.estimate import Estimate
from byrote.studies import page
from byrote.studies.execute import execute
from byrote.studies.kinds import load_study
from byrote.studies.planted_texts import plant
from byrote.studies.recitation_kind import RecitationStudy
from byrote.studies.requests import load_data, study_command
from byrote.studies.study import at_scale


def tiny(copies=(1, 16)):
    """Two small models on 24 texts, of which six are planted."""
    declared = tomllib.loads(
        files("byrote.studies").joinpath("recitation-by-copies.toml").read_text("utf-8")
    )
    declared["common"] |= {"copies": list(copies), "planted": 3, "fits": 2, "epochs": 8,
                           "prefix": 15, "suffix": 8}  # fmt: skip
    declared["common"]["model"] |= {"batch_size": 4, "learning_rate": 0.03}
    declared["run"] = [
        {"name": f"width-{width}", "title": f"{width} units", "model": {"hidden": width}}
        for width in (4, 24)
    ]
    declared["small"] = {"minutes": 1, "records": 24}
    return RecitationStudy(name="recitation-by-copies", **declared)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("texts") / "lines.txt"
    generator = np.random.default_rng(0)
    lines = ["".join(generator.choice(list("abcdefgh"), 26)) for _ in range(30)]
    path.write_text("\n".join(["too short", *lines]) + "\n")
    out, settings = tmp_path_factory.mktemp("study"), Settings()
    data = load_data(at_scale(tiny()), str(path))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Request, "preflight", lambda *_: None)  # a fit more of each run
        return page.report_on(data, execute(data, settings, out), settings, out)


def test_what_is_planted_often_is_learnt_and_costs_fewer_bits_with_it_in_training(report):
    levels = report.findings.data["recitation"]
    assert [level["copies"] for level in levels["24 units"]] == [1, 16]
    assert {level["texts"] for of in levels.values() for level in of} == {3}
    once, often = levels["24 units"]
    assert often["effect"][0] > 5 * abs(once["effect"][0])
    assert often["bits_in"][0] < often["bits_out"][0]
    saved = report.findings.data["per_doubling"]
    assert saved["24 units"]["bits_saved"][1] > 0
    assert saved["24 units"]["bits_saved"][0] > saved["4 units"]["bits_saved"][0]


def test_the_numbers_are_those_of_the_runs(report):
    for run in report.runs:
        result, scores = run.recitation, run.memorization
        level = report.findings.data["recitation"][run.title][1]
        ids = set(scores.ids[run.planted_rows[run.copies == 16]])
        rows = [name in ids for name in result.ids]
        assert level["memorized"][0] == pytest.approx(result.memorized[rows].mean())
        assert level["bits_in"][0] == pytest.approx(result.bits_in[rows].mean() / 8)
        assert run.weights == sum(v.size for v in run.run.model(0).get_weights().values())


def test_the_page_has_tables_remarks_and_the_figure(report):
    shown = page.markdown(report)
    assert "24 texts" in shown
    assert "Change per doubling of the copies" in shown
    assert "units:" in " ".join(page.remarks(report))
    assert set(report.findings.figures) == {"recitation-by-copies"}
    for _, (head, *rows) in report.findings.tables:
        assert {len(row) for row in rows} == {len(head)}
    assert page.to_json(report)["found"]["per_doubling_of_weights"]
    assert "too short" not in shown


def test_all_copies_of_a_text_are_in_the_same_fits(report):
    run = report.runs[0]
    groups, trained = np.asarray(run.request.plan.groups), run.run.design.trained_on(0) > 0
    for text in np.unique(groups):
        assert len(set(trained[groups == text])) == 1
    assert trained[np.asarray(run.request.records.labels) == 0].all()


def test_planting_repeats_texts_and_leaves_the_others():
    texts = byrote.TextRecords(["x", "y", "z"])
    records, text = plant(texts, np.array([2, 0, 1]))
    assert records.texts == ("x", "x", "y", "z")
    assert records.ids.tolist() == ["0", "0, copy 2", "1", "2"]
    assert (records.labels.tolist(), text.tolist()) == ([2, 2, 0, 1], [0, 0, 1, 2])


@pytest.mark.parametrize("scale", ["small", "full"])
def test_runs_as_declared_plant_the_same_texts_in_models_of_different_size(scale):
    scaled = at_scale(load_study("recitation-by-copies"), scale)
    requests = load_data(scaled).requests(Settings())
    first, *others = requests.values()
    assert all(first.records.fingerprint == other.records.fingerprint for other in others)
    assert len({request.model.hidden for request in requests.values()}) == len(requests)
    labels, count = np.unique(first.records.labels, return_counts=True)
    assert np.array_equal(count[1:], scaled.runs[0].planted * labels[1:])


def test_texts_that_do_not_suffice_are_refused_and_the_command_names_them(tmp_path):
    path = tmp_path / "few.txt"
    path.write_text("a line of enough characters\n" * 5 + "short\n")
    with pytest.raises(InvalidInput, match="must leave 7 texts or more, and --data have as many"):
        load_data(at_scale(tiny()), str(path))
    data = load_data(at_scale(tiny(), records=30))
    assert "--data python-help --scale small --records 30" in study_command(
        data, Settings(), tmp_path
    )


def test_curves_are_drawn_as_given_and_must_be_whole():
    known = [Estimate(0.1, 0.0, 0.3), Estimate(0.5, 0.3, 0.7)]
    curve = RecitationCurve("small", [1, 8], known, known, known[::-1])
    left, right = recitation_by_copies([curve]).axes
    assert left.lines[0].get_xydata().tolist() == [[0.0, 0.1], [3.0, 0.5]]
    assert [line.get_ydata().tolist() for line in right.lines] == [[0.1, 0.5], [0.5, 0.1]]
    with pytest.raises(InvalidInput, match="one estimate for each of 2"):
        recitation_by_copies([RecitationCurve("small", [1, 8], known[:1], known, known)])
    with pytest.raises(InvalidInput, match="curves must hold 1 to"):
        recitation_by_copies([])
