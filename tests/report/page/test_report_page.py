"""The page of a run: its bytes, what it leaves out, and whether it belongs to the run."""

import base64
import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.stats import false_discovery_control

import byrote
from byrote.errors import InvalidInput
from byrote.report.conclusion import conclude
from byrote.report.page.render import render
from byrote.report.page.report import make_page, verify
from byrote.report.page.sections.coverage import CLASSES

from page_runs import SECRET

KINDS = ("images", "rows", "texts", "canaries")


def again(*paths, **options):
    """Make a page, which no other test has made."""
    return render(make_page({path.name: byrote.open_run(path) for path in paths}, **options))


def data_of(content):
    [text] = re.findall(rb'<script type="application/json" id="data">(.*?)</script>', content)
    return json.loads(text)


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the texts of its cells."""

    def __init__(self, content):
        super().__init__()
        self.elements, self.texts = [], []
        self.feed(content.decode())

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data)

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.mark.parametrize("names", [("images",), ("rows",), ("canaries",), ("images", "wide")])
def test_a_second_page_has_the_same_bytes_wherever_the_runs_are(pages, runs, names, tmp_path):
    for name in names:
        shutil.copytree(runs / name, tmp_path / name)
    second = again(*(tmp_path / name for name in names), show_records=True)
    assert second == pages(*names, show_records=True)
    assert str(tmp_path).encode() not in second


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_in_a_page_is_loaded_from_elsewhere(pages, kind):
    elements = Elements(pages(kind, show_records=True))
    for tag, attributes in elements.elements:
        for name in ("src", "href", "action", "srcset", "data", "poster"):
            target = attributes.get(name, "#")
            assert target.startswith("#") or (tag, target[:15]) == ("img", "data:image/png;")
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    assert len(elements.of("script")) == 2
    assert len(elements.of("style")) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_every_link_leads_to_a_place_in_the_pages(pages, kind):
    elements = Elements(pages(kind, "wide") if kind == "images" else pages(kind))
    names = [a["id"] for _, a in elements.elements if "id" in a]
    assert len(names) == len(set(names))
    assert {a["href"][1:] for a in elements.of("a")} <= set(names)


def test_hostile_ids_and_names_are_text(pages):
    content = pages("images", "wide", show_records=True)
    elements = Elements(content)
    assert not [a for a in elements.of("img") if not a["src"].startswith("data:image/png;")]
    assert not [t for t, _ in elements.elements if t in ("i", "h6", "iframe", "object")]
    assert len(elements.of("title")) >= 1
    text = content.decode()
    assert not {"\x1b", "\u202e", "\u2028"} & set(text)
    shown = "".join(elements.texts)
    assert "<script>document.title='pwned'</script>" in shown  # as text, as it stands in the data
    assert r"a\x1b[2Jb" in shown
    assert r"\u202egnp.exe" in shown
    assert "{{ 7 * 7 }}" in shown
    assert 'we<b>ird & "name".npz' in shown.replace("\n", " ")


def test_what_records_hold_is_shown_only_if_asked_for(pages, runs):
    completions = pq.read_table(runs / "canaries" / "canaries.parquet")["completion"].to_pylist()
    hidden, shown = (pages("canaries", show_records=show) for show in (False, True))
    texts = [f"is {completion.strip()}" for completion in completions]
    assert not [text for text in texts if text.encode() in hidden]
    assert [text for text in texts if text.encode() in shown]
    hidden, shown = (pages("images", show_records=show) for show in (False, True))
    assert SECRET.encode() not in hidden
    assert b"data:image" not in hidden
    assert SECRET.encode() in shown
    hidden, shown = (pages("texts", show_records=show) for show in (False, True))
    assert SECRET.encode() not in hidden
    assert f"&lt;b&gt;{SECRET}&lt;/b&gt;".encode() in shown


def test_pictures_have_no_metadata(pages):
    content = pages("images", show_records=True)
    pictures = re.findall(rb"data:image/png;base64,([A-Za-z0-9+/=]+)", content)
    assert pictures
    for picture in set(pictures):
        raw, chunks, place = base64.b64decode(picture), set(), 8
        while place < len(raw):
            length = int.from_bytes(raw[place : place + 4], "big")
            chunks.add(raw[place + 4 : place + 8])
            place += length + 12
        assert chunks == {b"IHDR", b"IDAT", b"IEND"}


# -- what it says ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_data_say_what_the_run_says(pages, opened, kind):
    data = data_of(pages(kind))
    run, part = opened(kind), data["runs"][kind]
    result = run.exposure() if run.has_canaries else run.memorization()
    conclusion = conclude(result)
    assert (part["verdict"], part["exit_code"]) == ("not judged", 0)
    assert part["headline"] == list(conclusion.headline)
    manifest = part["sections"]["made"]["manifest"]
    assert manifest["run_id"] == run.manifest.run_id
    assert "location" not in manifest["data"]
    assert set(part["sections"]["coverage"]) == set(CLASSES)


def test_texts_are_listed_by_counterfactual_memorization_with_its_error(pages, opened):
    frame = opened("texts").memorization().to_frame()
    first = frame.sort_values("counterfactual", ascending=False, kind="stable").iloc[0]
    section = data_of(pages("texts"))["runs"]["texts"]["sections"]["texts"]
    for name in ("id", "tokens", "bits_per_token_in", "accuracy_out", "counterfactual_error"):
        assert section["texts"][0][name] == first[name]
    assert section["summary"]["tokens"] == frame["tokens"].sum()
    mean = section["summary"]["counterfactual"]["value"]
    assert np.isclose(mean, (frame["accuracy_in"] - frame["accuracy_out"]).mean())


def test_the_verdict_is_that_of_the_gate(pages, runs):
    thresholds = {"max_score": 1e6, "max_auc": 0.55}
    part = data_of(pages("images", thresholds=tuple(thresholds.items())))["runs"]["images"]
    gate = byrote.check(runs / "images", **thresholds)
    assert part["verdict"] == gate.verdict
    assert part["judgement"] == gate.headline
    assert part["exit_code"] == gate.exit_code


@pytest.mark.parametrize(
    ("kind", "thresholds", "begins"),
    [
        ("images", {}, ""),
        ("images", {"max_q999": 1e6}, "It is within the limits"),
        ("images", {"max_q999": 0.0}, "It is not within the limits"),
        ("images", {"max_exposure": 1.0}, "That is not a pass"),
        ("canaries", {"max_score": 1.0}, "That is not a pass"),
    ],
)
def test_what_follows_from_the_verdict_is_said(pages, kind, thresholds, begins):
    content = pages(kind, thresholds=tuple(thresholds.items()))
    consequence = data_of(content)["runs"][kind]["consequence"]
    assert consequence.startswith(begins)
    assert bool(consequence) == bool(thresholds)
    assert consequence.encode() in content


def test_secrets_that_stand_out_are_counted(pages, opened):
    result = opened("canaries").exposure()
    inserted = result.inserted > 0
    found = (false_discovery_control(result.exposure.p_value[inserted]) <= 0.05).sum()
    first = data_of(pages("canaries"))["runs"]["canaries"]["headline"][0]
    assert first.startswith(f"{found} of {inserted.sum()} inserted secrets are more exposed")


def test_what_was_not_measured_is_neither_zero_nor_passed(pages):
    numbers = data_of(pages("images"))["runs"]["images"]["numbers"]
    [epsilon] = [number for number in numbers if number["name"] == "privacy loss proven"]
    assert (epsilon["value"], epsilon["missing"]) == ("", "no bound proven")
    assert "folds are not independent" in epsilon["note"]
    assert b"not measured" in pages("images")
    assert b"folds are not independent" in pages("images")


@pytest.mark.parametrize("kind", ["images", "rows"])
def test_records_that_were_not_found_are_not_cleared(pages, opened, kind):
    numbers = data_of(pages(kind))["runs"][kind]["numbers"]
    [share] = [number for number in numbers if number["name"] == "records found"]
    found = opened(kind).memorization().summary().significant
    assert share["value"].startswith(f"{found:,} of ")
    assert ("truly" in share["interval"]) if found else ("undetected" in share["interval"])
    assert share["estimate"]["high"] == 1.0


def test_an_incomplete_run_says_so_and_is_not_finished(runs, tmp_path):
    shutil.copytree(runs / "images", tmp_path / "images")
    (tmp_path / "images" / "fits" / "fit-000003.parquet").unlink()
    part = data_of(again(tmp_path / "images"))["runs"]["images"]
    assert "1 of 16 fits" in part["incomplete"]
    assert part["exit_code"] == 4


def test_attacks_count_as_run_only_where_the_run_has_their_results(pages):
    statuses = {
        kind: {
            name: cover["status"]
            for name, cover in data_of(pages(kind))["runs"][kind]["sections"]["coverage"].items()
        }
        for kind in ("images", "texts", "canaries")
    }
    assert statuses["images"]["membership inference"] == "run"
    assert statuses["images"]["regurgitation"] == "not run"
    assert statuses["images"]["exfiltration"] == "out of scope"
    assert statuses["texts"]["exfiltration"] == "not run"
    assert statuses["canaries"]["exfiltration"] == "run"  # ranks by enumeration
    for kind in statuses:
        assert statuses[kind]["model inversion"] == "out of scope"


# -- whether it belongs to a run ------------------------------------------------------------------


def test_a_page_belongs_to_its_run_alone(pages, opened, tmp_path):
    path = tmp_path / "page.html"
    path.write_bytes(pages("images", thresholds=(("max_score", 20.0),)))
    run = opened("images")
    assert verify(path, [run]) == []
    problems = verify(path, [opened("wide")])
    assert [problem for problem in problems if "SHA-256 of its model" in problem]
    path.write_bytes(path.read_bytes().replace(b"memorized", b"unharmed!", 1))
    assert verify(path, [run]) == ["the page was changed after it was made"]


def test_a_page_of_fewer_fits_is_not_that_of_the_run(runs, opened, tmp_path):
    shutil.copytree(runs / "rows", tmp_path / "rows")
    (tmp_path / "rows" / "fits" / "fit-000000.parquet").unlink()
    path = tmp_path / "page.html"
    path.write_bytes(again(tmp_path / "rows"))
    problems = verify(path, [opened("rows")])
    assert problems == ["rows: the SHA-256 of its run differs from that of the page"]


def test_settings_that_no_report_writes_are_a_changed_page(pages, opened, tmp_path):
    path = tmp_path / "page.html"
    changed = pages("rows").replace(b'"thresholds": {}', b'"thresholds": {"max_luck": 1}')
    assert changed != pages("rows")
    path.write_bytes(changed)
    run = opened("rows")
    assert verify(path, [run]) == ["the page was changed after it was made"]


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b'<script type="application/json" id="data">{}</script>']
)
def test_other_files_are_no_pages(pages, opened, tmp_path, content):
    path = tmp_path / "page.html"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match="page must be a file that byrote report wrote"):
        verify(path, [opened("rows")])


def test_the_commands_write_and_verify(runs, byrote_):
    code, out, err = byrote_("report", runs / "images", "--out", "p.html", "--max-auc", "0.55")
    assert (code, err) == (3, "")
    assert "failed: 1 of 1 threshold (max-auc)" in out
    assert byrote_("verify", "p.html", runs / "images")[0] == 0
    code, out, _ = byrote_("verify", "p.html", runs / "wide")
    assert code == 3
    assert "does not belong" in out
    code, _, err = byrote_("report", runs / "images", "--out", "absent/p.html")
    assert code == 2
    assert "folder that exists" in err


def test_a_run_writes_its_page(pages, opened, tmp_path):
    path = tmp_path / "page.html"
    opened("rows").report(path)
    assert path.read_bytes() == pages("rows")


def test_many_records_make_no_long_page():
    generator = np.random.default_rng(0)
    half = np.repeat(np.arange(8)[:, None] < 4, 4_000, axis=1)
    included = generator.permuted(half, axis=0)
    log_prob = generator.normal(size=included.shape)
    log_prob[:, :600] += 30 * included[:, :600]
    run = byrote.run_from_table(log_prob, included, randomized=True)
    assert len(render(make_page({"many": run}))) < 600_000
