"""The kind of studies of recitation: some texts planted several times, and recited or not."""

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
