"""byrote extract: what is printed, and what is not."""

import errno
import json
import re
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import byrote
from byrote import Canary
from byrote.attacks.ranks import find_ranks
from byrote.cli.verbs import extract
from byrote.errors import CorruptFile, InvalidInput
from byrote.report.page.report import make_page
from byrote.runs.paths import RunPaths
from byrote.runs.run_folder import RunFolder
from byrote.scores.exposure.extraction_from_run import extract_from_run
from byrote.scores.exposure.secret_extraction import SearchBudget

from languages import Ngram

TEXT = "".join(f"line {k} of a text about {k % 7} cats and {k % 11} dogs\n" for k in range(400))
MODEL = ["--model", "languages:Ngram", "--set", "order=5"]


@pytest.fixture(autouse=True)
def run(tmp_path, monkeypatch, once):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    Path("text.txt").write_text(TEXT)
    planted = ["--canary", "the code is {digits:4}!", "--canary", "pin {digits:3}", *MODEL]
    levels = ["--insertions", "1,8", "--canaries-per-level", "2", "--controls", "2"]
    options = ["--references", "60", "--keep-models", "release", "--out", "run"]
    once("expose", "text.txt", *planted, *levels, *options)
    return RunFolder.open(RunPaths(Path("run")))


def planted(run):
    found = run.canaries
    return dict(zip(found.ids.tolist(), found.completions, strict=True)), found


def test_secrets_are_found_recognised_and_masked(run, byrote_):
    code, out, err = byrote_("extract", "run", *MODEL, "--top", "2")
    assert (code, err) == (0, "")
    texts, _ = planted(run)
    assert "found ****! at" in out
    assert "Certified" in out
    assert "inserted 8 times" in out
    assert not [text for text in texts.values() if text in out]
    shown = byrote_("extract", "run", *MODEL, "--show-secrets")[1]
    assert [text for text in texts.values() if text in shown]


def test_json_against_every_completion(run, byrote_):
    options = ("--canary", "canary-04", "--top", "3", "--json")
    data = json.loads(byrote_("extract", "run", *MODEL, *options, "--show-secrets")[1])
    (found,) = data["patterns"]
    texts, canaries = planted(run)
    number = canaries.ids.tolist().index("canary-04")
    pattern = canaries.patterns[canaries.pattern[number]]
    model = byrote.open_run("run").model(model=Ngram(order=5))
    every = find_ranks(model, pattern, list(pattern.format), method="enumeration")
    likeliest = sorted(zip(every.bits.tolist(), pattern.format, strict=True))[:3]
    assert [one["text"] for one in found["found"]] == [text for _, text in likeliest]
    assert [one["bits"] for one in found["found"]] == pytest.approx([b for b, _ in likeliest])
    assert found["found"][0]["certified"]
    inserted = run.design.included(0)
    expected = {
        (place, id_, int(inserted[canaries.ids.tolist().index(id_)]))
        for place, (_, text) in enumerate(likeliest, start=1)
        for id_, own in texts.items()
        if own == text
    }
    assert {tuple(one.values()) for one in found["recognised"]} == expected
    assert expected
    (own,) = found["canaries"]
    place = pattern.format.index(texts["canary-04"])
    assert (own["rank"], own["inserted"]) == (every.rank[place], inserted[number])
    masked = byrote_("extract", "run", *MODEL, *options)[1]
    assert {one["text"] for one in json.loads(masked)["patterns"][0]["found"]} == {pattern.masked}


def test_greedy_completion_by_hand(run):
    model = byrote.open_run("run").model(model=Ngram(order=5))
    budget = SearchBudget(max_queries=50)
    [found] = extract_from_run(run, model, ids=["canary-04"], budget=budget).patterns
    texts, canaries = planted(run)
    own, pattern = texts["canary-04"], canaries.patterns[canaries.pattern[4]]
    for given, share in enumerate(found.completed[0]):
        text = own[:given]
        while len(text) < len(own):  # the likeliest character that the format allows
            allowed = "0123456789" if pattern.text.endswith("}") or len(text) < 4 else "!"
            row = model.next_log_probs([model.encode(pattern.prefix + text)])[0]
            text += max(allowed, key=lambda c: row[model.encode(c)[0]])
        right = [a == b for a, b in zip(own[given:], text[given:], strict=True)]
        assert share == pytest.approx(sum(right) / len(right))
    assert found.completed[0, -1] == 1


