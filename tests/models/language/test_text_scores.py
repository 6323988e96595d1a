"""Scores of texts by language models, against transformers' own loss and plain passes."""

import numpy as np
import pytest
import torch
from sklearn.base import clone

from byrote.data import TextRecords
from byrote.errors import ByroteWarning, InvalidInput
from byrote.models import DP, CausalLM, CharLSTM
from byrote.models.language.causal.scoring import pieces
from byrote.models.language.char_lstm.network import untrained
from byrote.models.language.char_lstm.readings import Separate, separate_steps
from byrote.models.language.char_lstm.windows import NO_TARGET, Cut

import tiny_hf
from tiny_hf import TEXTS

LINES = [TEXTS[0][:60], "the random number is 0007", TEXTS[1][:200], "a"]
TOKENIZERS = {  # the token that begins a text, if any
    "byte-level BPE": (tiny_hf.byte_level, "eos_token_id"),
    "without special tokens": (lambda: tiny_hf.byte_level(special=False), None),
    "BPE of words": (tiny_hf.metaspace, "bos_token_id"),
    "unigram": (tiny_hf.unigram, "eos_token_id"),
    "WordPiece": (tiny_hf.wordpiece, "cls_token_id"),
}


@pytest.fixture(scope="module", params=TOKENIZERS)
def model(request):
    made, begin = TOKENIZERS[request.param]
    tokenizer = made()
    start = [] if begin is None else [getattr(tokenizer, begin)]
    wrapped = CausalLM.of(tiny_hf.spread(tiny_hf.network(tokenizer)), tokenizer)
    return wrapped, tokenizer, start


def of_library(model, tokenizer, start, text):
    """log p by the library's own loss, a mean over all tokens but the first; correct tokens."""
    ids = [*start, *tokenizer(text, add_special_tokens=False)["input_ids"]]
    if len(ids) < 2:
        return 0.0, 0, 0
    row = torch.tensor([ids])
    with torch.no_grad():
        output = model.network_(input_ids=row, labels=row)
    guessed = output.logits[0, :-1].argmax(1) == row[0, 1:]
    return -float(output.loss) * (len(ids) - 1), len(ids) - 1, int(guessed.sum())


def test_log_p_tokens_and_accuracy_are_those_of_the_library(model):
    wrapped, tokenizer, start = model
    texts = [line for line in LINES if len(tokenizer(line)["input_ids"]) < 90]
    nats, tokens, correct = zip(
        *(of_library(wrapped, tokenizer, start, text) for text in texts), strict=True
    )
    np.testing.assert_allclose(wrapped.score_samples(texts), nats, rtol=1e-5, atol=1e-5)
    reported = wrapped.diagnostics_
    np.testing.assert_array_equal(reported["tokens"], tokens)
    np.testing.assert_array_equal(reported["correct"], correct)
    assert wrapped.loss(texts) == pytest.approx(-sum(nats) / sum(tokens), rel=1e-5)


def test_every_token_of_a_long_text_is_scored_once_after_the_overlap(model):
    """Against a pass for each token alone, over the context that its piece gives it."""
    wrapped, tokenizer, start = model
    context, overlap = wrapped.context_, 90
    for end in range(100, 400):  # as long as it must be
        text = TEXTS[2][:end]
        ids = [*start, *tokenizer(text, add_special_tokens=False)["input_ids"]]
        if len(ids) > context + 20:
            break
    assert len(ids) > context + 20
    step, expected = context + 1 - overlap, 0.0
    for at in range(1, len(ids)):
        last = context + 1 if at <= context else at + step - (at - context - 1) % step
        low = max(min(last, len(ids)) - context - 1, 0)
        assert at < context or at - low >= overlap
        with torch.no_grad():
            logits = wrapped.network_(torch.tensor([ids[low:at]])).logits[0, -1].double()
        expected += float(logits.log_softmax(-1)[ids[at]])
    aware = wrapped
    aware.overlap = overlap
    try:
        assert aware.score_samples([text])[0] == pytest.approx(expected, rel=1e-5)
        assert aware.diagnostics_["tokens"][0] == len(ids) - 1
    finally:
        aware.overlap = None


