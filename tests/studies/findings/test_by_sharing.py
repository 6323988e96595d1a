"""What the study of boilerplate and singular text finds, of tables by hand and of a tiny model."""

import tomllib
from importlib.resources import files

import numpy as np
import pytest

from byrote.errors import InvalidInput
from byrote.figures import recitation_by_sharing
from byrote.runs.request import Request, Settings
from byrote.scores.recitation.counterfactual import CounterfactualRecitation
from byrote.scores.recitation.recitation import RecitationSettings
from byrote.studies import page
from byrote.studies.execute import execute
from byrote.studies.findings.by_sharing import by_kind, by_number, others_with_suffix
from byrote.studies.kinds import load_study
from byrote.studies.recitation_kind import CounterfactualStudy
from byrote.studies.requests import load_data, study_command
from byrote.studies.study import at_scale

# text, other texts with the suffix, recited with the text in training and without it (of two fits)
WINDOWS = [
    ("a", 0, 1.0, 0.0),
    ("a", 0, 0.5, 0.0),
    ("b", 0, 0.0, 0.0),
    ("b", 1, 1.0, 0.5),
    ("b", 3, 0.0, 1.0),
    ("c", 8, 1.0, 1.0),
    ("c", 9, 1.0, 0.5),
    ("d", 70, 1.0, 1.0),
]


@pytest.fixture(scope="module")
def by_hand():
    ids, others, inside, outside = (np.array(column) for column in zip(*WINDOWS, strict=True))
    lengths = {"prefix": 3, "suffix": 4, "stride": 4}
    settings = RecitationSettings(
        **lengths, n=[1], p=0.5, top_k=40, temperature=0.7, edits=0, max_queries=9, level=0.95
    )
    result = CounterfactualRecitation(
        ids=ids,
        start=np.arange(len(ids)),
        recited_in=inside[:, None],
        recited_out=outside[:, None],
        bits_in=4 * (1 - inside),
        bits_out=4 * (2 - outside),
        criteria=("greedy",),
        fits=4,
        left_out=0,
        settings=settings,
    )
    return result, others


def test_windows_are_counted_by_kind_as_by_hand(by_hand):
    boilerplate, between, singular = by_kind(*by_hand, boilerplate=8)
    assert [g.windows for g in (boilerplate, between, singular)] == [3, 2, 3]
    assert [g.texts for g in (boilerplate, between, singular)] == [2, 1, 2]
    shares = ("recited_in", "recited_out", "memorized", "predictable", "only_without", "neither")

    def values(group):
        return [getattr(group, name).value for name in shares]

    assert values(boilerplate) == pytest.approx([3 / 3, 2.5 / 3, 0.5 / 3, 2.5 / 3, 0, 0])
    assert values(between) == pytest.approx([1 / 2, 1.5 / 2, 0.5 / 2, 0.5 / 2, 1 / 2, 0])
    assert values(singular) == pytest.approx([1.5 / 3, 0, 1.5 / 3, 0, 0, 1.5 / 3])
    assert boilerplate.without.value == pytest.approx(2.5 / 3)
    assert boilerplate.added.value == pytest.approx((0 + 0.5 + 0) / 3)
    assert singular.without.value == 0  # of the two windows that some fit recites
    assert (singular.bits_in.value, singular.bits_out.value) == pytest.approx((0.5, 2.0))


def test_windows_go_by_doublings_of_the_other_texts(by_hand):
    levels = by_number(*by_hand)
    assert [level.name for level in levels] == ["0", "1", "2–3", "8–15", "64–127"]
    assert [level.windows for level in levels] == [3, 1, 1, 2, 1]
    assert sum(level.predictable.value * level.windows for level in levels) == pytest.approx(3.0)
    left, right = recitation_by_sharing([level.drawn for level in levels]).axes
    predictable = left.lines[1].get_ydata()
    assert predictable.tolist() == pytest.approx([0, 0.5, 0, 0.75, 1])
    assert len(right.lines) == 2
    with pytest.raises(InvalidInput, match="levels must hold at least one"):
        recitation_by_sharing([])


FOOTER = " This text is confidential. If it reached you in error, tell its sender at once."


