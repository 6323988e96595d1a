"""Some of the records of a source: which, in what order, under which names."""

import numpy as np
import pytest

import byrote
from byrote.data.records import random_rows
from byrote.errors import InvalidInput

from published import write_celeba, write_cifar


def sources(folder, encoded):
    """One of each kind: (source, options)."""
    generator = np.random.default_rng(0)
    x, y = generator.integers(0, 256, (12, 4, 4), dtype=np.uint8), np.arange(12) % 3
    np.save(folder / "x.npy", x)
    np.savez(folder / "x.npz", x=x, y=y)
    rows = [f"{i},{i % 3},n{i}" for i in range(12)]
    (folder / "x.csv").write_text("\n".join(["v,y,name", *rows]))
    write_celeba(folder / "celeba")
    write_cifar(folder / "cifar")
    for i in range(12):
        place = folder / "images" / f"kind{i % 3}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{i:02d}.png").write_bytes(encoded(x[i]))
    return {
        "npy": ("x.npy", {}),
        "npy padded": ("x.npy", {"image": "pad=1"}),
        "npz": ("x.npz", {"labels": "y"}),
        "csv": ("x.csv", {"labels": "y", "ids": "name"}),
        "celeba": ("celeba", {"image": "celeba"}),
        "cifar": ("cifar", {}),
        "images": ("images", {}),
        "digits": ("digits", {}),
    }


KINDS = ["npy", "npy padded", "npz", "csv", "celeba", "cifar", "images", "digits"]


@pytest.mark.parametrize("kind", KINDS)
def test_records_are_some_of_all_with_ids_and_labels_of_their_own(kind, tmp_path, encoded):
    source, options = sources(tmp_path, encoded)[kind]
    source = source if source == "digits" else tmp_path / source
    whole = byrote.load(source, **options)
    some = byrote.load(source, records=3, **options)
    place = {id_: row for row, id_ in enumerate(whole.ids.tolist())}
    rows = [place[id_] for id_ in some.ids.tolist()]
    assert len(rows) == 3
    assert rows == sorted(rows)
    np.testing.assert_array_equal(some.x, whole.x[rows])
    if whole.labels is not None:
        assert some.labels.tolist() == whole.labels[rows].tolist()
    assert dict(some.options) == {**whole.options, "records": "3"}
    again = byrote.load(source, **some.options)
    assert again.fingerprint == some.fingerprint


def test_fewer_are_some_of_more_and_all_are_all():
    for n in range(1, 8):
        assert set(random_rows(8, n)) < set(random_rows(8, n + 1))
    assert random_rows(8, 8).tolist() == list(range(8))


def test_over_many_sizes_no_place_is_preferred():
    """The choice is fixed for one n; over many n each place's share is near that of chance."""
    often = np.zeros(20)
    for n in range(20, 420):
        often[(20 * random_rows(n, n // 4)) // n] += 1
    assert often.std() / often.mean() < 0.1
    neighbours = [np.diff(random_rows(n, n // 4)) for n in range(40, 240)]
    assert 3 < np.concatenate(neighbours).mean() < 5


def test_only_chosen_images_are_opened(tmp_path, encoded):
    source, _ = sources(tmp_path, encoded)["images"]
    ids = set(byrote.load(tmp_path / source, records=3).ids)
    for path in (tmp_path / source).rglob("*.png"):
        if path.relative_to(tmp_path / source).as_posix() not in ids:
            path.write_bytes(b"broken")
    assert set(byrote.load(tmp_path / source, records=3).ids) == ids


BAD = {
    "too many": (1798, "records must be at most 1797, the number of records; got 1798"),
    "none": (0, "records must be an integer of at least 1; got 0"),
    "negative": (-3, "records must be an integer of at least 1"),
    "fraction": (2.5, "records must be an integer of at least 1; got 2.5"),
    "truth": (True, "records must be an integer"),
    "text": ("few", "records must be an integer of at least 1; got 'few'"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_number_of_records_that_cannot_be_is_refused(case):
    value, message = BAD[case]
    with pytest.raises(InvalidInput) as refused:
        byrote.load("digits", records=value)
    assert message in str(refused.value)
    assert str(refused.value).startswith("digits: ")
