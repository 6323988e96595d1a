"""CelebA, and MNIST's four files: parts, order, and the paper's crop."""

import gzip

import numpy as np
import pytest
import torch
from PIL import Image

from byrote.data import load
from byrote.data.formats import builtin

from published import write_celeba

PLACES = ["img_align_celeba", "img_align_celeba/img_align_celeba", "."]


def decoded(folder, name):
    with Image.open(folder / name) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("form", ["txt", "csv"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("part", [None, "train", "valid", "test"])
def test_a_part_is_what_the_list_names(form, place, part, tmp_path):
    written = write_celeba(tmp_path, form=form, images=place)
    records = load(tmp_path, part=part)
    names = written[part or "train"]
    assert records.ids.tolist() == names
    assert records.labels is None
    expected = [decoded(tmp_path / place, name) for name in names]
    np.testing.assert_array_equal(records.x, expected)
    assert records.x.dtype == np.uint8


def test_the_order_is_that_of_the_list_and_others_are_ignored(tmp_path):
    write_celeba(tmp_path)
    lines = "000005.jpg 0\n000002.jpg  0\n000001.jpg 2\n"
    (tmp_path / "list_eval_partition.txt").write_text(lines)
    assert load(tmp_path).ids.tolist() == ["000005.jpg", "000002.jpg"]


def test_the_papers_crop_and_size(tmp_path):
    """Against PyTorch's antialiased bilinear filter, on the box cut out by slicing."""
    names = write_celeba(tmp_path)["train"]
    records = load(tmp_path, image="celeba")
    assert records.shape == (32, 32, 3)
    boxes = [decoded(tmp_path / "img_align_celeba", name)[40:188, 15:163] for name in names]
    channels_first = torch.tensor(np.array(boxes)).permute(0, 3, 1, 2).double()
    expected = torch.nn.functional.interpolate(
        channels_first, (32, 32), mode="bilinear", antialias=True
    ).permute(0, 2, 3, 1)
    np.testing.assert_allclose(records.x, expected, atol=1.01)  # twice rounded to whole pixels
    spelled = load(tmp_path, image="crop=15,40,163,188  resize=32")
    np.testing.assert_array_equal(records.x, spelled.x)


def test_decoded_images_are_never_held_together(tmp_path, monkeypatch):
    """The only array of n images has the final size."""
    write_celeba(tmp_path)
    made = []
    empty = np.empty
    monkeypatch.setattr("numpy.empty", lambda *a, **k: made.append(a[0]) or empty(*a, **k))
    load(tmp_path, image="celeba")
    assert [shape for shape in made if isinstance(shape, tuple) and len(shape) == 4] == [
        (4, 32, 32, 3)
    ]


@pytest.fixture
def mnist(tmp_path, idx_bytes):
    """A folder of the four files, and what is in them, by part."""
    content = {}
    for seed, (part, stem) in enumerate({"train": "train", "test": "t10k"}.items()):
        pixels = np.random.default_rng(seed).integers(0, 256, (3 + seed, 28, 28), dtype=np.uint8)
        labels = list(range(3 + seed))
        zipped = gzip.compress(idx_bytes(pixels))
        (tmp_path / f"{stem}-images-idx3-ubyte.gz").write_bytes(zipped)
        (tmp_path / f"{stem}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
        content[part] = pixels, labels
    return tmp_path, content


@pytest.mark.parametrize("part", [None, "train", "test"])
def test_a_folder_of_idx_files(part, mnist):
    folder, content = mnist
    records = load(folder, part=part)
    pixels, labels = content[part or "train"]
    np.testing.assert_array_equal(records.x, pixels)
    assert records.labels.tolist() == labels


def test_idx_files_unzipped_with_a_dot_in_their_name(tmp_path, idx_bytes, pixels):
    (tmp_path / "t10k-images.idx3-ubyte").write_bytes(idx_bytes(pixels))
    records = load(tmp_path, part="test")
    np.testing.assert_array_equal(records.x, pixels)
    assert records.labels is None


def test_the_test_part_of_fashion_mnist(mnist, monkeypatch):
    folder, content = mnist
    monkeypatch.setattr(builtin, "_FASHION_MNIST", folder)
    records = load("fashion-mnist", part="test", image="pad=2")
    np.testing.assert_array_equal(records.x[:, 2:-2, 2:-2], content["test"][0])
    assert records.labels.tolist() == content["test"][1]
    assert records.options == {"part": "test", "image": "pad=2"}