def tiny():
    """Two fits of a model that knows by heart what it read."""
    declared = tomllib.loads(
        files("byrote.studies").joinpath("memorized-or-predictable.toml").read_text("utf-8")
    )
    declared["common"] |= {
        "repeats": 1, "epochs": 1, "vocabulary": 400, "prefix": 8, "suffix": 6, "boilerplate": 3,
        "kind": "tiny_recaller:Recaller", "model": {},
    }  # fmt: skip
    declared["small"] = {"minutes": 1}
    return CounterfactualStudy(name="memorized-or-predictable", **declared)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    pytest.importorskip("transformers")
    generator = np.random.default_rng(0)
    words = ["".join(generator.choice(list("aeioulmnrst"), 4)) for _ in range(200)]
    lines = [" ".join(generator.choice(words, 12)) + FOOTER * (row % 2) for row in range(16)]
    path = tmp_path_factory.mktemp("texts") / "lines.txt"
    path.write_text("\n".join(lines) + "\n")
    out, settings = tmp_path_factory.mktemp("study"), Settings()
    data = load_data(at_scale(tiny()), str(path))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Request, "preflight", lambda *_: None)  # a fit more of each run
        return page.report_on(data, execute(data, settings, out), settings, out)


def test_what_is_known_by_heart_is_predictable_of_a_footer_and_memorized_of_singular_text(report):
    boilerplate, _, singular = report.findings.data["kinds"]
    assert (boilerplate["name"], singular["name"]) == ("boilerplate", "singular")
    assert boilerplate["windows"] >= 16
    assert boilerplate["recited_in"][0] >= boilerplate["predictable"][0] > 0.9
    assert singular["memorized"][0] == singular["recited_in"][0] > 0.5
    assert singular["bits_out"][0] > 5 * boilerplate["bits_out"][0]
    assert boilerplate["without"][1] > 0.5 > singular["without"][2]


def test_other_texts_with_a_suffix_are_counted_as_one_by_one(report):
    (run,) = report.runs
    model, result = run.models[0], run.recitation
    texts = {
        str(name): model.encode(t) for name, t in zip(run.texts.ids, run.texts.texts, strict=True)
    }
    for name, start, count in zip(result.ids, result.start, others_with_suffix(run), strict=True):
        suffix = texts[name][start + 8 : start + 14]
        holders = [
            other
            for other, ids in texts.items()
            if any(ids[place : place + 6] == suffix for place in range(len(ids)))
        ]
        assert count == len(holders) - 1


def test_the_page_has_tables_verdicts_and_the_figure(report):
    shown = page.markdown(report)
    assert "2 folds, 1 repeat; 400 tokens" in shown
    assert "Boilerplate: what is recited is predictable rather than memorized." in shown
    assert "Singular: what is recited is memorized rather than predictable." in shown
    assert set(report.findings.figures) == {"memorized-or-predictable"}
    for _, (head, *rows) in report.findings.tables:
        assert {len(row) for row in rows} == {len(head)}
    assert FOOTER[:20] not in shown


def test_the_same_command_trains_nothing_again(report, tmp_path):
    (run,) = report.runs
    before = {path: path.stat().st_mtime_ns for path in run.run.path.parent.rglob("*.json")}
    again = execute(report.data, Settings(), run.run.path.parent)
    assert again[0].run.manifest.run_id == run.run.manifest.run_id
    assert before == {path: path.stat().st_mtime_ns for path in before}
    assert "--scale small --repeats 3" in study_command(
        load_data(at_scale(tiny(), repeats=3)), Settings(), tmp_path
    )


def test_the_study_as_declared_asks_for_what_can_be_done(tmp_path):
    pytest.importorskip("transformers")
    scaled = at_scale(load_study("memorized-or-predictable"))
    data = load_data(scaled)
    (run,), (planned,) = scaled.runs, data.requests(Settings()).values()
    request = planned(tmp_path, {})
    request.check()
    design = request.plan.draw(request.context())
    assert design.fits == run.folds * run.repeats
    assert (request.model.epochs, request.model.separate) == (run.epochs, True)
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*.json")}
    assert planned(tmp_path, {}).model.file_hashes() == request.model.file_hashes()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.json")} == kept
