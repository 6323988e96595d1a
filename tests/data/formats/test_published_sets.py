"""Bad published sets, parts and geometry: one sentence, and no record in it."""

import pickle
import traceback

import numpy as np
import pytest
from PIL import Image

from byrote.data import load
from byrote.errors import InvalidInput

from published import binary_batch, cifar_records, python_2_pickle, write_celeba, write_cifar

SECRET = "s3cr3t"
TEST = {"part": "test"}
LIST = "list_eval_partition"
NOT_CIFAR = "test_batch is not a Python batch of CIFAR-10"


def file(name, content):
    return lambda folder: (folder / name).write_bytes(
        content.encode() if isinstance(content, str) else content
    )


def pickled(content):
    return file("test_batch", pickle.dumps(content, 2))


def batch(**changed):
    values, labels, names = cifar_records(3)
    return {"data": values, "labels": labels, "filenames": names} | changed


def without(write, name):
    def missing(folder):
        write(folder)
        (folder / name).unlink()

    return missing


def celeba(listed, name=f"{LIST}.txt"):
    def write(folder):
        write_celeba(folder)
        (folder / f"{LIST}.txt").unlink()
        file(name, listed)(folder)

    return write


def png(name, size=(4, 3)):
    return lambda folder: Image.new("L", size).save(folder / name)


def table(folder):
    np.save(folder / "x.npy", np.zeros((3, 4)))


BATCH = python_2_pickle(*cifar_records(3))
BINARY = binary_batch(*cifar_records(3))
LABELS = [0, 1, 2]