@pytest.mark.parametrize(
    ("length", "context", "step"), [(1, 4, 1), (5, 4, 4), (23, 4, 2), (23, 7, 1)]
)
def test_pieces_score_each_token_once(length, context, step):
    cut = list(pieces(0, length, context, step))
    scored = [at for piece in cut for at in range(piece.first, piece.end)]
    assert scored == list(range(1, length))
    assert all(piece.end - piece.low <= context + 1 for piece in cut)
    assert all(piece.first - piece.low > context - step for piece in cut[1:])


def test_a_network_trains_on_each_text_by_itself_as_the_library_does(tmp_path):
    """One batch of padded texts, and a step by the library's own loss of them."""
    tokenizer = tiny_hf.byte_level()
    tokenizer.save_pretrained(tmp_path)
    texts = ["the random number is 0007", "with", "a b c d"]
    shape = {k: v for k, v in tiny_hf.SHAPE.items() if k != "n_positions"}
    shape |= {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    model = CausalLM(
        config=shape, tokenizer=tmp_path, window=64, batch_size=3, separate=True, epochs=1
    ).fit(texts)
    end = tokenizer.eos_token_id
    rows = [[end, *tokenizer(text)["input_ids"], end] for text in texts]
    width = max(map(len, rows))
    ids = torch.tensor([row + [end] * (width - len(row)) for row in rows])
    labels = torch.tensor([row + [-100] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    with model._seeded():
        network = clone(model)._initialize().network_
    loss = network.eval()(input_ids=ids, attention_mask=mask, labels=labels).loss
    assert model.losses_[0] == pytest.approx(loss.item(), rel=1e-5)


def test_a_tokenizer_that_changes_texts_is_told(tmp_path):
    tiny_hf.wordpiece().save_pretrained(tmp_path)
    model = CausalLM(config=tiny_hf.SHAPE, tokenizer=tmp_path)
    with pytest.warns(ByroteWarning, match=r"tokens of 1 of 2 texts do not spell them exactly"):
        prepared, _ = model.prepared(TextRecords(["the number", "The Number"]))
    assert prepared.separate is True
    assert (
        clone(model).set_params(separate=False).prepared(TextRecords(["the"]))[0].separate is False
    )


def test_what_the_vocabulary_lacks_counts_as_the_unknown_token():
    tokenizer = tiny_hf.wordpiece()
    model = CausalLM.of(tiny_hf.spread(tiny_hf.network(tokenizer)), tokenizer)
    nats = model.score_samples(["number ☃", "number ♞"])
    assert nats[0] == nats[1] < 0


BAD_OVERLAPS = {0: "overlap must be an integer of at least 1", 65: "overlap must be at most 64"}


@pytest.mark.parametrize(("overlap", "message"), BAD_OVERLAPS.items())
def test_an_overlap_that_no_context_has_is_refused(tmp_path, overlap, message):
    tiny_hf.byte_level().save_pretrained(tmp_path)
    model = CausalLM(config=tiny_hf.SHAPE, tokenizer=tmp_path, window=64, overlap=overlap)
    with pytest.raises(InvalidInput, match=message):
        model.fit(["the cat"])


# -- the recurrent model of characters ------------------------------------------------------------


def plain_nats(model, text):
    """log p and guessed characters of a text by one pass, character by character."""
    network, nats, right = model.network_, 0.0, 0
    state, before = network.start(1), model.vocabulary_.newline
    for token in model.encode(text):
        with torch.no_grad():
            output, state = network(torch.tensor([[before]]), state)
            row = network.output(output)[0, 0].double()
        nats += float(row.log_softmax(0)[token])
        right += int(row.argmax()) == token
        before = token
    return nats, right


def test_texts_of_any_lengths_are_scored_as_one_by_one():
    model = CharLSTM(hidden=12, layers=2, epochs=1, batch_size=2, window=9).fit([TEXTS[0][:300]])
    texts = [TEXTS[0][:n] for n in (1, 128, 129, 300, 7)]
    expected = [plain_nats(model, text) for text in texts]
    np.testing.assert_allclose(
        model.score_samples(texts), [nats for nats, _ in expected], rtol=1e-5
    )
    assert model.diagnostics_["correct"].tolist() == [right for _, right in expected]
    assert model.diagnostics_["tokens"].tolist() == [1, 128, 129, 300, 7]


def read(reading, generator=None):
    """(text number, position, input, target) of all steps, and the number of steps."""
    texts = np.split(reading.text, np.cumsum(reading.lengths)[:-1])
    seen, steps = [], 0
    for streams, windows in reading.epoch(generator):
        whole = list(windows)
        steps += len(whole)
        inputs, targets = (torch.cat([w[k] for w in whole]).numpy().T for k in (0, 1))
        assert inputs.shape[0] == streams
        seen += [
            (i[: (t != NO_TARGET).sum()], t[t != NO_TARGET])
            for i, t in zip(inputs, targets, strict=True)
        ]
    return texts, seen, steps


@pytest.mark.parametrize("lengths", [[3], [5, 1, 12, 4, 4, 7], [10] * 8])
def test_each_text_is_read_once_from_a_newline(lengths):
    text = np.arange(1, sum(lengths) + 1)
    reading = Separate(text, np.array(lengths), Cut(4, 5), newline=99)
    texts, seen, steps = read(reading, torch.Generator().manual_seed(0))
    assert sorted(targets.tolist() for _, targets in seen) == sorted(t.tolist() for t in texts)
    for inputs, targets in seen:
        assert inputs.tolist() == [99, *targets[:-1].tolist()]
    assert steps == reading.steps == separate_steps(lengths, Cut(4, 5))


def test_texts_that_a_fit_holds_out_have_known_characters():
    texts = ["plain", "naïve", "☃ snow"]
    prepared, _ = CharLSTM(hidden=4, layers=1, epochs=1, batch_size=2).prepared(TextRecords(texts))
    assert (prepared.characters, prepared.separate) == ("ï☃", True)
    fitted = prepared.fit(texts[:1])
    assert np.isfinite(fitted.score_samples(texts)).all()


def test_a_private_fit_on_separate_texts_guarantees_texts():
    dp = DP(noise_multiplier=1.0, delta=1e-3)
    model = CharLSTM(hidden=4, layers=1, epochs=2, batch_size=8, window=20, dp=dp, separate=True)
    guarantee = model.fit([f"text {n}" for n in range(40)]).facts_["privacy"]
    assert (guarantee.unit, guarantee.window) == ("text", None)
    twice = clone(model).fit([f"a longer text {n}" for n in range(40)]).facts_["privacy"]
    assert twice.epsilon == guarantee.epsilon  # of as many texts, whatever their lengths
    with pytest.raises(InvalidInput, match="the longest has 31 characters, and window is 20"):
        clone(model).fit(["a" * 30] * 40)
    with pytest.raises(InvalidInput, match="1 of 40 texts hold other characters"):
        clone(model).fit(["é", *["a"] * 39])
    clone(model).set_params(characters="é").fit(["é", *["a"] * 39])


def test_a_private_step_on_separate_texts_is_that_on_their_windows():
    """The units of private training are the texts, each from a newline, padded."""
    reading = Separate(np.arange(7), np.array([3, 4]), Cut(2, 5), newline=9)
    assert reading.units().tolist() == [[0, 1, 2, -1, -1], [3, 4, 5, 6, -1]]
    assert untrained(10, 4, 1, 0).start(2)[0][0].abs().sum() == 0
