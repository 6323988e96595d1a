"""Canaries: what their text says, whose secret they keep, and what is refused."""

import pickle
import re
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

import byrote
from byrote import Canary
from byrote.data.canaries import canary as canary_module
from byrote.errors import InvalidInput

TWO = "call {name}: {digits:3}-{digits:4} now"
NAMES = {"name": ["ann", "anna", "bob"]}
SECRET = "281265017"


@pytest.mark.parametrize(
    ("text", "prefix", "suffix", "first"),
    [
        ("the random number is {digits:9}", "the random number is ", "", "000000000"),
        ("{digits:2}", "", "", "00"),
        ("{digits:2} is it", "", " is it", "00 is it"),
        ("{digits:1}{letters:1}", "", "", "0A"),
        ("{{x}} {digits:1} {{", "{x} ", " {", "0 {"),
        ("{{{digits:2}}}", "{", "}", "00}"),
        ("}}{{{digits:1}{{}}", "}{", "{}", "0{}"),
        ("пароль {digits:1} 🎈", "пароль ", " 🎈", "0 🎈"),
    ],
)
def test_text_is_read(text, prefix, suffix, first):
    canary = Canary(text)
    assert (canary.prefix, canary.suffix, canary.format.at(0)) == (prefix, suffix, first)
    assert canary.with_secret(canary.secrets_in(first)).filled == prefix + first


@given(st.text("{}ab:", max_size=8), st.text("{}ab:", max_size=8))
def test_doubled_braces_stand_for_braces(before, after):
    def double(text):
        return text.replace("{", "{{").replace("}", "}}")

    canary = Canary(f"{double(before)}{{digits:1}}{double(after)}", secret="7")
    assert (canary.prefix, canary.suffix, canary.filled) == (before, after, f"{before}7{after}")


def test_a_chosen_secret():
    canary = Canary("the random number is {digits:9}", secret=SECRET)
    assert canary.filled == "the random number is 281265017"
    assert canary.completion == canary.secret == SECRET
    assert canary == Canary(canary.text).with_secret([SECRET])
    assert hash(canary) == hash(pickle.loads(pickle.dumps(canary)))


def test_secrets_of_several_slots_and_the_text_between():
    canary = Canary(TWO, words=NAMES, secret=["anna", "555", "0199"])
    assert canary.filled == "call anna: 555-0199 now"
    assert canary.completion == "anna: 555-0199 now"
    assert canary.masked == Canary(TWO, words=NAMES).masked == "****: ***-**** now"
    assert canary.secrets_in(canary.completion) == ("anna", "555", "0199")


@given(st.integers(0, 3 * 10**7 - 1))
def test_every_completion_gives_back_its_secrets(index):
    canary = Canary(TWO, words=NAMES)
    completion = canary.format.at(index)
    name, area, number = re.fullmatch(r"(ann|anna|bob): (\d{3})-(\d{4}) now", completion).groups()
    assert canary.secrets_in(completion) == (name, area, number)
    assert canary.with_secret((name, area, number)).completion == completion


def test_slots_of_one_name_are_chosen_each_for_itself():
    canary = Canary("{} {}", alphabet="ab", length=1)
    assert list(canary.format) == ["a a", "a b", "b a", "b b"]


def test_drawing_follows_the_seed():
    canary = Canary("pin {digits:9}", secret=SECRET)
    assert canary.drawn(3) == canary.drawn(3) != canary.drawn(4)
    assert canary.drawn(3) == Canary("pin {digits:9}").drawn(3)
    assert len({canary.drawn(seed).secret for seed in range(200)}) == 200
    assert canary.candidates(50, seed=3) == canary.candidates(80, seed=3)[:50]
    assert not set(canary.candidates(50, seed=3)) & set(canary.candidates(50, seed=4))
    assert canary.drawn(3).secret not in canary.candidates(50, seed=3)


def test_changing_a_list_afterwards_changes_nothing():
    words = ["ann", "bob"]
    canary = Canary("{n}", words={"n": words})
    words.append("cy")
    assert canary.space_size == canary.drawn(0).space_size == 2
    assert Canary("{n}", words={"n": iter(["ann", "bob"])}).space_size == 2


