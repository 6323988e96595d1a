"""The content of a page as plain data: sections of blocks, which templates lay out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from byrote.report.conclusion import Conclusion
from byrote.report.page.drawing import Drawing
from byrote.report.page.plot import Plot
from byrote.stats.estimate import Estimate

Tone = Literal["", "strong", "note", "alarm", "unknown", "found"]
Status = Literal["run", "not run", "out of scope"]


@dataclass(frozen=True)
class RecordContent:
    """What a record holds: a picture (a data URI), named values, or lines of text."""

    picture: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cell:
    """A cell of a table; ``order`` is the number that sorting uses, ``look`` a class of style."""

    text: str
    order: float | None = None
    tone: Tone = ""
    href: str = ""
    strip: Drawing | None = None
    content: RecordContent | None = None
    look: str = ""


@dataclass(frozen=True)
class Row:
    """A row of a table; links to ``anchor`` lead to it."""

    cells: tuple[Cell, ...]
    anchor: str = ""


# -- blocks, each with the name of its template ---------------------------------------------------


@dataclass(frozen=True)
class Prose:
    """Sentences, a paragraph each."""

    kind: ClassVar[str] = "prose"
    sentences: tuple[str, ...]
    tone: Tone = ""


@dataclass(frozen=True)
class Grid:
    """A table; columns from ``left`` on hold numbers."""

    kind: ClassVar[str] = "grid"
    caption: str
    head: tuple[str, ...]
    rows: tuple[Row, ...]
    left: int = 1
    sortable: bool = False


@dataclass(frozen=True)
class Pick:
    """What stands beside a figure while one of its marks is chosen."""

    anchor: str
    title: str
    block: "Grid | Facts"
    more: int = 0  # rows left out


@dataclass(frozen=True)
class Figure:
    """A plot with its description and its numbers; picks stand beside it."""

    kind: ClassVar[str] = "figure"
    name: str
    title: str
    description: str
    plot: Plot
    grid: Grid
    picks: tuple[Pick, ...] = ()


@dataclass(frozen=True)
class Facts:
    """Names with values; a value that is a command or a digest is ``code``."""

    kind: ClassVar[str] = "facts"
    pairs: tuple[tuple[str, str], ...]
    code: bool = False


@dataclass(frozen=True)
class Signature:
    """Lines to fill in by hand."""

    kind: ClassVar[str] = "signature"
    sentence: str
    lines: tuple[str, ...]


Block = Prose | Grid | Figure | Facts | Signature


# -- sections and pages ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Number:
    """A number at the top of a page, with its interval or the reason why it is unknown.

    metric: its name for programs. estimate: the same for them; None where it is unknown.
    missing: what stands in place of a value that is unknown.
    """

    name: str
    value: str
    interval: str = ""
    note: str = ""
    metric: str = ""
    estimate: Estimate | None = None
    missing: str = "not measured"

    @property
    def is_known(self) -> bool:
        """Whether it was measured."""
        return bool(self.value)


@dataclass(frozen=True)
class Coverage:
    """Whether an attack was run, and what it found or what it would need."""

    status: Status
    evidence: str

    def beside(self, other: "Coverage") -> "Coverage":
        """Join two: what was run counts, and its evidence adds up."""
        if self.status == other.status == "run":
            return Coverage("run", f"{self.evidence.rstrip('.')}; {other.evidence}")
        return self if self.status == "run" else other


@dataclass(frozen=True)
class Section:
    """A part of the page of a run, and what it contributes to the others.

    Attributes
    ----------
    name, title
        Anchor and heading.
    blocks
        Content, in the order of reading.
    data
        The same as plain data for JSON.
    numbers
        What the top of the page shows of it.
    untested
        Sentences on what it did not test.
    covers
        Attacks of which it shows evidence, by name.
    words
        Terms that it uses, with what they mean.
    """

    name: str
    title: str
    blocks: tuple[Block, ...]
    data: Mapping[str, Any] = field(default_factory=dict)
    numbers: tuple[Number, ...] = ()
    untested: tuple[str, ...] = ()
    covers: Mapping[str, Coverage] = field(default_factory=dict)
    words: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Chapter:
    """One run: its question, conclusion and sections."""

    name: str
    anchor: str
    question: str
    conclusion: Conclusion
    numbers: tuple[Number, ...]
    untested: tuple[str, ...]
    words: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Page:
    """A page: runs, compared if there are several, and the same as plain data."""

    title: str
    chapters: tuple[Chapter, ...]
    compared: Section | None
    data: Mapping[str, Any]
