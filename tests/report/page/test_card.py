"""The section of a model card: read by the library that reads model cards."""

import re

import numpy as np
import pytest
from huggingface_hub import ModelCard

from byrote.report.page.card import card_of, metrics_of
from byrote.report.page.report import make_page

from page_runs import SECRET


@pytest.fixture(scope="module")
def made(opened):
    def make(name):
        run = opened(name)
        [chapter] = make_page({name: run}).chapters
        return card_of(chapter, run), metrics_of(chapter)

    return make


@pytest.mark.parametrize("name", ["images", "canaries"])
def test_its_metadata_are_the_metrics_of_the_run(made, name):
    card, metrics = made(name)
    results = ModelCard(card).data.eval_results
    assert {result.metric_type: result.metric_value for result in results} == {
        name: value for name, value in metrics.items() if not re.search("_(low|high)$", name)
    }
    for result in results:
        assert result.task_type == "memorization-audit"
        low = metrics.get(f"{result.metric_type}_low", -np.inf)
        assert low <= result.metric_value <= metrics.get(f"{result.metric_type}_high", np.inf)


def test_what_was_not_measured_is_absent_from_metrics_and_said_in_the_card(made):
    card, metrics = made("images")
    assert "epsilon_proven" not in metrics
    assert "| privacy loss proven | no bound proven |" in card


@pytest.mark.parametrize("name", ["images", "canaries"])
def test_nothing_in_it_is_markup_and_nothing_a_secret(made, name):
    text = made(name)[0].split("\n---\n", 1)[1]
    assert not re.search(r"(?<!\\)<", text)
    assert SECRET not in text


def test_the_command_prints_it(byrote_, runs, made):
    code, out, err = byrote_("card", runs / "images", "--max-auc", "0.55")
    assert (code, err) == (3, "")
    assert "**Failed: 1 of 1 threshold (max-auc).**" in out
    assert out.startswith("---\nmodel-index:\n- ")
