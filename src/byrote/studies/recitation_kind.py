"""The kinds of studies of recitation: of texts planted several times, and of texts held out."""

from typing import Annotated, ClassVar

from pydantic import Field, PositiveInt

from byrote.studies.study import DeclaredRun, Integers, Scale, Study, Texts


class PlantedRun(DeclaredRun):
    """A run on texts, some of them planted several times in a random half of the fits.

    copies: the numbers of copies. planted: number of texts with each. prefix, suffix: tokens of a
    window.
    """

    fits: PositiveInt
    copies: Annotated[Integers, Field(min_length=1)]
    planted: PositiveInt
    prefix: PositiveInt
    suffix: PositiveInt


class CrossValidatedRun(DeclaredRun):
    """A run on texts that holds each of them out in some fits.

    vocabulary: number of tokens of the tokenizer, which is trained on all texts. prefix, suffix:
    tokens of a window. boilerplate: least number of other texts that hold a window of boilerplate.
    """

    folds: Annotated[int, Field(ge=2)]
    repeats: PositiveInt
    vocabulary: Annotated[int, Field(gt=257)]
    prefix: PositiveInt
    suffix: PositiveInt
    boilerplate: PositiveInt


class TextsScale(Scale):
    """A scale of a study of recitation. records: use N random texts (default: all)."""

    minutes: PositiveInt
    records: PositiveInt | None = None


class RecitationStudy(Study):
    """A study of which texts models recite. unit: what a record is, of the study's own data."""

    kind: ClassVar[str] = "recitation"
    run_form: ClassVar[type[DeclaredRun]] = PlantedRun
    options: ClassVar[tuple[str, ...]] = ("records", "fits")

    data: str
    unit: str
    published: Texts
    small: TextsScale
    full: TextsScale


class CounterfactualStudy(Study):
    """A study of what models recite of texts in training and held out."""

    kind: ClassVar[str] = "counterfactual"
    run_form: ClassVar[type[DeclaredRun]] = CrossValidatedRun
    options: ClassVar[tuple[str, ...]] = ("records", "repeats")

    data: str
    published: Texts
    small: TextsScale
    full: TextsScale
