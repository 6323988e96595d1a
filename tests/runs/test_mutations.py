"""Whatever happens to a file of a run folder, it is refused, named, done again or of no account."""

import pytest

from mutations import Attack, edit, flip, unseen


@pytest.fixture(scope="module")
def attack(tmp_path_factory):
    return Attack(tmp_path_factory.mktemp("runs"), seed=0)


def test_damage_is_named_or_changes_nothing(attack):
    for path in attack.targets:  # each once, and then any
        attack.attack(flip, path)
    for _ in range(20):
        attack.attack()
    assert not attack.wrong
    assert attack.counts["flip", "named"] > 10


def test_no_edit_of_a_description_is_an_unexpected_error(attack):
    described = [path for path in attack.targets if path.name == "run.json"]
    for number in range(40):
        edit(attack, described[number % len(described)])
    assert not attack.wrong
    assert attack.counts["edit", "named"] > 10


def test_the_digest_sees_every_bit_of_a_run(attack):
    attack.targets = [path for path in attack.targets if attack.kind(path) == "failed"]
    found, flips = unseen(attack, 500)
    assert found == 0
    assert flips == 8 * sum(len(attack.files[path]) for path in attack.targets) > 50_000
