"""What a model recites of texts: windows, texts, controls, and arguments that cannot be used."""

import numpy as np
import pytest

import byrote
from byrote.data import Corpus
from byrote.errors import InvalidInput
from byrote.models import CausalLM, CharLSTM
from byrote.models.language.continuations import continuation_costs
from byrote.models.language.steppers import bits

from chains import Chain
from languages import Ngram

LETTERS = list("abcdefgh ")


def texts_of(seed, count, length=300):
    generator = np.random.default_rng(seed)
    return ["".join(generator.choice(LETTERS, length)) for _ in range(count)]


SEEN, UNSEEN = texts_of(0, 8), texts_of(1, 8)


@pytest.fixture(scope="module")
def result():
    model = Ngram(order=6, alpha=1e-3).fit(SEEN)
    return byrote.recite(model, [*SEEN, "short"], unseen=UNSEEN, prefix=10, suffix=20)


def test_what_was_trained_on_is_recited_and_the_control_is_not(result):
    greedy = result.shares()[0]
    assert greedy.share.low > 0.5
    assert greedy.unseen.value == 0
    assert greedy.unseen.high == pytest.approx(1 - 0.025 ** (1 / 8))  # eight texts, no hit
    assert greedy.difference.low > 0.3
    assert greedy.texts == 8


def test_each_row_is_what_the_model_says_of_its_window(result):
    model = Ngram(order=6, alpha=1e-3).fit(SEEN)
    windows = result.windows
    for row in (0, 7, len(windows) - 1):
        text = [*SEEN, "short", *UNSEEN][windows.text[row]]
        first = windows.start[row] + 10
        window = text[windows.start[row] : first + 20]
        nats = model.score_samples([window])[0] - model.score_samples([window[:10]])[0]
        assert windows.bits[row] == pytest.approx(-nats / np.log(2))
        greedy = window[:10]
        while len(greedy) < 30:
            greedy += model.decode([int(model.next_log_probs([model.encode(greedy)]).argmax())])
        matched = next((k for k in range(20) if greedy[10 + k] != window[10 + k]), 20)
        assert windows.matched[row] == matched


def test_texts_count_their_windows_and_the_short_one_is_counted_not_fatal(result):
    texts = result.texts
    assert texts.ids.tolist() == [*map(str, range(9)), *map(str, range(8))]
    assert texts.unseen.sum() == 8
    assert texts.windows.tolist() == [14] * 8 + [0] + [14] * 8
    assert result.summary()["too_short"] == 1
    counts = np.bincount(result.windows.text[result.recited], minlength=17)
    assert texts.recited.tolist() == counts.tolist()
    assert texts.longest[:8].min() >= 20 > texts.longest[9:].max()


def test_near_bounds_hold_the_verbatim_probability(result):
    assert np.isnan(result.windows.near_low).all()
    near = byrote.recite(
        Chain(0), ["ab 12 b 1" * 3], prefix=4, suffix=3, edits=1, max_queries=300
    ).windows
    assert (near.near_low <= near.near_high).all()
    assert (np.exp2(-near.bits) <= near.near_low * (1 + 1e-6)).all()


def test_recitation_prints_no_text(result):
    tables = (result, result.windows, result.texts)
    shown = "".join(f"{table}{table!r}" for table in tables)
    assert not any(text[:8] in shown for text in SEEN)
    assert "1 text shorter than prefix and suffix together, 30 tokens" in " ".join(shown.split())


def test_results_are_saved_and_loaded(result, tmp_path):
    for table in (result.windows, result.texts):
        table.save(tmp_path / "table.parquet")
        loaded = type(table).load(tmp_path / "table.parquet")
        for name, column in table.columns().items():
            np.testing.assert_array_equal(loaded.columns()[name], column)


def test_a_corpus_and_numbers_of_one_are_taken():
    model = Chain(0)
    corpus = byrote.recite(model, Corpus(["ab 12 " * 9]), prefix=2, suffix=2, n=5)
    assert corpus.settings.n == (5,)
    listed = byrote.recite(model, ["ab 12 " * 9], prefix=2, suffix=2, n=[5])
    np.testing.assert_array_equal(corpus.windows.bits, listed.windows.bits)


# -- one pass -------------------------------------------------------------------------------------


def test_one_pass_of_a_recurrent_model_is_what_its_prefixes_say():
    model = CharLSTM(12, 2, epochs=1, batch_size=2, window=10).fit(["hello there, " * 20])
    rows = np.array([model.encode(text) for text in ("hello there", "ello there,", "zq!~ hello,")])
    (part, costs), *rest = continuation_costs(model, rows, 4)
    parts = [costs, *(more for _, more in rest)]
    assert part == slice(0, 1)
    prefixes = [row[:end].tolist() for row in rows for end in range(4, 11)]
    whole = bits(model.next_log_probs(prefixes)).reshape(3, 7, -1)
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-4, atol=1e-4)


