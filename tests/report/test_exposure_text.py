"""Exposures and extractions as text and as JSON: the numbers given, secrets masked."""

import io
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

import byrote
from byrote.attacks.extraction import Extraction
from byrote.report import exposure as report
from byrote.report import exposure_notes, extraction
from byrote.scores.exposure.levels import by_insertions, check_controls

GENERATOR = np.random.default_rng(12)
REFERENCES = GENERATOR.normal(30, 3, 2000)
TIMES = np.repeat([0, 1, 16], [8, 3, 2])
ROLE = np.where(TIMES == 0, "control", "canary")
FACTS = {
    "model": {"parameters": 600_000, "bytes": 2_400_000, "compressed": 2_100_000},
    "corpus": {"bytes": 800_000},
    "epochs": 1,
    "test_loss": 1.4321,
}


def made(method="sampled", shift=0.0):
    canaries = 30 - shift + GENERATOR.normal(0, 3, 13) - np.where(TIMES == 16, 25, 0)
    ids = [f"[bold]{place}" for place in range(13)]
    return byrote.exposure.estimate_exposure(
        canaries, REFERENCES, method=method, ids=ids, space_size=10**6
    )


def printed(content, width=300):
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(content)
    return console.file.getvalue()


def text_of(exposure, **options):
    return printed(report.render(exposure, inserted=TIMES, role=ROLE, **options))


def test_levels_and_canaries_are_printed():
    exposure = made()
    shown = text_of(exposure, facts=FACTS).splitlines()
    assert shown[0] == "5 canaries, 8 controls · by method: 13 sampled"
    sizes = "Model 2.40 MB (2.10 MB compressed) of 600,000 parameters, corpus 800 kB"
    assert shown[1] == f"{sizes}; 1 epoch; test loss 1.43 nats per token."
    once = by_insertions(exposure, TIMES)[1]
    row = next(line.split() for line in shown if line.startswith("1  "))
    assert row[1:4] == ["3", f"{once.median:.2f}", f"{once.mean:.2f}"]
    often = next(line for line in shown if line.startswith("16  "))
    assert "≥ 11.0" in often
    assert "100%" in often
    last = next(line for line in shown if line.startswith("[bold]12"))
    assert "at least 11.0" in last
    assert last.split()[-1] == "1"
    assert not any(line.startswith("[bold]0") for line in shown)  # a control


def test_the_controls_check_is_said():
    found = check_controls(made(), TIMES)
    assert found.calibrated
    good = text_of(made())
    assert "1.44 expected" in good
    assert "Of inserted secrets this says nothing." in good
    bad = made(shift=8)
    assert "the measure is WRONG for secrets that a model never saw" in text_of(bad)
    assert "The controls fail their check" in text_of(bad)
    without = printed(report.render(made(), inserted=np.full(13, 4), role=np.full(13, "canary")))
    assert "No controls:" in without
    assert "expected" not in without


def test_the_quality_of_a_fit_is_said():
    shown = text_of(made("skew_normal"))
    assert "Skew-normal fit of 2,000 references: Kolmogorov-Smirnov distance 0.0" in shown
    assert "at 1 in 100" in shown
    assert "accepted." in shown


def test_cautions_are_said_once():
    exposure = made("skew_normal")
    assert (exposure.bits > exposure.maximum).sum() == 2
    assert text_of(exposure).count("2 of 13 are above the maximum") == 1
    assert "reaches beyond the space" not in text_of(exposure)
    saturated = text_of(made())
    assert saturated.count("2 of 13 are more likely than every reference") == 1
    assert "no reference is as likely" not in saturated


def test_where_a_search_ended_no_reference_is_spoken_of():
    exposure = made()
    method = np.where(exposure.saturated, "search", exposure.method)
    shown = text_of(replace(exposure, method=method))
    assert shown.count("2 of 13 are less likely than all that the search reached") == 1
    assert "more likely than every reference" not in shown


def test_reasons_are_counted():
    exposure = made()
    bits, reason = exposure.bits.copy(), exposure.reason.astype(object)
    bits[[8, 9]], reason[[8, 9]] = np.nan, "the search was cut off"
    shown = text_of(replace(exposure, bits=bits, reason=reason.astype(str)))
    assert "2 of 13 are without an exposure: the search was cut off." in shown


def test_more_canaries_than_are_listed():
    shown = text_of(made(), top=2)
    assert "… and 3 more" in shown
    assert "[bold]10" not in shown
    assert "rank" not in text_of(made(), top=0)


