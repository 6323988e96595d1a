"""What the words of a page claim: no more than the run shows."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

from byrote.report.extraction import first_guesses
from byrote.report.page.card import card_of
from byrote.report.page.report import make_page
from byrote.report.page.words import intervals


def data_of(content):
    [text] = re.findall(rb'<script type="application/json" id="data">(.*?)</script>', content)
    return json.loads(text)


def test_a_page_of_planted_secrets_says_that_nothing_else_was_audited(pages):
    part = data_of(pages("canaries"))["runs"]["canaries"]
    assert (
        "The real content of the text: only secrets planted in it were audited."
        in (part["untested"])
    )
    [attack] = [each for each in part["numbers"] if each["name"] == "best membership attack"]
    assert "planted secrets told from unplanted ones" in attack["note"]
    assert any("with secrets added" in sentence for sentence in part["untested"])
    assert not any("parts of these data" in sentence for sentence in part["untested"])


READS_LIKE_AN_ALL_CLEAR = (
    "consistent with no memorization",
    "nothing was memorized",
    "no privacy loss is proven",
    "guaranteed: none",
    "is safe",
)


@pytest.mark.parametrize("name", ["images", "rows", "texts", "canaries"])
def test_no_sentence_of_a_page_without_limits_reads_like_an_all_clear(pages, name):
    text = pages(name).decode().lower()
    assert [phrase for phrase in READS_LIKE_AN_ALL_CLEAR if phrase in text] == []


@pytest.mark.parametrize("name", ["images", "wide", "rows", "texts", "canaries"])
def test_page_card_and_terminal_say_the_same(pages, opened, name):
    run = opened(name)
    part = data_of(pages(name))["runs"][name]
    terminal = " ".join(str(run.exposure() if run.has_canaries else run.memorization()).split())
    [chapter] = make_page({name: run}).chapters
    card = card_of(chapter, run).replace("\\", "")
    for sentence in part["headline"]:
        assert sentence in terminal
        assert sentence in card


def extraction(most, size=10**9):
    """Return the search of a pattern whose last secret was not inserted."""
    inserted = np.array([4] * (len(most) - 1) + [0])
    pattern = SimpleNamespace(
        ranks=SimpleNamespace(most=np.array(most)),
        inserted=inserted,
        extraction=SimpleNamespace(size=size),
    )
    return SimpleNamespace(patterns=(pattern,), searched=len(most) - 1)


@pytest.mark.parametrize(
    ("most", "size", "held"),
    [
        ([1.0, 1000.0, 1001.0, 2.0], 10**9, "certainly hold 2 of 3"),
        ([1.0, 1000.0, 1001.0, 2.0], 10**4, ""),  # a tenth of all completions is not few
        ([1e8, 1e9, 1e9, 2.0], 10**9, ""),
    ],
)
def test_secrets_among_the_first_guesses_are_counted_by_certain_ranks(most, size, held):
    sentence = first_guesses(extraction(most, size))
    assert sentence.endswith(held)
    assert bool(sentence) == bool(held)


def test_only_a_test_that_borrows_noise_explains_intervals_that_disagree_with_q():
    assert "the two may disagree" in intervals(moderated=True)
    assert "disagree" not in intervals(moderated=False)