def test_one_pass_of_a_causal_model_is_what_its_prefixes_say():
    tiny_hf = pytest.importorskip("tiny_hf")
    for tokenizer in (tiny_hf.byte_level(), tiny_hf.wordpiece()):
        model = CausalLM.of(tiny_hf.network(tokenizer), tokenizer)
        ids = model.encode("the random number is 12 and the random number is 34")[:12]
        rows = np.array([ids, ids[::-1]])
        costs = np.concatenate([costs for _, costs in continuation_costs(model, rows, 3)])
        prefixes = [row[:end].tolist() for row in rows for end in range(3, len(ids))]
        whole = bits(model.next_log_probs(prefixes)).reshape(costs.shape)
        np.testing.assert_allclose(costs, whole, rtol=1e-4, atol=1e-4)


def test_windows_cost_what_the_texts_cost_by_the_library():
    torch, tiny_hf = pytest.importorskip("torch"), pytest.importorskip("tiny_hf")
    tokenizer = tiny_hf.byte_level()
    network = tiny_hf.network(tokenizer).eval()
    model = CausalLM.of(network, tokenizer)
    result = byrote.recite(model, [tiny_hf.TEXTS[0]], prefix=8, suffix=6)
    ids = model.encode(tiny_hf.TEXTS[0])
    for row in (0, 3):
        start = int(result.windows.start[row])
        window = torch.tensor([[*model.codec_.start, *ids[start : start + 14]]])
        labels = window.clone()
        labels[:, :-6] = -100
        with torch.no_grad():
            loss = float(network(input_ids=window, labels=labels).loss)
        assert result.windows.bits[row] == pytest.approx(6 * loss / np.log(2), rel=1e-4)


def test_more_prefix_than_context_is_refused_before_any_work():
    tiny_hf = pytest.importorskip("tiny_hf")
    model = CausalLM.of(tiny_hf.network(tiny_hf.byte_level()), tiny_hf.byte_level())
    with pytest.raises(InvalidInput, match="at most the 96 tokens that the model reads; got"):
        byrote.recite(model, tiny_hf.TEXTS, prefix=90, suffix=20)


def test_a_tokenizer_that_changes_the_text_is_said_to():
    tiny_hf = pytest.importorskip("tiny_hf")
    tokenizer = tiny_hf.folding_bytes()
    model = CausalLM.of(tiny_hf.network(tokenizer), tokenizer)
    result = byrote.recite(model, ["The Cat Sat", "the cat sat"], prefix=3, suffix=2)
    assert result.texts.restored.tolist() == [False, True]
    assert "may also stand for another text" in " ".join(str(result).split())


# -- arguments ------------------------------------------------------------------------------------

WRONG = [
    ("prefix", {"prefix": 0}, "prefix must be an integer of at least 1"),
    ("suffix", {"suffix": 0}, "suffix must be an integer of at least 1"),
    ("stride", {"stride": 0}, "stride must"),
    ("n", {"n": []}, "n must be one number of samples or more"),
    ("p", {"p": 1}, "p must be a number between 0 and 1"),
    ("top_k", {"top_k": 0}, "top_k must"),
    ("temperature", {"temperature": 0}, "temperature must be a number above 0"),
    ("edits", {"edits": 9, "suffix": 4}, "edits must be an integer of at most 4"),
    ("unseen", {"unseen": "ab"}, "unseen must be texts, a list of strings; got 'ab'"),
    ("long", {"prefix": 90}, "texts must have one of at least 140 tokens.* can read has 120"),
]


@pytest.mark.parametrize(("arguments", "fragment"), [case[1:] for case in WRONG])
def test_arguments_that_cannot_be_used_are_refused_in_one_sentence(arguments, fragment):
    with pytest.raises(InvalidInput, match=fragment):
        byrote.recite(Chain(0), ["ab 123" * 20], **arguments)


def test_a_text_outside_the_vocabulary_is_counted():
    result = byrote.recite(Chain(0), ["ab 12 " * 9, "naïve " * 9], prefix=2, suffix=2)
    assert result.texts.covered.tolist() == [True, False]
    assert result.texts.windows[1] == 0
    assert "1 text with characters that no token of the model has" in " ".join(str(result).split())


class Faulty(Chain):
    def continuation_log_probs(self, rows, first):
        return np.log(np.full((len(rows), rows.shape[1] - first, len(self.strings)), 1e-2))


class Improper(Chain):
    def next_log_probs(self, prefixes):
        return super().next_log_probs(prefixes) + 1


@pytest.mark.parametrize(
    ("model", "fragment"),
    [
        (Faulty(0), "same probabilities in one pass as after its whole prefix"),
        (Improper(0), "must give probabilities of the next token"),
        (object(), "must be a language model"),
    ],
)
def test_models_that_contradict_themselves_are_refused(model, fragment):
    with pytest.raises(InvalidInput, match=fragment):
        byrote.recite(model, ["ab 123" * 20])
