"""What the privacy bounds refuse, in a sentence each."""

import numpy as np
import pytest

import byrote
from byrote import InvalidInput

RUN = {"canaries": 100, "guesses": 50, "correct": 40}
RATES = {"true_positives": 5, "members": 10, "false_positives": 1, "non_members": 10}
SCORES, COINS = np.arange(6.0), np.arange(6) % 2 == 0
TABLE, FLAGS = np.zeros((4, 3)), np.arange(12).reshape(4, 3) % 2 == 0

REFUSED = {
    "no canaries": ("one_run_epsilon", (), RUN | {"canaries": 0}, "canaries must be an integer"),
    "half a guess": ("one_run_epsilon", (), RUN | {"guesses": 0.5}, "guesses must be an integer"),
    "guesses beyond": (
        "one_run_epsilon",
        (),
        RUN | {"guesses": 101},
        "guesses must be at most canaries, 100; got 101",
    ),
    "right beyond": (
        "one_run_mu",
        (),
        RUN | {"correct": 51},
        "correct must be at most guesses, 50; got 51",
    ),
    "negative right": ("one_run_mu", (), RUN | {"correct": -1}, "correct must be an integer"),
    "delta of one": ("one_run_epsilon", (), RUN | {"delta": 1.0}, "delta must be a number"),
    "no significance": (
        "one_run_mu",
        (),
        RUN | {"significance": 0},
        "significance must be a number between",
    ),
    "scores": ("audit_one_run", (TABLE, COINS), {"guesses": 2}, r"scores must be .*\(4, 3\)"),
    "nan": (
        "audit_one_run",
        ([np.nan] * 6, COINS),
        {"guesses": 2},
        "scores must be numbers; got NaN 6 times",
    ),
    "coins": (
        "audit_one_run",
        (SCORES, COINS[:5]),
        {"guesses": 2},
        r"included must be booleans, one per score \(6\); got bool \(5,\)",
    ),
    "numbers for coins": ("audit_one_run", (SCORES, COINS * 1), {"guesses": 2}, "must be booleans"),
    "no guesses": ("audit_one_run", (SCORES, COINS), {"guesses": 0}, "guesses must be an integer"),
    "no members": ("epsilon_from_rates", (), RATES | {"members": 0}, "members must be an integer"),
    "hits beyond": (
        "epsilon_from_rates",
        (),
        RATES | {"true_positives": 11},
        "true_positives must be at most members, 10; got 11",
    ),
    "alarms beyond": (
        "epsilon_from_rates",
        (),
        RATES | {"false_positives": 11},
        "false_positives must be at most non_members, 10; got 11",
    ),
    "one score": (
        "epsilon_from_scores",
        ([1.0], SCORES),
        {},
        "inside must have at least 2 scores, to be split into halves; got 1",
    ),
    "texts": ("epsilon_from_scores", (SCORES, ["a", "b"]), {}, "outside must be real numbers"),
    "seed": ("epsilon_from_scores", (SCORES, SCORES), {"seed": -1}, "seed must be an integer"),
    "negative mu": ("gaussian_delta", (-1.0, 1.0), {}, "mu must be a number of at least 0; got"),
    "infinite epsilon": ("gaussian_delta", (1.0, np.inf), {}, "epsilon must be a number of at"),
    "true mu": ("gaussian_epsilon", (True, 0.1), {}, "mu must be a number of at least 0; got True"),
    "delta": ("gaussian_epsilon", (1.0, -0.1), {}, "delta must be a number of at least 0"),
    "promise": ("exposure_bound", (), {"epsilon": -1.0}, "epsilon must be a number of at least 0"),
    "delta alone": (
        "exposure_bound",
        (),
        {"epsilon": 1.0, "delta": 1e-5},
        "space_size must be given with a delta",
    ),
    "one secret": ("exposure_bound", (), {"epsilon": 1.0, "space_size": 1}, "space_size must be"),
    "no insertions": ("exposure_bound", (), {"epsilon": 1.0, "insertions": 0}, "insertions must"),
    "one row": (
        "epsilon_from_density",
        (SCORES, COINS),
        {},
        r"log_prob must have shape \(fits, records\); got \(6,\)",
    ),
    "other shape": (
        "infer_membership",
        (TABLE, FLAGS.T),
        {},
        r"included must be booleans of log_prob's shape \(4, 3\); got bool \(3, 4\)",
    ),
    "failed fit": ("infer_membership", (TABLE + np.inf, FLAGS), {}, "must be below infinity"),
    "claim": ("epsilon_from_density", (TABLE, FLAGS), {"epsilon": -1.0}, "epsilon must be"),
    "attack": (
        "infer_membership",
        (TABLE, FLAGS),
        {"attack": "lyra"},
        "attack must be one of lira, loss; got 'lyra', did you mean lira",
    ),
}


@pytest.mark.parametrize(("name", "positional", "named", "message"), REFUSED.values(), ids=REFUSED)
def test_refused_in_a_sentence(name, positional, named, message):
    with pytest.raises(InvalidInput, match=message):
        getattr(byrote.privacy, name)(*positional, **named)
