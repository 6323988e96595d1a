"""Exposure runs: canaries as records, a text as what fits train on."""

import json
import re

import numpy as np
import pyarrow.parquet as pq
import pytest

import byrote
from byrote import score_exposure
from byrote.data.canary_records import Measurement, plant
from byrote.data.corpus import Corpus
from byrote.errors import InvalidInput
from byrote.plans import Insertions, design_of
from byrote.runs.job import job_of
from byrote.runs.kinds.canaries import TextContent
from byrote.runs.paths import RunPaths
from byrote.runs.run_folder import RunFolder

from languages import Ngram

CANARY = byrote.Canary("the code is {digits:4}")
TEXT = [f"line {k} of a text about {k % 7} cats and {k % 11} dogs\n" * 3 for k in range(60)]


def run(tmp_path, **changes):
    options = {"insertions": (1, 8), "canaries_per_level": 2, "controls": 3, "references": 40}
    options |= {"out": tmp_path / "run", **changes}
    return score_exposure(options.pop("model", Ngram()), TEXT, CANARY, **options)


def planted(measurement=None, per_level=(2, 2), controls=3):
    return plant(
        Corpus(tuple(TEXT)),
        [CANARY],
        per_level=per_level,
        controls=controls,
        seed=5,
        measurement=measurement or Measurement(references=40),
    )


def test_a_fit_trains_on_the_text_with_each_copy_on_a_line_of_its_own():
    records = planted()
    plan = Insertions((1, 8), per_level=2, controls=3)
    design = design_of(plan, len(records), 5, places=records.places)
    content, job = TextContent(records.x), job_of(design, 0, seed=5)
    lines = "".join(content.training(None, job)).split("\n")
    for row, times in enumerate(design.included(0).tolist()):
        assert lines.count("the code is " + records.completions[row]) == times
    without = [line for line in lines if not line.startswith("the code is ")]
    assert without == "".join(TEXT).split("\n")
    assert design.placed(0).max() < records.places


def test_canaries_are_scored_by_the_completion_alone(tmp_path):
    found = run(tmp_path, method="none")
    model = Ngram()
    folder = RunFolder.open(RunPaths(tmp_path / "run"))
    records = planted()
    content = TextContent(records.x)
    assert len(found) == 7
    job = job_of(folder.design, 0, seed=0)
    # The same text again, scored whole by the model itself, less what the prefix costs.
    records = plant(
        Corpus(tuple(TEXT)).split(0.1)[0],
        [CANARY],
        per_level=(2, 2),
        controls=3,
        seed=0,
        held_out=Corpus(tuple(TEXT)).split(0.1)[1],
        measurement=Measurement(references=40, method="none"),
    )
    content = TextContent(records.x)
    model.fit(content.training(model, job))
    whole = [CANARY.prefix + text for text in records.completions]
    expected = model.score_samples(whole) - model.score_samples([CANARY.prefix])
    np.testing.assert_allclose(folder.log_prob(0), expected, rtol=1e-10)


def test_ranks_agree_with_the_whole_space(tmp_path):
    found = run(tmp_path, keep_models="release").exposure
    model = byrote.open_run(tmp_path / "run").model(model=Ngram())
    space = [CANARY.prefix + text for text in CANARY.format]
    bits = -model.score_samples(space) / np.log(2)
    prefix = -model.score_samples([CANARY.prefix]) / np.log(2)
    rank = (bits[:, None] - prefix <= found.log_perplexity + 1e-9).sum(axis=0)
    np.testing.assert_allclose(found.bits, np.log2(10**4) - np.log2(rank), atol=1e-9)
    assert set(found.method) <= {"search", "exact"}
    assert (found.p_value == rank / 10**4).all()


def test_what_is_inserted_often_is_exposed_and_controls_are_not(tmp_path):
    found = run(tmp_path, controls=12)
    often, never = (found.exposure.bits[found.inserted == times] for times in (8, 0))
    assert often.min() > 12
    assert never.mean() < 4
    assert (found.role == np.where(found.inserted > 0, "canary", "control")).all()


def test_each_fit_deals_the_levels_out_anew_and_a_larger_run_extends_a_smaller(tmp_path):
    first = run(tmp_path)
    both = run(tmp_path, fits=2)
    np.testing.assert_array_equal(both.exposure.bits[:7], first.exposure.bits)
    assert sorted(both.inserted[7:]) == sorted(first.inserted)
    assert both.exposure.ids.tolist() == first.exposure.ids.tolist() * 2


