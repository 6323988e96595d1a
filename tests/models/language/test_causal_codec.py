"""Tokenizers under one contract: bytes, words with their spaces, special tokens, the unknown."""

import pytest
import torch

from byrote.errors import InvalidInput
from byrote.models import CausalLM
from byrote.models.language.causal.codec import Codec

import tiny_hf
from tiny_hf import END, NUMBERS, TEXTS

KINDS = {"bytes": tiny_hf.byte_level, "words": tiny_hf.metaspace}


def codec_of(kind):
    tokenizer = KINDS[kind]()
    return Codec(tokenizer, len(tokenizer))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", [*NUMBERS[:3], TEXTS[0][:500], "is 12", "a  b"])
def test_strings_of_the_tokens_spell_the_text(kind, text):
    codec = codec_of(kind)
    strings = codec.strings
    spelled = "".join(strings[token] for token in codec.encode(text))
    assert spelled.removeprefix(" " if kind == "words" else "") == text


def test_a_space_belongs_to_the_word_behind_it():
    for kind, mark in (("bytes", "\N{LATIN CAPITAL LETTER G WITH DOT ABOVE}"), ("words", "▁")):
        codec = codec_of(kind)
        strings = codec.strings
        assert strings[codec.tokenizer.convert_tokens_to_ids(mark + "number")] == " number"
        assert strings[codec.tokenizer.convert_tokens_to_ids("a")] == "a"


def test_special_tokens_and_parts_of_characters():
    codec = codec_of("bytes")
    strings = codec.strings
    assert strings[codec.tokenizer.convert_tokens_to_ids(END)] == END  # where a text holds it
    ids = codec.encode("€")  # three bytes, never merged in English text
    assert len(ids) == 3
    assert [strings[token] for token in ids] == ["", "", ""]
    assert codec.decode(ids) == "€"
    words = codec_of("words")
    assert [words.strings[token] for token in range(3)] == ["", "<s>", "</s>"]


def test_tokens_that_only_the_network_has_are_empty():
    tokenizer = tiny_hf.byte_level()
    strings = Codec(tokenizer, len(tokenizer) + 5).strings
    assert len(strings) == len(tokenizer) + 5
    assert strings[-5:] == [""] * 5


def test_texts_begin_and_end_as_the_tokenizer_has_it():
    assert (codec_of("bytes").start, codec_of("bytes").end) == ((0,), ())
    assert (codec_of("words").start, codec_of("words").end) == ((1,), (2,))
    bare = Codec(tiny_hf.byte_level(special=False), 400)
    assert (bare.start, bare.end) == ((), ())


@pytest.mark.parametrize("text", ["a", "the number\nis 12 €", "", "ünïcode"])
def test_decoding_undoes_encoding(text):
    codec = codec_of("bytes")
    assert codec.decode(codec.encode(text)) == text
    assert all(token != 0 for token in codec.encode(text))  # no special tokens of its own


def test_a_character_that_the_vocabulary_lacks_is_named_by_its_code_point():
    codec = codec_of("words")
    with pytest.raises(InvalidInput, match=r"lacks U\+20AC \(character 5 of the text\)$") as caught:
        codec.encode("the €")
    assert "€" not in str(caught.value)
    assert codec.encode_all(["the €"])[0][-1] == 0  # in training it is the unknown


def test_tokens_that_the_network_lacks_are_refused():
    codec = Codec(tiny_hf.byte_level(), 300)
    with pytest.raises(
        InvalidInput, match="token ids must be between 0 and 299, .* vocabulary; got 3"
    ):
        codec.encode(NUMBERS[0])
    with pytest.raises(InvalidInput, match="got -1"):
        codec.decode([-1])


def test_what_the_template_puts_around_a_text_begins_and_ends_it():
    codec = Codec(tiny_hf.wordpiece(), 300)
    ids = codec.tokenizer("the pin")["input_ids"]
    assert codec.tokenizer.bos_token_id is None is codec.tokenizer.eos_token_id
    assert [*codec.start, *codec.encode("the pin"), *codec.end] == ids
    assert codec.tokenizer.convert_ids_to_tokens([*codec.start, *codec.end]) == ["[CLS]", "[SEP]"]


def test_of_a_template_of_several_tokens_none_is_scored():
    tokenizer = tiny_hf.wordpiece()
    changed = tiny_hf.Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    tiny_hf.template(changed, ["[CLS]", "[SEP]"])
    again = tiny_hf.transformers.PreTrainedTokenizerFast(
        tokenizer_object=changed, unk_token="[UNK]"
    )
    network = tiny_hf.spread(tiny_hf.network(again))
    model = CausalLM.of(network, again)
    ids = torch.tensor([again("the pin")["input_ids"]])
    assert model.codec_.start == (2, 3)
    with torch.no_grad():
        nats = network(ids).logits[0].double().log_softmax(-1)
    expected = sum(float(nats[at - 1, ids[0, at]]) for at in range(2, ids.shape[1]))
    assert model.score_samples(["the pin"])[0] == pytest.approx(expected, rel=1e-5)
    assert model.loss(["the pin"]) == pytest.approx(-expected / (ids.shape[1] - 2), rel=1e-5)


def test_words_without_their_spaces():
    codec = Codec(tiny_hf.wordpiece(), 300)
    spelled = "".join(codec.strings[token] for token in codec.encode("The  random number-is 2812"))
    assert spelled == "therandomnumber-is2812"


def test_without_a_decoder_tokens_are_joined_as_they_are():
    tokenizer = tiny_hf.characters()
    codec = Codec(tokenizer, len(tokenizer))
    assert codec.decode(codec.encode("pin 12")) == "pin 12"
    assert "".join(codec.strings[token] for token in codec.encode("pin 12")) == "pin 12"
