"""Classes, regions, and one record in its class."""

import numpy as np
import pytest
from scipy import stats

from byrote import InvalidInput
from byrote.figures import one_record, scores_by_label, thin_regions
from byrote.report.figures.style import VERMILION
from byrote.report.format import number
from byrote.scores.memorization.percentiles import record_percentiles
from byrote.scores.memorization.top_records import (
    cluster_records,
    highly_memorized,
    memorized_by_region,
)
from byrote.stats.estimate import proportion

GENERATOR = np.random.default_rng(2)
LABELS = np.array(["cat", "dog", "owl"])[GENERATOR.integers(0, 3, 600)]
SCORE = GENERATOR.exponential(4, 600) * np.where(LABELS == "owl", 3, 1)


def names(ax):
    return [text.get_text() for text in ax.get_yticklabels()]


def words(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("share", [0.01, 0.05, 0.5])
def test_highly_memorized_are_those_above_the_quantile(share):
    high = highly_memorized(SCORE, share)
    assert high.sum() == 600 * share
    assert SCORE[high].min() > SCORE[~high].max()


def test_highly_memorized_with_ties_infinities_and_gaps():
    score = [np.nan, np.inf, 1, 1, 1, -np.inf, np.nan]
    assert np.flatnonzero(highly_memorized(score, 0.4)).tolist() == [1, 2]  # 2 of 5 scored
    assert highly_memorized([np.nan], 0.05).tolist() == [False]
    assert highly_memorized(np.zeros(3), 0.01).sum() == 1  # rounded up


@pytest.mark.parametrize("k", [0, 1, 7, 20])
def test_wilson_interval_is_the_root_of_the_score_test(k):
    low, high = proportion(k, 20).interval
    for end in {low, high} - {0.0, 1.0}:
        z = (k / 20 - end) / np.sqrt(end * (1 - end) / 20)
        assert abs(z) == pytest.approx(stats.norm.ppf(0.975), rel=1e-6)
    assert low <= k / 20 <= high


def test_regions_are_counted(made):
    found = memorized_by_region(made(SCORE, labels=LABELS), share=0.1)
    top = np.argsort(SCORE)[-60:]
    assert {r.name: (r.memorized, r.records) for r in found} == {
        name: (np.count_nonzero(LABELS[top] == name), np.count_nonzero(name == LABELS))
        for name in ("cat", "dog", "owl")
    }
    assert [r.share for r in found] == sorted((r.share for r in found), reverse=True)
    assert found[0].name == "owl"
    assert all(r.share == r.memorized / r.records for r in found)


def test_thin_regions_are_drawn_largest_first_with_the_overall_share(made):
    result = made(SCORE, labels=LABELS)
    ax = thin_regions(result)
    found = memorized_by_region(result)
    assert names(ax) == [r.name for r in found]
    assert words(ax)[:-1] == [f"{r.memorized} of {r.records}; 0" for r in found]
    assert words(ax)[-1] == "highest; found"
    for container, region in zip(ax.containers, found, strict=True):
        (x,), _ = container[0].get_data()
        assert x == pytest.approx(100 * region.share)
        ends = container[2][0].get_segments()[0][:, 0]
        assert tuple(ends / 100) == pytest.approx(region.interval)
        filled = container[0].get_markerfacecolor() != "white"
        assert filled == (region.interval[0] > 0.05)
    assert ax.lines[0].get_xdata() == pytest.approx([5.0, 5.0])


@pytest.mark.parametrize("n", [20, 181, 600])
def test_regions_of_none_and_of_all(made, n):
    """Their share is an end of its interval, but for rounding."""
    score = np.append(np.zeros(n), np.arange(1, 1 + n))
    ax = thin_regions(made(score), np.repeat([0, 1], n), share=0.5)
    assert words(ax)[:-1] == [f"{n} of {n}; 0", f"0 of {n}; 0"]


def test_unscored_records_are_in_no_region(made):
    score = np.where(LABELS == "cat", np.nan, SCORE)
    assert names(thin_regions(made(score, labels=LABELS))) == ["owl", "dog"]
    assert set(names(scores_by_label(made(score, labels=LABELS)))) == {"owl", "dog"}


def test_many_regions_are_cut_and_it_says_so(made):
    labels = np.arange(600) // 10
    ax = thin_regions(made(SCORE, labels=labels))
    assert len(names(ax)) == 30
    assert ax.get_title(loc="right") == "the first 30 of 60 regions"
    assert scores_by_label(made(SCORE, labels=labels)).get_title(loc="right").endswith("60 classes")


def test_clusters_are_regions():
    x = np.repeat([[[0.0, 0], [0, 0]], [[9.0, 9], [9, 9]]], 5, axis=0)
    found = cluster_records(x, 2, seed=1)
    assert len(set(found[:5])) == len(set(found[5:])) == 1
    assert found[0] != found[5]
    assert (found == cluster_records(x, 2, seed=1)).all()


def test_boxes_are_quantiles(made):
    ax = scores_by_label(made(SCORE, labels=LABELS))
    by_q95 = sorted(set(LABELS), key=lambda name: -np.quantile(SCORE[name == LABELS], 0.95))
    assert names(ax) == by_q95
    for place, name in enumerate(by_q95):
        score = SCORE[name == LABELS]
        q = np.quantile(score, (0.05, 0.25, 0.5, 0.75, 0.95))
        xs = [line.get_xdata() for line in ax.lines if round(np.mean(line.get_ydata())) == place]
        drawn = {round(float(x), 6) for pair in xs for x in pair}
        assert {round(float(value), 6) for value in q} <= drawn
        assert words(ax)[place].startswith(f"{len(score)}; ")


def diamonds(ax):
    return [line for line in ax.lines if line.get_marker() == "D" and len(line.get_xdata())]


def test_records_found_are_marked_in_their_class(made):
    q_value = np.where(np.arange(600) == np.argmax(SCORE), 0.01, 1.0)
    name = LABELS[np.argmax(SCORE)]
    result = made(SCORE, labels=LABELS, q_value=q_value)
    for ax, at in (
        (scores_by_label(result), SCORE.max()),
        (thin_regions(result), 1.03),
    ):  # beside the axis
        (mark,) = diamonds(ax)
        assert mark.get_xdata() == pytest.approx([at])
        assert names(ax)[int(mark.get_ydata()[0])] == name
        assert "found (q ≤ 0.05): 1" in [t.get_text() for t in ax.get_legend().get_texts()]
    for ax in (
        scores_by_label(made(SCORE, labels=LABELS)),
        thin_regions(made(SCORE, labels=LABELS)),
    ):
        assert not diamonds(ax)
        assert "none found (q ≤ 0.05)" in [t.get_text() for t in ax.get_legend().get_texts()]


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("found", [False, True])
def test_scores_beyond_the_edge_are_arrows_with_their_values(made, sign, found):
    score, labels = np.append(SCORE, sign * 7600.0), np.append(LABELS, "owl")
    q_value = np.append(np.ones(600), 0.01 if found else 1.0)
    ax = scores_by_label(made(score, labels=labels, q_value=q_value))
    assert np.abs(ax.get_xlim()).max() < 1000
    arrows = [line for line in ax.lines if line.get_marker() == "<>"[sign > 0]]
    assert len(arrows) == 1
    assert (arrows[0].get_color() == VERMILION) == found
    assert number(sign * 7600.0) in words(ax)
    for line in ax.lines:
        if line.get_marker() in "oD" and len(line.get_xdata()):
            assert ax.get_xlim()[0] <= min(line.get_xdata())
            assert max(line.get_xdata()) <= ax.get_xlim()[1]


def record(made, row=7):
    inside, outside = GENERATOR.normal(-100, 5, (2, 600))
    outside[row] = -300.0
    return made(SCORE, inside, outside, labels=LABELS, ids=[f"r{i}" for i in range(600)])


def test_percentiles_are_those_of_scipy(made):
    result = record(made)
    found = record_percentiles(result, "r7")
    peers = np.flatnonzero((LABELS[7] == LABELS) & (np.arange(600) != 7))
    for side, percentile, mean in (
        (result.log_prob_in, found.percentile_in, found.mean_in),
        (result.log_prob_out, found.percentile_out, found.mean_out),
    ):
        assert percentile == pytest.approx(
            stats.percentileofscore(side[peers], side[7], kind="mean")
        )
        assert mean == pytest.approx(side[peers].mean())
    assert found.percentile_out == 0
    assert (found.row, found.label, found.peers) == (7, LABELS[7], len(peers))
    assert (found.log_prob_out, found.score, found.standard_error) == (-300.0, SCORE[7], 0.5)


def test_percentiles_without_labels_and_with_ties(made):
    found = record_percentiles(made([1, 2, 3], [5, 5, 9], [1, 2, 3]), 0)
    assert (found.percentile_in, found.percentile_out) == (25.0, 0.0)
    assert (found.label, found.peers) == (None, 2)


def test_one_record_stands_at_its_percentiles(made):
    result = record(made)
    found = record_percentiles(result, "r7")
    ax = one_record(result, "r7")
    marks = [line.get_data() for line in ax.lines if line.get_marker() not in ("None", "")]
    assert [(float(x[0]), float(y[0])) for x, y in marks] == [
        (found.log_prob_out, found.percentile_out),
        (found.log_prob_in, found.percentile_in),
    ]
    low, high = ax.get_xlim()
    assert low < -300 < found.log_prob_in < high
    title = ax.get_legend().get_title().get_text().splitlines()
    assert title[0].startswith("record r7 of class ")
    assert title[1].endswith(" (standard error 0.50) nats")
    assert title[2] == "mean_log = 2.50, 95 % 1.00 to 4.00"


@pytest.mark.parametrize(
    ("q_value", "verdict"),
    [
        (0.003, "found (q ≤ 0.05); q = 0.003"),
        (0.46, "not found (q ≤ 0.05); q = 0.46"),
        (np.nan, "found: unknown, no p-values"),
    ],
)
def test_one_record_is_found_or_not(made, q_value, verdict):
    ax = one_record(made([1, 2, 3], [5, 5, 9], [1, 2, 3], q_value=q_value), 0)
    assert ax.get_legend().get_texts()[-1].get_text() == verdict
    assert not {"D"} & {line.get_marker() for line in ax.lines}  # a diamond is a finding


def test_others_beyond_the_edge_are_arrows_with_their_number(made):
    inside = GENERATOR.normal(-100, 1, 600)
    inside[3:6] = -9e5, -8e5, -np.inf
    ax = one_record(made(SCORE, inside, np.full(600, -100.0)), 7)
    assert "others: 3 down to -∞" in words(ax)
    assert [line.get_marker() for line in ax.lines].count("<") == 1


def test_axes_name_classes_and_whiskers(made):
    result = made(SCORE, labels=LABELS)
    boxes, shares = scores_by_label(result), thin_regions(result)
    assert boxes.get_ylabel() == shares.get_ylabel() == "label"
    assert thin_regions(result, LABELS).get_ylabel() == "region"
    assert "whiskers: 5–95 %" in boxes.get_xlabel()
    assert "whiskers: 95 % interval" in shares.get_xlabel()


def test_one_record_of_density_zero(made):
    ax = one_record(made([np.inf, 1, 2, 3], [1, 1, 2, 3], [-np.inf, 0, 1, 2]), 0)
    assert np.isfinite(ax.get_xlim()).all()
    assert "-∞ nats, percentile 0.0" in ax.get_legend().get_texts()[0].get_text()


BAD = {
    "no labels": (lambda made: scores_by_label(made(SCORE)), "result must have labels"),
    "no regions": (lambda made: thin_regions(made(SCORE)), "regions must be given"),
    "too few regions": (
        lambda made: thin_regions(made(SCORE), LABELS[:3]),
        "regions must have one entry for each of 600 records",
    ),
    "share": (lambda made: thin_regions(made(SCORE), LABELS, share=0), "share must be a number"),
    "no scores": (
        lambda made: scores_by_label(made([np.nan], labels=[1])),
        "result must have a scored record",
    ),
    "no scores in regions": (
        lambda made: thin_regions(made([np.nan], labels=[1])),
        "result must have a scored record",
    ),
    "clusters": (lambda made: cluster_records(np.zeros((3, 1)), 0), "clusters must be an integer"),
    "many clusters": (
        lambda made: cluster_records(np.zeros((3, 1)), 4),
        "clusters must be at most the number of records",
    ),
    "id": (
        lambda made: one_record(made(SCORE), "x"),
        "id must be the id of one of the 600 records",
    ),
    "never held out": (
        lambda made: record_percentiles(made([1, 2], [1, 2], [np.nan, 1]), 0),
        "id must name a record with log-likelihoods both in and out",
    ),
    "alone": (
        lambda made: record_percentiles(made([1, 2], labels=["a", "b"]), 0),
        "id must name a record whose class has other records",
    ),
}


@pytest.mark.parametrize(("call", "message"), BAD.values(), ids=BAD)
def test_bad_input(made, call, message):
    with pytest.raises(InvalidInput, match=message):
        call(made)


def test_a_wrong_id_is_not_quoted(made):
    with pytest.raises(InvalidInput) as caught:
        record_percentiles(made(SCORE), "secret-7")
    assert "secret" not in str(caught.value)