# case: how to fill the folder, options, fragment of the message
REFUSED = {
    # CIFAR-10
    "cifar without a batch": (
        without(write_cifar, "data_batch_4"), {},
        "train part of CIFAR-10 must have its data_batch_4; it is missing",
    ),
    "cifar without a test batch": (without(write_cifar, "test_batch"), TEST, "its test_batch; it"),
    "cifar has no validation": (write_cifar, {"part": "valid"}, "one of train, test; got 'valid'"),
    "cifar with labels": (write_cifar, {"labels": "y"}, "CIFAR-10, which takes part and image"),
    "pickle truncated": (file("test_batch", BATCH[:-9]), TEST, NOT_CIFAR),
    "pickle cut within the values": (file("test_batch", BATCH[:4000]), TEST, NOT_CIFAR),
    "pickle empty": (file("test_batch", b""), TEST, NOT_CIFAR),
    "pickle of text": (file("test_batch", SECRET), TEST, NOT_CIFAR),
    "pickle of a list": (pickled([SECRET]), TEST, NOT_CIFAR),
    "pickle of a number": (pickled(3), TEST, NOT_CIFAR),
    "pickle without labels": (pickled({"data": batch()["data"]}), TEST, NOT_CIFAR),
    "pickle of CIFAR-100": (
        pickled(batch(labels=None) | {"fine_labels": LABELS}), TEST, NOT_CIFAR
    ),
    "pickle of large labels": (pickled(batch(labels=[0, 1, 10])), TEST, NOT_CIFAR),
    "pickle of named labels": (pickled(batch(labels=[SECRET] * 3)), TEST, NOT_CIFAR),
    "pickle of few labels": (pickled(batch(labels=[1])), TEST, NOT_CIFAR),
    "pickle of few names": (pickled(batch(filenames=[SECRET])), TEST, NOT_CIFAR),
    "pickle of numbered names": (pickled(batch(filenames=[1, 2, 3])), TEST, NOT_CIFAR),
    "pickle of no records": (
        pickled({"data": np.zeros((0, 3072), np.uint8), "labels": [], "filenames": []}),
        TEST, NOT_CIFAR,
    ),
    "pickle of floats": (pickled(batch(data=np.zeros((3, 3072)))), TEST, NOT_CIFAR),
    "pickle of smaller images": (
        pickled(batch(data=np.zeros((3, 768), np.uint8))), TEST, NOT_CIFAR
    ),
    "pickle of images": (
        pickled(batch(data=np.zeros((3, 32, 96), np.uint8))), TEST, NOT_CIFAR
    ),
    "pickle of lists": (pickled(batch(data=[[0] * 3072] * 3)), TEST, NOT_CIFAR),
    "pickle of objects": (
        pickled(batch(data=np.full((3, 3072), None))), TEST, NOT_CIFAR
    ),
    "pickle of a later protocol": (
        file("test_batch", pickle.dumps(batch(), 4)), TEST, "pickled with protocol 2; no pickle"
    ),
    "binary truncated": (
        file("test_batch.bin", BINARY[:-1]), TEST,
        "test_batch.bin is truncated or damaged: a whole number of records of 3073",
    ),
    "binary empty": (file("test_batch.bin", b""), TEST, "0 bytes found"),
    "binary of other labels": (
        file("test_batch.bin", b"\x0a" + BINARY[1:]), TEST, "begin with a label 0 to 9"
    ),
    "binary without a batch": (file("test_batch.bin", BINARY), {}, "its data_batch_1.bin"),
    # CelebA
    "celeba without its list": (
        without(write_celeba, f"{LIST}.txt"), {}, f"must also have {LIST}.txt or {LIST}.csv;"
    ),
    "celeba without an image": (
        without(write_celeba, "img_align_celeba/000002.jpg"), {},
        f"every image that {LIST}.txt names must be in img_align_celeba; 1 of 4 of the part train"
        " are missing, the first is 000002.jpg",
    ),
    "celeba without images": (file(f"{LIST}.txt", "000001.jpg 0\n"), {}, "1 of 1 of the part"),
    "celeba of another part": (write_celeba, {"part": "val"}, "mean valid?"),
    "celeba of an empty part": (celeba("000001.jpg 0\n"), {"part": "valid"}, "it names none"),
    "celeba list empty": (celeba(""), {}, f"{LIST}.txt must name images of the part train"),
    "celeba list of other numbers": (
        celeba(f"000001.jpg 0\n{SECRET}.jpg 3\n"), {}, "0, 1 or 2 for train, valid and test; line 2"
    ),
    "celeba list of names alone": (celeba("000001.jpg\n"), {}, "line 1 is not"),
    "celeba list with a gap": (celeba("000001.jpg 0\n\n000002.jpg 0\n"), {}, "line 2 is not"),
    "celeba table of another header": (
        celeba("name,part\n000001.jpg,0\n", f"{LIST}.csv"), {}, "line 1 is not"
    ),
    "celeba table written as a list": (
        celeba("image_id,partition\n000001.jpg 0\n", f"{LIST}.csv"), {}, "line 2 is not"
    ),
    "celeba list of UTF-16": (celeba("000001.jpg 0\n".encode("utf-16")), {}, "must be UTF-8 text"),
    "celeba list of paths": (
        celeba(f"../{LIST}.txt 0\n"), {}, "1 of 1 of the part train are missing"
    ),
    "celeba list that names one twice": (
        celeba("000001.jpg 0\n000001.jpg 0\n"), {}, "1 of 2 repeat an earlier one"
    ),
    "celeba of a broken image": (
        lambda folder: [write_celeba(folder), file("img_align_celeba/000004.jpg", SECRET)(folder)],
        {"image": "celeba"}, "the image in row 2 (000004.jpg) cannot be decoded",
    ),
    "celeba with a key": (write_celeba, {"key": "x"}, "CelebA, which takes part and image"),
    # parts elsewhere
    "part of a folder of images": (png("a.png"), TEST, "part does not apply to a folder of images"),
    "idx folder without the part": (
        file("train-images-idx3-ubyte", b""), TEST,
        "the test part must have its t10k-images-idx3-ubyte, plain or .gz; it is missing",
    ),
    "idx folder has no validation": (
        file("train-images-idx3-ubyte", b""), {"part": "valid"}, "part must be one of train, test"
    ),
    # geometry
    "image of no words": (png("a.png"), {"image": " "}, "image must be words among pad=N, crop="),
    "image misspelt": (png("a.png"), {"image": "padd=2"}, "got 'padd=2', did you mean pad?"),
    "image preset misspelt": (png("a.png"), {"image": "celebA"}, "did you mean celeba?"),
    "image pad of nothing": (png("a.png"), {"image": "pad"}, "pad takes one whole number above 0"),
    "image pad of zero": (png("a.png"), {"image": "pad=0"}, "got 'pad=0'"),
    "image pad below zero": (png("a.png"), {"image": "pad=-1"}, "got 'pad=-1'"),
    "image pad of two numbers": (png("a.png"), {"image": "pad=1,2"}, "got 'pad=1,2'"),
    "image pad beyond all use": (png("a.png"), {"image": "pad=12345"}, "got 'pad=12345'"),
    "image resize to a fraction": (png("a.png"), {"image": "resize=1.5"}, "got 'resize=1.5'"),
    "image resize in other digits": (png("a.png"), {"image": "resize=٣٢"}, "resize takes one"),
    "image crop of three numbers": (
        png("a.png"), {"image": "crop=1,2,3"}, "crop takes four whole numbers"
    ),
    "image crop with spaces": (png("a.png"), {"image": "crop=0, 0, 2, 2"}, "got 'crop=0,'"),
    "image crop beyond the width": (
        png("a.png"), {"image": "crop=0,0,5,3"}, "must lie within images of 4x3 (width x height)"
    ),
    "image crop beyond the height": (png("a.png"), {"image": "crop=0,0,4,4"}, "images of 4x3"),
    "image crop of nothing": (png("a.png"), {"image": "crop=2,0,2,3"}, "and not be empty"),
    "image crop after resize": (
        png("a.png"), {"image": "resize=2 crop=0,0,3,3"}, "within images of 2x2"
    ),
    "image crop of some": (
        lambda folder: [png("a.png")(folder), png("b.png", (2, 2))(folder)],
        {"image": "crop=0,0,4,3"}, "images of 2x2",
    ),
    "image sizes still differ": (
        lambda folder: [png("a.png")(folder), png("b.png", (2, 2))(folder)],
        {"image": "pad=1"}, "1 of 2 are not 6x5 (width x height) as the first is",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_sentence(case, tmp_path):
    write, options, fragment = REFUSED[case]
    write(tmp_path)
    with pytest.raises(InvalidInput) as caught:
        load(tmp_path, **options)
    message = str(caught.value)
    assert fragment in message
    assert message.startswith(f"{tmp_path}: ")
    assert "\n" not in message
    assert SECRET not in "".join(traceback.format_exception(caught.value))


# case: source, options, fragment
ELSEWHERE = {
    "part of digits": ("digits", TEST, "part does not apply to digits, which has a single part"),
    "part of an array": ("x.npy", TEST, "part does not apply to .npy"),
    "part of no text": ("digits", {"part": 1}, "part must be a name or a path; got int"),
    "geometry of a table": (
        "x.npy",
        {"image": "pad=2"},
        "that are images, (n, h, w) or (n, h,",
    ),
    "geometry of a CSV file": ("t.csv", {"image": "pad=2"}, "image does not apply to .csv"),
    "geometry of columns": ("t.parquet", {"image": "pad=2"}, "a table that holds no images"),
    "geometry of numbers": ("digits", {"image": 32}, "image must be a name or a path; got int"),
    "crop beyond digits": ("digits", {"image": "celeba"}, "within images of 8x8"),
    "crop beyond pixels": ("i.npy", {"image": "crop=0,0,9,9"}, "within images of 4x4"),
}


@pytest.mark.parametrize("case", ELSEWHERE)
def test_refused_elsewhere(case, tmp_path, monkeypatch):
    import pandas as pd

    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.zeros((3, 4)))
    np.save("i.npy", np.zeros((3, 4, 4), np.uint8))
    frame = pd.DataFrame({"a": [1.0, 2.0]})
    frame.to_csv("t.csv", index=False)
    frame.to_parquet("t.parquet")
    source, options, fragment = ELSEWHERE[case]
    with pytest.raises(InvalidInput) as caught:
        load(source, **options)
    assert fragment in str(caught.value)