@pytest.mark.parametrize("method", ["sampled", "skew_normal"])
def test_json_is_plain_and_whole(method):
    exposure = made(method)
    data = json.loads(
        json.dumps(
            report.to_json(exposure, inserted=TIMES, role=ROLE, facts=FACTS), allow_nan=False
        )
    )
    assert data["facts"] == FACTS
    assert [level["insertions"] for level in data["levels"]] == [0, 1, 16]
    assert [row["id"] for row in data["canaries"]] == exposure.ids.tolist()
    assert [row["inserted"] for row in data["canaries"]] == TIMES.tolist()
    np.testing.assert_allclose([row["bits"] for row in data["canaries"]], exposure.bits)
    assert data["controls"]["expected_mean"] == pytest.approx(1.442695)
    assert len(data["summary"]["fits"]) == (method == "skew_normal")
    assert any("likely" in said or "above" in said for said in data["cautions"])


def test_bad_input():
    with pytest.raises(byrote.InvalidInput, match="a fact must be one of .* did you mean epochs"):
        text_of(made(), facts={"epoch": 3})
    with pytest.raises(byrote.InvalidInput, match="role must have shape"):
        report.to_json(made(), inserted=TIMES, role=["canary"])


def extracted(**changes):
    values = {
        "completions": (("28126[5]", 3.25), ("90210[b]", 11.5)),
        "certified_count": 1,
        "queries": 12_345,
        "size": 10**8,
        "masked": "[red]***",
        "rank": 1.0,
        "rank_low": 1.0,
        "rank_high": 1.0,
        "matches": True,
    }
    return Extraction(**{**values, **changes})


def test_secrets_are_masked_unless_asked_for():
    masked = printed(extraction.render(extracted()))
    assert "28126" not in masked
    assert "90210" not in masked
    head = "at 3.25 bits, of 100,000,000 completions; 12,345 queries"
    assert masked.startswith(f"found [red]*** {head}\n")
    shown = printed(extraction.render(extracted(), show_secrets=True))
    assert shown.startswith(f"found 28126[5] {head}\n")
    assert [line.split() for line in shown.splitlines()[-2:]] == [
        ["1", "28126[5]", "3.25", "yes"],
        ["2", "90210[b]", "11.5", "no"],
    ]
    for show in (False, True):
        data = json.dumps(extraction.to_json(extracted(), show_secrets=show), allow_nan=False)
        assert ("28126" in data) == ("90210" in data) == show


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Certified: no other completion is more likely.\nIt is the canary's own secret."),
        ({"certified_count": 0}, "Not certified: the search was cut off"),
        ({"matches": False, "rank": 1234.0}, "not the canary's own secret, which has rank 1,234."),
        (
            {"matches": False, "rank": np.nan, "rank_low": 7.0, "rank_high": 1e8},
            "whose rank is between 7 and 100,000,000.",
        ),
        ({"matches": False, "rank": np.nan, "rank_low": np.nan}, "whose rank is not known."),
        ({"completions": (), "certified_count": 0}, "nothing found in 12,345 queries"),
    ],
)
def test_certificates_and_ranks_are_said(changes, sentence):
    assert sentence in printed(extraction.render(extracted(**changes)))


def test_without_a_secret_no_rank_is_said():
    shown = printed(extraction.render(extracted(matches=None, rank=np.nan)))
    assert "own secret" not in shown
    assert extraction.to_json(extracted(rank=np.nan))["rank"] is None


@pytest.mark.parametrize(
    ("method", "references", "size", "sentence"),
    [
        ("sampled", 2000, 10**6, "stands out of chance from an exposure of 6.64 bits on"),
        ("sampled", 60, 10**6, "more than this measure can show. Use more references"),
        ("exact", 64, 64, "more than this measure can show. Use more references"),
        ("skew_normal", 2000, 10**6, "stands out of chance from an exposure of 6.64 bits on"),
    ],
)
def test_what_could_stand_out_follows_from_the_smallest_p_value(method, references, size, sentence):
    bits = REFERENCES[:references]
    exposure = byrote.exposure.estimate_exposure(
        bits[:5] if method == "exact" else [40.0] * 5, bits, method=method, space_size=size
    )
    result = SimpleNamespace(exposure=exposure, inserted=np.full(5, 4))
    [said] = exposure_notes.reach(result)
    assert sentence in said
    result.inserted[:] = 0
    assert exposure_notes.reach(result) == []


def test_a_run_without_a_finding_is_followed_by_what_could_have_been_found():
    exposure = byrote.exposure.estimate_exposure([40.0] * 5, REFERENCES, space_size=10**6)
    result = SimpleNamespace(exposure=exposure, inserted=np.full(5, 4))
    assert "0 of 5 inserted secrets are more exposed" in exposure_notes.headline(result)[0]
    assert exposure_notes.conclusion(result)[-1].endswith("are not cleared.")
    found = SimpleNamespace(exposure=made(), inserted=TIMES)
    assert exposure_notes.conclusion(found) == exposure_notes.headline(found)
