"""Near-duplicate texts against brute force; a run's copies beside its scores."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator

import byrote
from byrote.errors import InvalidInput
from byrote.neighbors import cluster_texts, near_duplicate_texts
from byrote.scores.neighbors.near_duplicates import Kind


def texts_with_copies():
    generator = np.random.default_rng(0)
    words = [f"w{k}" for k in range(500)]
    texts = [list(generator.choice(words, 120)) for _ in range(30)]
    texts[3] = list(texts[1])  # a copy
    texts[5] = [*texts[2][:100], "x", *texts[2][100:]]  # one more word
    texts[9] = [*texts[7][:60], *texts[9]]  # a passage
    texts[12] = ["y", *texts[5]]  # like a near copy
    return [" ".join(text) for text in texts]


TEXTS = texts_with_copies()


def jaccard(a, b):
    sets = [{tuple(t[k : k + 5]) for k in range(len(t) - 4)} for t in (a.split(), b.split())]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def test_copies_near_copies_and_passages_are_found_and_nothing_else():
    result = near_duplicate_texts(TEXTS)
    kinds = {row: Kind(kind) for row, kind in enumerate(result.kind) if kind}
    assert kinds == {
        1: Kind.COPY, 3: Kind.COPY, 2: Kind.NEAR, 5: Kind.NEAR, 12: Kind.NEAR,
        7: Kind.PASSAGE, 9: Kind.PASSAGE,
    }  # fmt: skip
    assert {row: int(result.neighbor[row]) for row in kinds if kinds[row] != Kind.NEAR} == {
        1: 3, 3: 1, 7: 9, 9: 7,
    }  # fmt: skip
    for row in (2, 5, 12):
        similarities = [
            jaccard(TEXTS[row], other) if k != row else 0 for k, other in enumerate(TEXTS)
        ]
        assert similarities[result.neighbor[row]] == max(similarities)
        assert result.distance[row] == pytest.approx(1 - max(similarities))


def test_clusters_connect_copies_and_near_copies_alone():
    clusters = cluster_texts(TEXTS)
    together = [set(np.flatnonzero(clusters == c).tolist()) for c in np.unique(clusters)]
    assert [group for group in together if len(group) > 1] == [{1, 3}, {2, 5, 12}]
    assert clusters.tolist() == sorted(clusters.tolist()) or clusters[0] == 0
    strict = cluster_texts(TEXTS, similarity=0.999)
    assert len(np.unique(strict)) == 29


def test_tokens_of_a_model_may_take_the_place_of_words():
    texts = ["abcdefghij", "ABCDEFGHIJ", "klmnopqrst"]
    assert cluster_texts(texts).tolist() == [0, 1, 2]
    folded = cluster_texts(texts, encode=lambda text: [ord(c) for c in text.lower()])
    assert folded.tolist() == [0, 0, 1]


def test_short_texts_and_marks_alone_are_no_trouble():
    kinds = near_duplicate_texts(["a", "b", "a", "?!", " \t."]).kind
    assert kinds.tolist() == [Kind.COPY, 0, Kind.COPY, 0, 0]


@pytest.mark.parametrize(
    ("options", "fragment"),
    [({"similarity": 0}, "similarity must"), ({"passage": 0}, "passage must")],
)
def test_arguments_that_cannot_be_used_are_refused(options, fragment):
    with pytest.raises(InvalidInput, match=fragment):
        near_duplicate_texts(TEXTS, **options)


class Shingles(BaseEstimator):
    """Every run of five words that it has not read costs 10 nats."""

    takes_texts = True

    def fit(self, texts):
        self.known_ = set().union(*map(self.runs, texts))
        return self

    def score_samples(self, texts):
        return np.array([-10.0 * len(self.runs(text) - self.known_) for text in texts])

    def runs(self, text):
        words = text.split()
        return {tuple(words[k : k + 5]) for k in range(len(words) - 4)}


@pytest.fixture
def score(byrote_, monkeypatch):
    """Score the texts with two folds, and options; the run."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    rows = [{"id": f"t{k}", "text": text} for k, text in enumerate(TEXTS)]
    Path("texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def call(out, *more):
        words = ["--model", "test_text_duplicates:Shingles", "--folds", "2", "--repeats", "2"]
        code, _, err = byrote_("score", "texts.jsonl", "--ids", "id", *words, *more, "--out", out)
        assert (code, err) == (0, "")
        return byrote.open_run(out)

    return call


def test_a_run_of_texts_shows_copies_beside_its_scores(score, byrote_):
    score("run")
    code, out, err = byrote_("neighbors", "run")
    assert (code, err) == (0, "")
    assert "copies: 2, near copies: 3, with a shared passage: 2" in re.sub(r"\s+", " ", out)
    assert "w17" not in out
    frame = byrote.open_run("run").near_duplicates().to_frame().set_index("id")
    assert frame.loc["t9", "nearest"] == "t7"
    shown = byrote_("show", "run", "--top", "30")[1]
    assert "= t1" in shown
    assert "∩ t7" in shown
    code, _, err = byrote_("neighbors", "run", "--validation", "texts.jsonl")
    assert (code, "they are texts" in err) == (2, True)


def test_copies_held_out_together_show_what_they_hid(score, byrote_):
    scores = {}
    for folder, more in (("alone", []), ("together", ["--group-duplicates"])):
        run = score(folder, *more)
        scores[folder] = dict(zip(run.memorization().ids, run.memorization().score, strict=True))
        score(folder, *more)  # resumes
    assert scores["together"]["t1"] == 1160  # all its runs of five words
    assert scores["alone"]["t1"] < 800
    assert scores["together"]["t20"] == scores["alone"]["t20"] == 1160
    assert "grouped-kfold" in byrote_("show", "together")[1]
    np.save("x.npy", np.random.default_rng(0).normal(size=(20, 2)))
    words = ["--model", "gmm", "--group-duplicates", "--out", "numbers"]
    code, _, err = byrote_("score", "x.npy", *words)
    assert (code, "applies to texts" in err) == (2, True)
