"""Formats against brute force: size, order, places, and what cannot be told apart."""

import hashlib
import itertools
import math
import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from byrote.data.canaries import Canary, Format
from byrote.data.canaries.slot_kinds import Characters, Words
from byrote.errors import InvalidInput

alphabets = st.text("abcé-0", min_size=1, max_size=4).map(lambda t: "".join(dict.fromkeys(t)))
chains = st.lists(alphabets, min_size=1, max_size=4)
word_lists = st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=6, unique=True)


def products(parts):
    """Every way of putting one text of each part after the other, the last changing fastest."""
    return ["".join(texts) for texts in itertools.product(*parts)]


@given(chains, chains)
def test_completions_are_the_product_in_its_order(first, second):
    space = Format.of([Characters(first), Characters(second)])
    expected = products(first + second)
    assert space.size == len(expected)
    assert list(space) == expected
    assert [space.at(i) for i in range(space.size)] == expected
    assert [space.index(text) for text in expected] == list(range(space.size))
    assert space.alphabet == set("".join(first + second))


@given(word_lists, st.text("abc", max_size=2), alphabets)
def test_words_are_refused_exactly_where_a_step_is_open(words, fixed, last):
    parts = [words, [fixed], last if fixed else [""]]
    forms = [Words("w", words)] + ([Characters(fixed), Characters([last])] if fixed else [])
    open_step = any(
        longer != word and longer.startswith(word + fixed[:1])
        for word, longer in itertools.permutations(words, 2)
    )
    if open_step:
        with pytest.raises(InvalidInput, match=r"words\['w'\]\[\d\] is a prefix of another"):
            Format.of(forms)
        return
    space = Format.of(forms)
    found, expected = list(space), products(parts)
    assert sorted(found) == sorted(expected)
    assert len(set(found)) == space.size == len(expected)
    assert [space.index(text) for text in found] == list(range(space.size))
    assert not any(b.startswith(a) for a, b in itertools.permutations(found, 2))


@given(st.permutations(["ann", "bob", "cy", "dora"]), alphabets)
def test_words_come_in_the_order_given(words, before):
    space = Format.of([Characters([before]), Words("w", words)])
    assert list(space) == products([before, words])


def test_automaton_is_deterministic_acyclic_and_as_small_as_can_be():
    space = Canary("{n}, {digits:2} {n}!", words={"n": ["ann", "anna", "joann"]}).format
    reached = {space.start} | {s for edges in space.edges for s in edges.values()}
    assert reached == set(range(len(space.edges)))
    assert [s for s, edges in enumerate(space.edges) if not edges] == [space.end]
    assert all(s < state for state, edges in enumerate(space.edges) for s in edges.values())
    endings = {}  # minimal: states differ in what they read
    for state in range(len(space.edges)):
        texts = frozenset(Format(space.edges[: state + 1]))
        assert endings.setdefault(texts, state) == state


