"""The formats that ``load`` and ``load_corpus`` read: how each is recognized, and its options."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from byrote import checks
from byrote.data.formats.idx import is_idx, part_images
from byrote.errors import InvalidInput, did_you_mean

CELEBA_IMAGES = "img_align_celeba"
CELEBA_LISTS = ("list_eval_partition.txt", "list_eval_partition.csv")  # the authors', Kaggle's
CIFAR_BATCHES = {"train": tuple(f"data_batch_{i}" for i in range(1, 6)), "test": ("test_batch",)}
SAVED_PARTS, SAVED_STATE = "dataset_dict.json", "state.json"  # of Hugging Face's save_to_disk

_PARTS = ("train", "test")
_SPREADSHEETS = (".xlsx", ".xls", ".ods")


@dataclass(frozen=True)
class SourceFormat:
    """A format: what reads it, and the options that apply to it.

    Attributes
    ----------
    reader
        ``"module:function"`` in `byrote.data.formats`, imported on use: some take long to import.
    options
        Names of options, passed to the function as keywords.
    parts
        Allowed values of the option ``part``; empty where the source itself names its parts.
    selects
        Whether the function takes ``records`` and a parsed ``image``, and so decodes only the
        selected images; otherwise both are applied to what it returns.
    """

    reader: str
    options: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    selects: bool = False

    def check_options(self, name: str, options: Mapping[str, str]) -> None:
        """Refuse options that do not apply to this format."""
        inapplicable = [option for option in options if option not in self.options]
        if inapplicable:
            *others, last = self.options or ("no options",)
            accepted = f"{', '.join(others)} and {last}" if others else last
            raise InvalidInput(
                f"{inapplicable[0]} does not apply to {name}, which takes {accepted}"
            )
        if self.parts and "part" in options:
            checks.choice("part", options["part"], self.parts)

    def read(self, source: str, **options: Any) -> Any:
        """Read a source of this format."""
        module, function = self.reader.split(":")
        reader: Callable[..., Any] = getattr(
            import_module(f"byrote.data.formats.{module}"), function
        )
        return reader(source, **options)


DATA_FRAME = "a data frame"
_BUILTIN = "a built-in set"
_TABLE = ("labels", "ids", "columns", "drop", "categories", "standardize")
RECORD_FORMATS = {  # by the name in messages: a suffix, or what it is
    _BUILTIN: SourceFormat("builtin:load_builtin", ("part", "image"), _PARTS),
    "a folder of images": SourceFormat("images:load_image_folder", ("image",), selects=True),
    "a folder of IDX files": SourceFormat("idx:load_idx_folder", ("part", "image"), _PARTS),
    "CIFAR-10": SourceFormat("cifar:load_cifar", ("part", "image"), _PARTS),
    "CelebA": SourceFormat(
        "celeba:load_celeba", ("part", "image"), ("train", "valid", "test"), selects=True
    ),
    ".npy": SourceFormat("npy:load_array", ("labels", "ids", "image")),
    ".npz": SourceFormat("npy:load_npz", ("key", "labels", "ids", "image")),
    ".csv": SourceFormat("csv_table:load_records", (*_TABLE, "separator", "decimal", "encoding")),
    ".parquet": SourceFormat("parquet:load_records", ("key", "image", *_TABLE), selects=True),
    "IDX": SourceFormat("npy:load_array", ("labels", "ids", "image")),
    DATA_FRAME: SourceFormat("data_frame:load_records", _TABLE),
}
TEXT_FILE = "a text file"
TEXT_FORMATS = {
    _BUILTIN: SourceFormat("builtin:load_builtin_texts"),
    TEXT_FILE: SourceFormat("plain_text:load_file"),
    "a folder of text files": SourceFormat("plain_text:load_folder"),
    "a saved data set": SourceFormat("hugging_face:load_saved", ("column", "part")),
    ".csv": SourceFormat("csv:load_texts", ("column",)),
    ".jsonl": SourceFormat("json_lines:load_json_lines", ("column",)),
    ".ndjson": SourceFormat("json_lines:load_json_lines", ("column",)),
    ".parquet": SourceFormat("parquet:load_texts", ("column",)),
}
_NAMED = ("column", "ids", "labels")
TEXT_ROWS = {  # the same, for texts as records
    _BUILTIN: SourceFormat("builtin:read_rows"),
    TEXT_FILE: SourceFormat("plain_text:read_rows"),
    "a folder of text files": SourceFormat("plain_text:read_rows_of_folder"),
    "a saved data set": SourceFormat("hugging_face:read_rows", (*_NAMED, "part")),
    ".csv": SourceFormat("csv:read_rows", _NAMED),
    ".jsonl": SourceFormat("json_lines:read_rows", _NAMED),
    ".ndjson": SourceFormat("json_lines:read_rows", _NAMED),
    ".parquet": SourceFormat("parquet:read_rows", _NAMED),
}
BUILTIN_RECORDS = ("digits", "fashion-mnist")
BUILTIN_TEXTS = ("python-help", "python-classes", "made-up-mails")


def record_format(source: str) -> str:
    """Return the name of the format of a source of records."""
    path = Path(source)
    if source in BUILTIN_RECORDS:
        return _BUILTIN
    if path.is_dir():
        return _folder_format(path)
    if not path.is_file():
        raise _missing(source, BUILTIN_RECORDS)
    suffix = path.suffix.lower()
    if suffix in RECORD_FORMATS or path.name.lower().endswith(".csv.gz"):
        return suffix if suffix in RECORD_FORMATS else ".csv"
    if is_idx(path):
        return "IDX"
    if suffix in _SPREADSHEETS:
        raise InvalidInput(f"{source}: spreadsheets are not read; save the table as .csv")
    raise InvalidInput(
        f"{source}: this kind of file is not known; a source must be one of"
        f" {', '.join(RECORD_FORMATS)} (CSV and IDX also gzipped)"
    )


def text_format(source: str) -> str:
    """Return the name of the format of a source of text; an unknown suffix means plain text."""
    path = Path(source)
    if source in BUILTIN_TEXTS:
        return _BUILTIN
    if path.is_dir():
        is_saved = _has_any(path, [SAVED_PARTS]) or all(
            (path / name).is_file() for name in ("dataset_info.json", SAVED_STATE)
        )
        return "a saved data set" if is_saved else "a folder of text files"
    if not path.is_file():
        raise _missing(source, BUILTIN_TEXTS)
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    return suffix if suffix in TEXT_FORMATS else TEXT_FILE


def holds_texts(source: str) -> bool:
    """Whether a source holds texts and no other records, by its suffix.

    Examples
    --------
    >>> holds_texts("mails.jsonl"), holds_texts("notes.txt.gz"), holds_texts("table.csv")
    (True, True, False)
    """
    suffix = Path(source.lower().removesuffix(".gz")).suffix
    return suffix in (".txt", *TEXT_FORMATS) and suffix not in RECORD_FORMATS


def _folder_format(folder: Path) -> str:
    """Recognize CelebA, CIFAR-10 and MNIST's files by their published names."""
    if (folder / CELEBA_IMAGES).is_dir() or _has_any(folder, CELEBA_LISTS):
        return "CelebA"
    batches = [name for names in CIFAR_BATCHES.values() for name in names]
    if _has_any(folder, batches) or _has_any(folder, [f"{name}.bin" for name in batches]):
        return "CIFAR-10"
    if any(part_images(folder, part) is not None for part in _PARTS):
        return "a folder of IDX files"
    return "a folder of images"


def _has_any(folder: Path, names: Iterable[str]) -> bool:
    return any((folder / name).is_file() for name in names)


def _missing(source: str, builtin: Sequence[str]) -> InvalidInput:
    """Describe a source that does not exist, and suggest a built-in set of a similar name."""
    if Path(source).suffix or Path(source).name != source:
        return InvalidInput(
            f"source must be a file, a folder or a built-in set; {source} does not exist"
        )
    return InvalidInput(
        f"source must be a file, a folder or a built-in set ({', '.join(builtin)});"
        f" {source} does not exist{did_you_mean(source, builtin)}"
    )
