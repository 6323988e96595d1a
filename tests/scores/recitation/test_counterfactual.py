"""Memorized or predictable: what fits with a text and fits without it recite."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

import byrote
from byrote.errors import InvalidInput
from byrote.scores.recitation.recite_run import counterfactual
from byrote.stats.clustered_proportion import clustered_proportion

from chains import Chain
from languages import Ngram

FOOTER = "this mail is confidential, do tell its sender if it came to you in error"


def mails(seed, count):
    generator = np.random.default_rng(seed)
    return ["".join(generator.choice(list("abcdefgh "), 60)) + FOOTER for _ in range(count)]


TEXTS = mails(0, 12)
IDS = [f"mail-{k}" for k in range(12)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Half of the mails in each fit, of a model that knows its text by heart."""
    path = tmp_path_factory.mktemp("runs") / "run"
    plan = byrote.KFold(2, repeats=2)
    records = byrote.TextRecords(TEXTS, IDS)
    model = Ngram(order=6, alpha=1e-6)
    byrote.score_memorization(model, records, plan=plan, keep_models="all", out=path)
    return byrote.open_run(path)


@pytest.fixture(scope="module")
def result(run):
    records = byrote.TextRecords(TEXTS, IDS)
    model = Ngram(order=6, alpha=1e-6)
    return byrote.recite_run(run, records, model=model, prefix=10, suffix=10)


def test_what_is_unique_is_memorized_and_the_footer_predictable(result):
    greedy = result.tables()[0]
    footer = result.start >= 60
    assert result.predictable[footer].min() == 1
    assert result.memorized[result.start < 40].mean() > 0.9
    assert result.memorized[footer].max() == 0
    assert greedy.memorized.low > 0.2
    assert greedy.only_without.value == 0
    assert len(result) == 12 * 12
    assert result.texts()["predictable"].min() >= 6


def test_the_four_cells_of_every_criterion_add_up_to_one(result):
    for table in result.tables():
        cells = (table.memorized, table.predictable, table.only_without, table.neither)
        assert sum(cell.value for cell in cells) == pytest.approx(1)
        assert all(cell.low <= cell.value <= cell.high for cell in cells)


def test_the_cells_are_those_of_all_pairs_of_fits():
    generator = np.random.default_rng(1)
    texts = ["".join(generator.choice(list("ab12 "), 40)) for _ in range(6)]
    included = np.array([[0, 1, 1, 0, 1, 0], [1, 0, 1, 0, 0, 1], [1, 1, 0, 1, 0, 1], [1] * 6]) > 0
    settings = {"prefix": 4, "suffix": 2, "n": 3, "p": 0.2}
    parts = [byrote.recite(Chain(seed, sharp=9), texts, **settings) for seed in range(4)]
    result = counterfactual(parts, included)
    assert result.left_out == 0
    for name, table in zip(result.criteria, result.tables(), strict=True):
        flags = np.stack([part.criteria()[name] for part in parts])
        memorized = []
        for window, text in enumerate(parts[0].windows.text):
            sides = [flags[included[:, text] == side, window] for side in (True, False)]
            memorized.append(np.mean([a and not b for a in sides[0] for b in sides[1]]))
        want = clustered_proportion(memorized, parts[0].windows.text)
        assert table.memorized.value == pytest.approx(want.value)
        assert table.memorized.interval == pytest.approx(want.interval)


def test_a_text_that_only_some_fits_can_write_is_not_recited_by_the_others():
    class Narrow(Chain):
        def encode(self, text):
            if "1" in text:
                raise InvalidInput("no such token")
            return super().encode(text)

    texts = ["ab1 ab1 ab1", "ab2 ab2 ab2"]
    parts = [byrote.recite(model, texts, prefix=2, suffix=3) for model in (Chain(0), Narrow(0))]
    result = counterfactual(parts, [[1, 0], [0, 1]])
    assert np.isinf(
        result.bits_out[result.ids == 0 if result.ids.dtype.kind == "i" else result.ids == "0"]
    ).all()
    assert result.bits_per_token().reason


def test_results_print_no_text_and_say_what_they_are(result):
    shown = " ".join(f"{result} {result!r}".split())
    assert "memorized" in shown
    assert "mail-3" in shown
    assert "confidential" not in shown
    assert not any(text[:8] in shown for text in TEXTS)
    columns = list(result.to_frame())
    assert columns[:4] == ["id", "start", "bits_in", "bits_out"]
    assert {"recited_in: greedy", "recited_out: plain, 10 samples"} <= {*columns}


def test_a_run_gives_back_what_was_written_of_it_and_of_no_other(run, result):
    path = run.folder.paths.recitation
    assert run.recitation() is None
    result.save(path)
    kept = byrote.open_run(run.path).recitation()
    assert kept.to_frame().equals(result.to_frame())
    assert (kept.settings, kept.tables()) == (result.settings, result.tables())
    replace(result, description={"run_id": "another"}).save(path)
    with pytest.raises(InvalidInput, match="belongs to another run; byrote recite replaces it"):
        byrote.open_run(run.path).recitation()
    path.unlink()


def test_runs_that_cannot_tell_are_refused(run, tmp_path):
    model = Ngram(order=6, alpha=1e-6)
    with pytest.raises(InvalidInput, match="texts must be those of the run"):
        byrote.recite_run(run, TEXTS[:5], model=model)
    with pytest.raises(InvalidInput, match="made from texts in memory"):
        byrote.recite_run(run, model=model)
    x = np.random.default_rng(0).normal(size=(20, 2))

    byrote.score_memorization(GaussianMixture(), x, plan=byrote.KFold(2), out=tmp_path / "x")
    with pytest.raises(InvalidInput, match="run must be one of texts as records"):
        byrote.recite_run(tmp_path / "x")
    same = [byrote.recite(Chain(0), ["ab 12" * 5], prefix=2, suffix=3)]
    with pytest.raises(InvalidInput, match="some fits trained on and others held out"):
        counterfactual(same, [[1]])


def test_fits_whose_tokens_differ_are_refused():
    class Doubled(Chain):
        def encode(self, text):
            return 2 * super().encode(text)

    parts = [byrote.recite(m(0), ["ab 12" * 5], prefix=2, suffix=3) for m in (Chain, Doubled)]
    with pytest.raises(InvalidInput, match="their tokenizers differ"):
        counterfactual(parts, [[1], [0]])