@pytest.mark.parametrize("text", ["{digits:16}", "{uuid}", "{password:8}", "{credit_card:luhn}"])
def test_places_in_large_spaces(text):
    space = Canary(text).format
    rng = np.random.default_rng(1)
    size = space.size
    near = [0, 1, size - 1, size // 3, *(size * int(k) // 1000 for k in rng.integers(0, 1000, 30))]
    texts = [space.at(index) for index in near]
    assert [space.index(t) for t in texts] == near
    ordered = [t for _, t in sorted(zip(near, texts, strict=True))]
    assert ordered == sorted(ordered)  # the named kinds stand in the order of code points


def test_sixteen_digits_are_their_own_index():
    space = Canary("card {credit_card}").format
    for index in (0, 7, 10**15, 4111111111111111, 2**53 + 1, 10**16 - 1):
        assert space.at(index) == f"{index:016d}"
        assert space.index(f"{index:016d}") == index


def luhn_sum(number):
    """The check of ISO/IEC 7812-1 as the standard tells it, from the right, on the whole number."""
    doubled = [str(2 * int(d)) for d in number[-2::-2]]
    return sum(map(int, number[-1::-2])) + sum(int(d) for d in "".join(doubled))


def test_luhn_numbers_are_those_with_the_right_sum():
    plain, luhn = Canary("{credit_card}").format, Canary("{credit_card:luhn}").format
    assert luhn.size == 10**15
    assert luhn.at(0) == "0" * 16
    rng = np.random.default_rng(2)
    assert all(luhn_sum(text) % 10 == 0 for text in luhn.sample(500, rng))
    for text in plain.sample(500, rng):
        right = luhn_sum(text) % 10 == 0
        if right:
            assert luhn.index(text) == int(text[:15])  # the last digit follows from the others
        else:
            with pytest.raises(InvalidInput, match="character 16 does not fit"):
                luhn.index(text)
    assert luhn.index("4111111111111111") == 411111111111111  # a test number of the card issuers


def test_uuids_are_what_python_makes():
    space = Canary("id {uuid}").format
    assert space.size == 2**122
    assert len({space.index(str(uuid.uuid4())) for _ in range(50)}) == 50
    for text in space.sample(200, np.random.default_rng(3)):
        parsed = uuid.UUID(text)
        assert (str(parsed), parsed.version, parsed.variant) == (text, 4, uuid.RFC_4122)


@pytest.mark.parametrize(
    ("text", "size", "bits"),
    [
        ("{digits:9}", 10**9, 29.897353),
        ("{credit_card}", 10**16, 53.150850),
        ("{letters:3}", 52**3, 3 * math.log2(52)),
        ("{alphanumeric:3}", 62**3, 3 * math.log2(62)),
        ("{password:8}", 94**8, 8 * math.log2(94)),
        ("{digits:3}-{digits:4}!", 10**7, 7 * math.log2(10)),
    ],
)
def test_sizes_of_named_kinds(text, size, bits):
    canary = Canary(text)
    assert canary.space_size == size
    assert math.log2(canary.space_size) == pytest.approx(bits, abs=1e-6)


def test_alphabets_of_named_kinds_are_those_of_the_type():
    tests = {"letters": str.isalpha, "alphanumeric": str.isalnum, "digits": str.isdecimal}
    ascii_characters = list(map(chr, range(128)))
    for kind, test in tests.items():
        assert list(Canary(f"{{{kind}:1}}").format) == list(filter(test, ascii_characters))
    printable = [c for c in ascii_characters if c.isprintable() and c != " "]
    assert list(Canary("{password:1}").format) == printable


def test_keys_tell_formats_apart_and_nothing_else():
    same = [
        Canary("a {digits:3}"),
        Canary("b {digits:1}{digits:2}"),
        Canary("{}", alphabet="0123456789", length=3),
        Canary("{w}{digits:2}", words={"w": list("0123456789")}),
    ]
    others = [
        Canary("a {digits:4}"),
        Canary("a {digits:3}."),
        Canary("{}", alphabet="9876543210", length=3),
    ]
    keys = [canary.format.key for canary in same + others]
    assert len(set(keys[:4])) == 1
    assert len(set(keys)) == 4
    end = hashlib.sha256().digest()  # stable: written down as it is defined
    one = hashlib.sha256(b"x" + end + b"y" + end).hexdigest()[:16]
    assert Format.of([Characters(["xy"])]).key == one


BAD = [
    ("at", (-1,), "index must be an integer of at least 0; got -1"),
    ("at", (100,), "index must be below 100, the size; got 100"),
    ("at", ("3",), "index must be an integer"),
    ("index", ("1",), "it is too short"),
    ("index", ("123",), "character 3 does not fit"),
    ("index", ("x1",), "character 1 does not fit"),
    ("index", (12,), "completion must be a string; got int"),
    ("sample", (101, None), "n must be at most 100, the number of completions; got 101"),
    ("sample", (-1, None), "n must be an integer of at least 0"),
]


@pytest.mark.parametrize(("method", "arguments", "fragment"), BAD)
def test_bad_input(method, arguments, fragment):
    space = Canary("{digits:2}").format
    with pytest.raises(InvalidInput, match=fragment):
        getattr(space, method)(*arguments)
