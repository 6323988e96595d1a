"""max_exposure end to end: planted secrets, only some of them, and intervals at the right level."""

import numpy as np
import pytest

import byrote
from byrote.runs.paths import RunPaths
from byrote.runs.run_folder import RunFolder

from languages import Ngram

TEXT = ["".join(f"line {k} of a text about {k % 7} cats and {k % 11} dogs\n" for k in range(150))]
CANARY = byrote.Canary("the code is {digits:4}")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exposures")
    plans = {
        "searched": {"insertions": [1, 8]},
        "sampled": {"insertions": [1, 8], "method": "none"},
        "chosen": {"insertions": [8], "canaries": byrote.Canary(CANARY.text, secret="2468")},
    }
    for name, options in plans.items():
        canaries = options.pop("canaries", CANARY)
        byrote.score_exposure(
            Ngram(order=5),
            TEXT,
            canaries,
            canaries_per_level=0 if name == "chosen" else 6,
            controls=10,
            references=2000,
            out=folder / name,
            **options,
        )
    return folder


def threshold(run, limit, **options):
    (found,) = byrote.check(run, max_exposure=limit, **options).thresholds
    return found


def test_a_learned_secret_fails(runs):
    found = threshold(runs / "searched", 10)
    exposure = byrote.open_run(runs / "searched").exposure()
    planted = exposure.inserted > 0
    assert found.verdict == "failed"
    above = exposure.exposure.bits > 10
    assert set(found.records) == set(exposure.exposure.ids[planted & above].tolist())
    assert found.found == found.low == found.high == exposure.exposure.bits[planted].max()
    assert found.detail["chance_bits"] == pytest.approx(np.log2(12 / 0.05))
    assert found.detail["by_insertions"]["8"] == {"canaries": 6, "largest": found.found}


def test_only_canaries_inserted_so_often_count(runs):
    exposure = byrote.open_run(runs / "searched").exposure()
    found = threshold(runs / "searched", 10, insertions=1)
    assert found.found == exposure.exposure.bits[exposure.inserted == 1].max()
    assert "6 canaries inserted at most 1 times" in found.covers
    none = threshold(runs / "chosen", 10, insertions=7)
    assert (none.verdict, "not measured" in none.reason) == ("inconclusive", True)


def test_intervals_beside_references_hold_for_all_canaries_at_once(runs):
    run = RunFolder.open(RunPaths(runs / "sampled"))
    exposure = byrote.open_run(runs / "sampled").exposure(method="sampled")
    bits = -run.table().log_prob[0] / np.log(2)
    again = byrote.exposure.estimate_exposure(
        bits[:12], bits[22:], space_size=10**4, method="sampled", level=1 - 0.05 / 12
    )
    found = threshold(runs / "sampled", 7)
    assert found.low == pytest.approx(again.low.max())
    assert found.high == pytest.approx(min(again.high.max(), np.log2(10**4)))
    assert found.low < exposure.exposure.low[:12].max()
    assert found.verdict == "failed"


def test_a_run_without_ranks_is_read_from_its_references(runs):
    found, again = (
        byrote.open_run(runs / "sampled").exposure(method=method).exposure
        for method in ("auto", "sampled")
    )
    better = found.method == "skew_normal"  # where references say only "at least"
    assert (again.saturated | ~better).all()
    assert np.array_equal(found.bits[~better], np.maximum(again.bits[~better], 0))
    assert not np.isnan(found.bits).any()


def test_a_chosen_secret_shows_nothing_of_chance(runs):
    found = threshold(runs / "chosen", 10)
    assert found.low > 10
    assert (found.verdict, "was chosen" in found.reason) == ("inconclusive", True)


def test_scores_are_not_measured_by_canaries(runs):
    gate = byrote.check(runs / "searched", max_score=5, max_significant="1%", max_q999=5)
    assert gate.exit_code == 4
    assert all("not measured" in one.reason for one in gate.thresholds)


def test_members_among_canaries_are_those_inserted(runs):
    (found,) = byrote.check(runs / "searched", max_auc=0.6).thresholds
    attack = byrote.open_run(runs / "searched").membership(attack="loss")
    assert found.found == attack.auc
    assert found.interval == pytest.approx(attack.interval)
    assert (found.low > 0.6) == (found.verdict == "failed")
    assert "canaries" in found.covers
