"""One function for verdict, headline and exit code; a threshold passes only without any doubt."""

import dataclasses
import json

import numpy as np
import pytest

from byrote.cli.exits import Exit
from byrote.errors import InvalidInput
from byrote.report.format import plain
from byrote.scores.gate import max_epsilon_proven
from byrote.scores.gate.check import as_limits
from byrote.scores.gate.threshold import EXIT_CODES, Measured, gate_of, judge
from byrote.scores.privacy.evidence import Bound

INSIDE = Measured(1.0, 0.5, 1.5, "nats", "it")
ABOVE = Measured(4.0, 3.0, 5.0, "nats", "it")
ACROSS = Measured(2.0, 1.0, 3.0, "nats", "it")
PROVEN = Measured(1.0, 1.0, np.inf, "epsilon", "it", one_sided=True)

VERDICTS = [
    ("all within", INSIDE, "passed", ""),
    ("at the threshold", dataclasses.replace(INSIDE, high=2.0), "passed", ""),
    ("all above", ABOVE, "failed", "whole interval"),
    ("from the threshold", dataclasses.replace(ABOVE, low=2.0), "inconclusive", "across"),
    ("across", ACROSS, "inconclusive", "across"),
    ("nothing found", Measured(), "inconclusive", "not measured"),
    ("within, in doubt", dataclasses.replace(INSIDE, doubts=("few",)), "inconclusive", "few"),
    ("above, in doubt", dataclasses.replace(ABOVE, doubts=("few",)), "failed", "whole"),
    ("above, disputed", dataclasses.replace(ABOVE, disputes=("luck",)), "inconclusive", "luck"),
    ("unbounded", dataclasses.replace(INSIDE, high=np.inf), "inconclusive", "across"),
    ("proven within", PROVEN, "passed", ""),
    ("proven above", dataclasses.replace(PROVEN, found=3.0, low=3.0), "failed", "whole"),
    ("proven NaN", Measured(one_sided=True), "inconclusive", "not measured"),
]


@pytest.mark.parametrize(("measured", "verdict", "reason"), [case[1:] for case in VERDICTS])
def test_verdict_on_a_bar(measured, verdict, reason):
    threshold = judge("max_q999", 2.0, measured, level=0.95)
    assert threshold.verdict == verdict
    assert reason in threshold.reason
    assert bool(threshold.reason) == (verdict != "passed")
    unfinished = judge("max_q999", 2.0, measured, level=0.95, missing="3 fits are missing")
    assert (unfinished.verdict, unfinished.reason) == ("inconclusive", "3 fits are missing")


def test_mean_densities_of_too_few_fits_for_the_bar_do_not_pass():
    bound = Bound("density", 0.0, 0.0, 0.05, detail={"provable": 0.9})
    assert max_epsilon_proven.largest_provable(bound) == 0.9
    assert (
        "no more than 0.9 if it were right"
        in max_epsilon_proven._doubts(max_epsilon_proven.largest_provable(bound), 1.0)[0]
    )
    assert not max_epsilon_proven._doubts(max_epsilon_proven.largest_provable(bound), 0.5)


GATES = [
    ([INSIDE], "passed", "passed: 1 of 1 threshold (max-q999)"),
    ([INSIDE, INSIDE], "passed", "passed: all 2 thresholds (max-q999, max-q999)"),
    ([INSIDE, ACROSS], "inconclusive", "inconclusive: 1 of 2 thresholds (max-q999)"),
    (
        [ACROSS, ABOVE, INSIDE],
        "failed",
        "failed: 1 of 3 thresholds (max-q999); inconclusive: max-q999",
    ),
    ([], "inconclusive", "inconclusive: 0 of 0 thresholds ()"),
]


@pytest.mark.parametrize(("measured", "verdict", "headline"), GATES)
def test_verdict_headline_and_exit_code_agree(measured, verdict, headline):
    thresholds = [judge("max_q999", 2.0, one, level=0.95) for one in measured]
    gate = gate_of(thresholds, level=0.95, run={"run_id": "a"})
    assert (gate.verdict, gate.headline) == (verdict, headline)
    codes = {"passed": Exit.DONE, "failed": Exit.FAILED, "inconclusive": Exit.INCOMPLETE}
    assert gate.exit_code == codes[verdict]
    assert dict(EXIT_CODES) == {name: int(code) for name, code in codes.items()}


def test_a_gate_is_plain_data():
    threshold = judge("max_epsilon_proven", 2.0, PROVEN, level=0.95)
    data = json.loads(json.dumps(plain(gate_of([threshold], level=0.95, run={}).to_dict())))
    assert data["format"] == "byrote-gate-1"
    assert data["thresholds"][0]["interval"] == [1.0, "inf"]
    assert set(data["thresholds"][0]) == {
        *("name", "asked", "found", "interval", "level", "unit"),
        *("verdict", "reason", "covers", "detail", "records"),
    }


@pytest.mark.parametrize(("measured", "named"), [(ABOVE, ("7", "3")), (INSIDE, ()), (ACROSS, ())])
def test_records_are_named_by_failed_thresholds_alone(measured, named):
    measured = dataclasses.replace(measured, records=("7", "3"))
    assert judge("max_score", 2.0, measured, level=0.95).records == named


@pytest.mark.parametrize(
    ("given", "share"),
    [("1%", 0.01), (" 2.5 % ", 0.025), ("0.01", 0.01), (0.01, 0.01), (0, 0.0), ("0%", 0.0)],
)
def test_shares_are_percent_or_fractions(given, share):
    assert as_limits({"max_significant": given}) == {"max_significant": pytest.approx(share)}


REFUSED = [
    ({}, "at least one threshold must be set"),
    ({"max_q999": None}, "at least one threshold must be set"),
    ({"max_significant": 1}, "max_significant must be a share of at least 0 and below 1"),
    ({"max_significant": "100%"}, "got '100%'"),
    ({"max_significant": "many"}, "got 'many'"),
    ({"max_significant": "-1%"}, "got '-1%'"),
    ({"max_significant": "1%%"}, "got '1%%'"),
    ({"max_significant": "1_0%"}, "got '1_0%'"),
    ({"max_significant": "nan"}, "got 'nan'"),
    ({"max_q999": -1}, "max_q999 must be nats, a number of at least 0; got -1"),
    ({"max_q999": "5"}, "max_q999 must be nats"),
    ({"max_q999": float("nan")}, "max_q999 must be nats"),
    ({"max_q999": float("inf")}, "max_q999 must be nats"),
    ({"max_q999": True}, "max_q999 must be nats"),
    ({"max_score": -1}, "max_score must be nats, a number of at least 0; got -1"),
    ({"max_exposure": -0.1}, "max_exposure must be bits"),
    ({"max_epsilon_proven": [3]}, "max_epsilon_proven must be a number"),
    ({"max_auc": 0.4}, "max_auc must be an area of at least 0.5 and below 1"),
    ({"max_auc": 1.0}, "max_auc must be an area"),
]


@pytest.mark.parametrize(("thresholds", "message"), REFUSED)
def test_bars_that_cannot_be(thresholds, message):
    with pytest.raises(InvalidInput, match=message):
        as_limits(thresholds)