def test_another_prefix_and_a_small_budget(run, byrote_):
    options = ("--canary", "canary-00", "--prefix", "{my} code is ", "--max-queries", "1", "--json")
    data = json.loads(byrote_("extract", "run", *MODEL, *options)[1])
    (found,) = data["patterns"]
    assert found["pattern"].startswith("{{my}} code is {digits:")
    assert Canary(found["pattern"]).prefix == "{my} code is "
    assert (found["found"], found["queries"]) == ([], 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "model must be given, unfitted"),
        (["run", *MODEL, "--fit", "3"], "does not keep fit 3"),
        (["run", *MODEL, "--canary", "canary-99"], "canary must be one of the run's"),
        (["run", *MODEL, "--top", "0"], "top must be an integer of at least 1"),
        (["run", *MODEL, "--prefix", "\u00e9"], "U+00E9"),
        (["run", "--set", "order=5"], "--set needs --model"),
        (["run", "--model", "languages:Ngram"], "model must be the run's"),
        (["nothing"], "holds no run"),
    ],
)
def test_bad_input_is_one_sentence(byrote_, arguments, message):
    code, out, err = byrote_("extract", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_a_search_that_ends_too_early_says_what_helps(run, byrote_):
    code, out, _ = byrote_("extract", "run", *MODEL, "--max-queries", "1", "--batch-size", "1")
    assert code == 0
    assert "nothing found in 1 query: none of 10,000 completions was reached" in out
    assert "at most 10,000" not in out


def test_extract_is_offered_where_a_model_is_kept(run, byrote_):
    code, out, _ = byrote_("show", "run")
    assert code == 0
    assert "The run is in run: byrote show, figures, extract." in out
    next(Path("run/models").iterdir()).unlink()
    assert "figures; extract needs --keep-models release" in byrote_("show", "run")[1]


# -- what is kept ---------------------------------------------------------------------------------


def page_of(byrote_, name="page.html"):
    """Write the page of the run: its bytes, and its data."""
    assert byrote_("report", "run", "--out", name)[0] == 0
    content = Path(name).read_bytes()
    [text] = re.findall(rb'id="data">(.*?)</script>', content)
    return content, json.loads(text)["runs"]["run"]


def test_what_was_extracted_is_kept_and_shown_without_a_secret(run, byrote_):
    before = page_of(byrote_)[1]
    assert byrote.open_run("run").extraction() is None
    assert "extraction" not in before["sections"]
    assert "extract" not in json.loads(byrote_("show", "run", "--json")[1])
    options = ("extract", "run", *MODEL, "--top", "2", "--json")
    printed = json.loads(byrote_(*options, "--show-secrets")[1])
    hidden = json.loads(byrote_(*options)[1])
    content, data = page_of(byrote_)
    assert data["sections"]["extraction"] == hidden
    assert page_of(byrote_, "again.html")[0] == content
    assert byrote_("verify", "page.html", "run")[0] == 0
    assert json.loads(byrote_("show", "run", "--json")[1])["extract"] == hidden
    found = {s["id"] for p in printed["patterns"] for s in p["recognised"] if s["inserted"]}
    assert found
    sentence = f"{len(found)} of 8 inserted secrets extracted from the model of fit 0"
    card, covered = byrote_("card", "run")[1], data["sections"]["coverage"]["exfiltration"]
    for text in (byrote_("show", "run")[1], card, covered["evidence"]):
        assert sentence in " ".join(text.split())
    assert covered["status"] == "run"
    [number] = [each for each in data["numbers"] if each["metric"] == "secrets_extracted"]
    assert number["estimate"]["value"] == len(found)
    kept = pq.read_table("run/extraction.parquet")
    outside = f"{kept.to_pydict()} {kept.schema.metadata} {card}".encode() + content
    texts = [c["text"] for p in printed["patterns"] for c in p["found"]]
    for text in {*texts, *planted(run)[0].values()}:  # of digits alone, or with a mark
        for written in (f"pin {text}", f'"{text}"', f"'{text}'", f">{text}<", f" {text}"):
            assert not text.endswith("!") or text.encode() not in outside
            assert written.encode() not in outside


def test_a_second_extraction_replaces_the_first_whole_and_says_what_it_left_out(run, byrote_):
    byrote_("extract", "run", *MODEL)
    first = byrote.open_run("run").extraction()
    assert (len(first), first.planted, len(first.patterns)) == (8, 8, 2)
    few = ("--canary", "canary-00", "--max-queries", "1", "--batch-size", "1")
    byrote_("extract", "run", *MODEL, *few)
    second = byrote.open_run("run").extraction()
    assert second.ids.tolist() == ["canary-00"]
    assert second.budget == SearchBudget(max_queries=1, batch_size=1)
    shown = " ".join(byrote_("show", "run")[1].split())
    assert "0 of 4 inserted secrets extracted from the model of fit 0" in shown
    assert "Not certified for 1 of 1 pattern" in shown
    assert "The other 4 of 8 inserted secrets, of other patterns, were not searched for" in shown
    [number] = [n for n in page_of(byrote_)[1]["numbers"] if n["metric"] == "secrets_extracted"]
    assert number["interval"] == "no interval: a count in one model, whose search was cut off"


def test_an_extraction_that_is_not_written_leaves_the_old_one(run, byrote_, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "no room")

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    byrote_("extract", "run", *MODEL)
    old = Path("run/extraction.parquet").read_bytes()
    for place, fault, code in ((Path, full, 4), (extract, interrupt, 130)):
        with monkeypatch.context() as patch:
            patch.setattr(place, "replace" if place is Path else "extract_from_run", fault)
            assert byrote_("extract", "run", *MODEL, "--top", "3")[0] == code
        assert Path("run/extraction.parquet").read_bytes() == old
        assert not [*Path("run").glob(".extraction*")]


def test_an_extraction_of_another_run_or_a_damaged_one_is_not_taken_for_nothing(run, byrote_):
    byrote_("extract", "run", *MODEL)
    kept, path = byrote.open_run("run").extraction(), Path("run/extraction.parquet")
    replace(kept, description={"run_id": "another"}).save(path)
    with pytest.raises(InvalidInput, match="belongs to another run; byrote extract replaces it"):
        byrote.open_run("run").extraction()
    code, out, err = byrote_("show", "run")
    assert (code, "byrote extract:" in out) == (0, False)
    assert "belongs to another run" in err
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CorruptFile):
        byrote.open_run("run").extraction()
    page = make_page({"run": byrote.open_run("run")})
    assert "extraction" not in page.data["runs"]["run"]["sections"]