def test_tracking_changes_nothing_and_sees_every_epoch(tmp_path):
    plain = run(tmp_path, out=tmp_path / "plain", model=Ngram(epochs=3))
    tracked = run(tmp_path, model=Ngram(epochs=3), track=(1, 2, 3))
    np.testing.assert_array_equal(plain.exposure.bits, tracked.exposure.bits)
    early = byrote.open_run(tmp_path / "run").exposure(epoch=1)
    last = byrote.open_run(tmp_path / "run").exposure(epoch=3)
    np.testing.assert_array_equal(last.exposure.bits, tracked.exposure.bits)
    assert early.exposure.log_perplexity[2] > last.exposure.log_perplexity[2]
    facts = RunFolder.open(RunPaths(tmp_path / "run")).facts(0)
    assert len(facts["losses"]["held_out"]) == 3
    assert 0 < facts["tracking_seconds"] < facts["seconds"]
    assert tracked.test_loss[0] == pytest.approx(facts["losses"]["held_out"][-1])


def test_secrets_are_in_one_file_alone(tmp_path):
    run(tmp_path, keep_models="release")
    folder = tmp_path / "run"
    secrets = pq.read_table(folder / "canaries.parquet")["completion"].to_pylist()
    assert len(set(secrets)) == 7
    assert (folder / "canaries.parquet").stat().st_mode & 0o777 == 0o600
    named = json.dumps(pq.read_table(folder / "records.parquet").to_pydict())
    for secret in secrets:
        # Digits among those of a hash are there by chance.
        assert not re.search(rf"\b{secret}\b", (folder / "run.json").read_text())
        assert f'"{secret}"' not in named


def test_a_chosen_secret_is_planted_as_often_as_the_highest_level(tmp_path):
    chosen = byrote.Canary("the code is {digits:4}", secret="8127")
    found = score_exposure(
        Ngram(), TEXT, chosen, insertions=(1, 8), canaries_per_level=1, controls=1, references=40
    )
    assert found.inserted.tolist() == [8, 1, 8, 0]
    assert found.exposure.bits[0] > 12


def test_several_patterns_each_have_their_levels_and_references(tmp_path):
    patterns = [CANARY, byrote.Canary("its name is {letters:2}!")]
    found = score_exposure(
        Ngram(), TEXT, patterns, insertions=(8,), canaries_per_level=2, controls=1, references=40
    )
    assert found.pattern.tolist() == [0, 0, 1, 1, 0, 1]
    np.testing.assert_allclose(found.exposure.maximum, np.log2([10**4, 52**2])[found.pattern])


REFUSED = {
    "too many copies": ({"insertions": (1, 500)}, "insertions must fit into the text"),
    "few lines": ({"within": 0.01, "insertions": (1, 9)}, "in the first 0.01 of it; got 20"),
    "not rising": ({"insertions": (4, 1)}, "insertions must be ascending"),
    "nothing inserted": ({"insertions": (0,)}, "insertions must insert something"),
    "space used up": ({"controls": 10**4}, "canaries must leave completions"),
    "held out": ({"held_out": 1.0}, "held_out must be"),
    "method": ({"method": "guess"}, "method must be one of auto, search"),
    "references": ({"references": 0}, "references must be an integer of at least 1"),
    "density model": ({"model": byrote.models.VAE()}, "model must be a language model"),
    "track": ({"track": (5,)}, "track must lie within the 1 epochs"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_a_sentence_and_nothing_written(case, tmp_path):
    changes, message = REFUSED[case]
    with pytest.raises(InvalidInput, match=message):
        run(tmp_path, **changes)
    assert not (tmp_path / "run").exists()


def test_a_character_that_the_vocabulary_lacks_is_named_by_its_code(tmp_path):
    greek = byrote.Canary("the code is {}", alphabet="αβγ", length=6)
    with pytest.raises(InvalidInput, match="U\\+03B1"):
        score_exposure(Ngram(), TEXT, greek, insertions=(1,), controls=1, references=9)


def test_a_density_run_refuses_a_language_model():
    with pytest.raises(InvalidInput, match="takes texts"):
        byrote.score_memorization(Ngram(), np.zeros((10, 2)))
