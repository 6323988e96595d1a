"""What a folder holds, told by the names of its files alone."""

from pathlib import Path

from byrote.data.idx_folder import STEMS, images_in

CELEBA_IMAGES = "img_align_celeba"
CELEBA_LISTS = ("list_eval_partition.txt", "list_eval_partition.csv")  # the authors', Kaggle's
CIFAR_BATCHES = {"train": tuple(f"data_batch_{i}" for i in range(1, 6)), "test": ("test_batch",)}

_CIFAR_NAMES = [name for names in CIFAR_BATCHES.values() for name in names]


def kind_of_folder(folder: Path) -> str:
    """Tell CelebA, CIFAR-10 and MNIST's files by their published names; else a folder of images."""
    if (folder / CELEBA_IMAGES).is_dir() or _any(folder, CELEBA_LISTS):
        return "CelebA"
    if _any(folder, _CIFAR_NAMES) or _any(folder, [f"{name}.bin" for name in _CIFAR_NAMES]):
        return "CIFAR-10"
    if any(images_in(folder, part) is not None for part in STEMS):
        return "a folder of IDX files"
    return "a folder of images"


def _any(folder: Path, names: "list[str] | tuple[str, ...]") -> bool:
    return any((folder / name).is_file() for name in names)
