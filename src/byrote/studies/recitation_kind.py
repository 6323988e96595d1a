"""The kinds of studies of recitation: of texts planted several times, and of texts held out."""

from typing import Annotated, Any, ClassVar

from pydantic import Field, PositiveInt

from byrote.studies.study import DeclaredRun, Integers, Part, Scale, Study, Texts

Vocabulary = Annotated[int, Field(gt=257)]


class TextRun(DeclaredRun):
    """A run on texts.

    prefix, suffix: tokens of a window. boilerplate: least number of other texts that hold a window
    of boilerplate.
    """

    prefix: PositiveInt
    suffix: PositiveInt
    boilerplate: PositiveInt = 8


class PlantedRun(TextRun):
    """A run on texts, some of them planted several times in a random half of the fits.

    copies: the numbers of copies. planted: number of texts with each.
    """

    fits: PositiveInt
    copies: Annotated[Integers, Field(min_length=1)]
    planted: PositiveInt


class CrossValidatedRun(TextRun):
    """A run on texts that holds each of them out in some fits.

    vocabulary: number of tokens of the tokenizer, which is trained on all texts.
    """

    folds: Annotated[int, Field(ge=2)]
    repeats: PositiveInt
    vocabulary: Vocabulary


class Pretraining(Part):
    """Training of a causal language model and its tokenizer from scratch, before any run.

    data: other texts. vocabulary: number of tokens of the tokenizer, which is trained on them.
    model: parameters of ``CausalLM``, except the epochs.
    """

    data: str
    vocabulary: Vocabulary
    epochs: PositiveInt
    model: dict[str, Any]


class TextsScale(Scale):
    """A scale of a study of recitation. records: use N random texts (default: all)."""

    minutes: PositiveInt
    records: PositiveInt | None = None


class TextStudy(Study):
    """A study of what models recite of texts."""

    data: str
    published: Texts
    small: TextsScale
    full: TextsScale


class RecitationStudy(TextStudy):
    """A study of texts planted several times.

    unit: what a record is, of the study's own data (default: that of its format). pretraining: how
    the model is made that all runs fine-tune (default: they train from scratch).
    """

    kind: ClassVar[str] = "recitation"
    run_form: ClassVar[type[DeclaredRun]] = PlantedRun
    options: ClassVar[tuple[str, ...]] = ("records", "fits")

    unit: str | None = None
    pretraining: Pretraining | None = None


class CounterfactualStudy(TextStudy):
    """A study of what models recite of texts in training and held out."""

    kind: ClassVar[str] = "counterfactual"
    run_form: ClassVar[type[DeclaredRun]] = CrossValidatedRun
    options: ClassVar[tuple[str, ...]] = ("records", "repeats")
