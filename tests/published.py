"""Small data sets in the exact layouts in which the large ones are published."""

import pickle
import struct

import numpy as np
from PIL import Image

PARTITIONS = {"train": 0, "valid": 1, "test": 2}


def cifar_records(count, seed=0):
    """Values (n, 3072) as CIFAR-10 keeps them, labels, file names."""
    generator = np.random.default_rng(seed)
    values = generator.integers(0, 256, (count, 3072), dtype=np.uint8)
    names = [f"tabby_cat_s_{seed:03d}{i:03d}.png" for i in range(count)]
    return values, generator.integers(0, 10, count).tolist(), names


def python_2_pickle(values, labels, names, *, by_columns=False):
    """The opcodes that Python 2's cPickle wrote, protocol 2, strings of bytes."""

    def text(data):
        data = data if isinstance(data, bytes) else data.encode("latin-1")
        short = len(data) < 256
        return (b"U" + bytes([len(data)]) if short else b"T" + struct.pack("<i", len(data))) + data

    def number(value):
        if value < 256:
            return b"K" + bytes([value])
        return b"M" + struct.pack("<H", value)

    def items(encoded):  # in batches, as cPickle writes long lists
        parts = [encoded[start : start + 3] for start in range(0, len(encoded), 3)]
        return b"".join(b"(" + b"".join(p) + b"e" if len(p) > 1 else p[0] + b"a" for p in parts)

    data = values.T.tobytes() if by_columns else values.tobytes()
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85U\x01b\x87Rq\x09"
        + b"(K\x01" + number(len(values)) + number(3072) + b"\x86"
        + b"cnumpy\ndtype\nq\x0aU\x02u1K\x00K\x01\x87Rq\x0b(K\x03U\x01|NNN"
        + b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        + (b"\x88" if by_columns else b"\x89") + b"T" + struct.pack("<i", len(data)) + data + b"tb"
    )  # fmt: skip
    return (
        b"\x80\x02}q\x01("
        + text("batch_label") + b"q\x02" + text("training batch 1 of 5") + b"q\x03"
        + text("labels") + b"q\x04]q\x05" + items([number(label) for label in labels])
        + text("data") + b"q\x06" + array
        + text("filenames") + b"q\x0c]r\x00\x01\x00\x00" + items([text(name) for name in names])
        + b"u."
    )  # fmt: skip


def python_3_pickle(values, labels, names, *, by_columns=False):
    """The same content pickled again by this Python, with keys of bytes."""
    data = np.asfortranarray(values) if by_columns else values
    batch = {
        b"batch_label": b"training batch 1 of 5",
        b"labels": labels,
        b"data": data,
        b"filenames": [name.encode() for name in names],
    }
    return pickle.dumps(batch, protocol=2)


def binary_batch(values, labels, names):
    """One label byte before the values of each record."""
    return np.column_stack([np.array(labels, np.uint8), values]).tobytes()


def write_cifar(folder, encode=python_2_pickle, each=4, suffix=""):
    """Five training batches and a test batch; gives the parts as (values, labels, names)."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    batches = [cifar_records(each, seed) for seed in range(6)]
    for name, batch in zip(files, batches, strict=True):
        (folder / f"{name}{suffix}").write_bytes(encode(*batch))
    train = tuple(np.concatenate(part).tolist() for part in zip(*batches[:5], strict=True))
    return {"train": train, "test": batches[5]}


def write_celeba(folder, *, form="txt", images="img_align_celeba", size=(178, 218)):
    """Six JPEGs of CelebA's size, four for training; gives the parts as lists of file names."""
    generator = np.random.default_rng(0)
    (folder / images).mkdir(parents=True, exist_ok=True)
    parts = {"train": [1, 2, 4, 6], "valid": [3], "test": [5]}
    for number in range(1, 7):
        coarse = generator.integers(0, 256, (7, 6, 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
        image.save(folder / images / f"{number:06d}.jpg", quality=90)
    of = {number: PARTITIONS[part] for part, numbers in parts.items() for number in numbers}
    separator = "," if form == "csv" else " "
    lines = [f"{number:06d}.jpg{separator}{of[number]}\n" for number in sorted(of)]
    head = "image_id,partition\n" if form == "csv" else ""
    (folder / f"list_eval_partition.{form}").write_text(head + "".join(lines))
    return {part: [f"{number:06d}.jpg" for number in numbers] for part, numbers in parts.items()}