def test_a_canary_is_frozen_and_a_missing_secret_is_said():
    canary = Canary("pin {digits:4}")
    assert canary.secret is canary.completion is None
    with pytest.raises(InvalidInput, match=r"no secret yet: give secret=, or use drawn\(seed\)"):
        canary.filled  # noqa: B018
    with pytest.raises(FrozenInstanceError):
        canary.secret = "1234"
    assert byrote.Canary is Canary


def test_nothing_shows_the_secret():
    canary = Canary("the random number is {digits:9}", secret=SECRET)
    shown = [repr(canary), str(canary), f"{canary}", repr([canary]), canary.masked]
    shown += [repr(canary.format), repr(canary.with_secret(SECRET))]
    assert not any(SECRET in text for text in shown)
    assert "with a secret" in repr(canary)
    assert "with a secret" not in repr(Canary(canary.text))


NINE = "{digits:9}"
BAD = {
    "no text": ((17,), {}, "text must be a string with slots; got int"),
    "no slot": ((SECRET,), {}, "text must have a slot for the secret, such as {digits:9}; got"),
    "empty": (("",), {}, "text must have a slot"),
    "only braces": (("{{digits:9}}",), {}, "text must have a slot"),
    "open": (("is {digits:9",), {}, "the brace at character 4 stands alone"),
    "closed": (("is digits:9}",), {}, "the brace at character 12 stands alone"),
    "nested": (("{a{digits:9}}",), {}, "the brace at character 1 stands alone"),
    "odd": (("{{digits:9}",), {}, "the brace at character 11 stands alone"),
    "typo": (("{digts:9}",), {}, "got {digts:9}, did you mean digits?"),
    "unlike": (("{%}",), {}, "must be one of digits, letters, alphanumeric, password"),
    "name typo": (("{nam}",), {"words": {"name": ["a"]}}, "did you mean name?"),
    "name with rule": (("{name:3}",), {"words": {"name": ["a"]}}, "got {name:3}, did you mean"),
    "no count": (("{digits}",), {}, "needs a length of 1 to 9999, as in {digits:8}; got {digits}"),
    "count 0": (("{digits:0}",), {}, "got {digits:0}"),
    "count -1": (("{letters:-1}",), {}, "a slot of letters needs a length"),
    "count word": (("{password:long}",), {}, "got {password:long}"),
    "count huge": (("{digits:99999}",), {}, "got {digits:99999}"),
    "count arabic": (("{digits:٣}",), {}, "a slot of digits needs a length"),
    "card rule": (("{credit_card:visa}",), {}, "{credit_card} or {credit_card:luhn}; got"),
    "uuid rule": (("{uuid:4}",), {}, "a UUID's slot is {uuid}; got {uuid:4}"),
    "open slot": (("{}",), {}, "text has a slot {}, which needs alphabet= and length="),
    "only length": (("{}",), {"length": 3}, "alphabet and length must be given"),
    "only alphabet": (("{}",), {"alphabet": "ab"}, "alphabet and length must be given"),
    "unused alphabet": ((NINE,), {"alphabet": "ab", "length": 3}, "text has no slot {} for it"),
    "length 0": (("{}",), {"alphabet": "ab", "length": 0}, "length must be an integer of at"),
    "half a pair": (
        ("\ud800 {digits:1}",),
        {},
        "text must be Unicode text; character 1 is a lone surrogate",
    ),
    "half a letter": (("{}",), {"alphabet": "a\udfff", "length": 1}, "alphabet must be Unicode"),
    "half a word": (("{w}",), {"words": {"w": ["a", "b\ud800"]}}, "words['w'][1] must be Unicode"),
    "repeated": (("{}",), {"alphabet": "aba", "length": 1}, "once; 'a' is repeated"),
    "no alphabet": (("{}",), {"alphabet": "", "length": 1}, "choose from; got an empty one"),
    "alphabet list": (("{}",), {"alphabet": ["a"], "length": 1}, "choose from; got list"),
    "words list": (("{n}",), {"words": ["a"]}, "words must map names to lists; got list"),
    "words text": (("{n}",), {"words": {"n": "abc"}}, "words['n'] must be a list of words; got"),
    "words none": (("{n}",), {"words": {"n": []}}, "words['n'] must have at least one word"),
    "words empty": (("{n}",), {"words": {"n": ["a", ""]}}, "words['n'][1] must be a word; got an"),
    "words int": (("{n}",), {"words": {"n": ["a", 3]}}, "words['n'][1] must be a word; got int"),
    "words twice": (("{n}",), {"words": {"n": ["a", "b", "a"]}}, "1 of 3 repeat an earlier one"),
    "words unused": ((NINE,), {"words": {"n": ["a"]}}, "words['n']: text has no slot {n} for it"),
    "words taken": ((NINE,), {"words": {"uuid": ["a"]}}, "other than those of built-in slots"),
    "words unnamed": (("{}",), {"words": {"": ["a"]}}, "names other than those of"),
    "words numbered": (("{3}",), {"words": {3: ["a"]}}, "names other than those of"),
    "words alike": (("{n}",), {"words": {"n": ["anna", "ann"]}}, "[1] is a prefix of another word"),
    "words then a": (
        ("{n}a",),
        {"words": {"n": ["ann", "anna"]}},
        "put a character that no word",
    ),
    "short secret": ((NINE,), {"secret": SECRET[1:]}, "the slot {digits:9}; the given text does"),
    "long secret": ((NINE,), {"secret": SECRET + "1"}, "secret must fit the slot {digits:9}"),
    "wrong secret": ((NINE,), {"secret": "x" + SECRET[1:]}, "secret must fit the slot"),
    "number": ((NINE,), {"secret": int(SECRET)}, "secret must be a string, or a sequence"),
    "bytes": ((NINE,), {"secret": SECRET.encode()}, "sequence of strings; got bytes"),
    "two for one": (
        (NINE,),
        {"secret": [SECRET, SECRET]},
        "one string per slot, 1 in all; got 2",
    ),
    "one for two": (
        (NINE + NINE,),
        {"secret": SECRET * 2},
        "one string per slot, 2 in all; got 1",
    ),
    "shifted": (("{digits:1}{digits:9}",), {"secret": [SECRET, "2"]}, "fit the slot {digits:1}"),
    "check digit": (("{credit_card:luhn}",), {"secret": SECRET + "0000001"}, "{credit_card:luhn}"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_without_the_secret(case):
    arguments, options, fragment = BAD[case]
    with pytest.raises(InvalidInput, match=re.escape(fragment)) as caught:
        Canary(*arguments, **options)
    assert "\n" not in str(caught.value)
    assert SECRET[1:] not in str(caught.value)
    assert caught.value.__context__ is None  # nor does an error behind it


@pytest.mark.parametrize("seed", [-1, 1.5, "0", None])
def test_bad_seeds(seed):
    for draw in (Canary(NINE).drawn, lambda seed: Canary(NINE).candidates(1, seed)):
        with pytest.raises(InvalidInput, match="seed must be an integer of at least 0"):
            draw(seed)


def test_secrets_of_another_text():
    with pytest.raises(InvalidInput, match=r"have the canary's format; character 10 does not"):
        Canary("a {digits:9}!").secrets_in(SECRET + "?")


def test_a_text_is_parsed_once_however_many_secrets_it_is_given(monkeypatch):
    calls = []
    parse = canary_module.parse
    monkeypatch.setattr(
        canary_module, "parse", lambda *args, **options: calls.append(1) or parse(*args, **options)
    )
    canary = Canary(TWO, words=NAMES)
    with_secrets = [canary.drawn(seed) for seed in range(5)]
    assert canary.with_secret(with_secrets[0].secret).with_secret(None) == canary
    assert len({made.filled for made in with_secrets}) == 5
    assert all(made.format is canary.format for made in with_secrets)
    assert len(calls) == 1
