"""The result of a recitation: windows, texts, and what they say of all texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.attacks.decoding import PLAIN, Decoding
from byrote.attacks.discoverable_extraction import discovery_probabilities
from byrote.columnar import Columnar, PlainData
from byrote.display import Displayed
from byrote.errors import InvalidInput
from byrote.stats.clustered_proportion import clustered_proportion, proportion_difference
from byrote.stats.estimate import Estimate, mean

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Index = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class RecitationSettings(PlainData):
    """How texts are cut, how a suffix is sampled, and when it counts as discoverable.

    Attributes
    ----------
    prefix, suffix, stride
        Numbers of tokens.
    n, p
        A suffix is (n, p)-discoverable if n samples contain it with a probability of at least p.
    top_k, temperature
        Of top-k sampling, and of sampling at another temperature.
    edits, max_queries
        Distance of near-verbatim suffixes, 0 for none, and the prefixes read for each.
    level
        Level of the intervals.

    Raises
    ------
    InvalidInput
        If a value is not valid.
    """

    prefix: int = 50
    suffix: int = 50
    stride: int = 50
    n: Sequence[int] = (1, 10, 1000)
    p: float = 0.5
    top_k: int = 40
    temperature: float = 0.7
    edits: int = 0
    max_queries: int = 1000
    level: float = 0.95

    def __post_init__(self) -> None:
        counts = checks.as_list("n", self.n)
        if not counts:
            raise InvalidInput("n must be one number of samples or more; got none")
        names = ("prefix", "suffix", "stride", "top_k", "max_queries")
        checked = {
            **{name: checks.integer(name, getattr(self, name), at_least=1) for name in names},
            "n": tuple(checks.integer("n", count, at_least=1) for count in counts),
            "p": checks.fraction("p", self.p),
            "temperature": checks.positive("temperature", self.temperature),
            "edits": checks.integer("edits", self.edits, at_least=0, at_most=self.suffix),
            "level": checks.fraction("level", self.level),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def length(self) -> int:
        """Number of tokens of a window."""
        return self.prefix + self.suffix

    @property
    def decodings(self) -> dict[str, Decoding]:
        """The samplers, by the column of their bits."""
        return {
            "bits": PLAIN,
            "bits_top_k": Decoding(top_k=self.top_k),
            "bits_temperature": Decoding(temperature=self.temperature),
        }


@dataclass(frozen=True, eq=False, repr=False)
class RecitedWindows(Columnar):
    """Windows of texts, one row each, in the order of the texts.

    Attributes
    ----------
    ids
        (w,) id of the text.
    text
        (w,) row of the text in ``Recitation.texts``.
    start
        (w,) place of the window's first token in its text.
    matched
        (w,) number of the suffix's tokens that greedy decoding gets right before its first error.
    bits, bits_top_k, bits_temperature
        (w,) cost of the suffix after the prefix, ``-log2 p_z``, under plain, top-k and temperature
        sampling; infinite where top-k never samples one of its tokens.
    near_low, near_high
        (w,) certified bounds on the probability of a suffix within ``edits`` of it; NaN without.
    """

    FORMAT = "byrote-recited-windows-1"
    CONTENT = "windows of texts"

    text: Index
    start: Index
    matched: Index
    bits: Array
    bits_top_k: Array
    bits_temperature: Array
    near_low: Array
    near_high: Array

    def __repr__(self) -> str:
        return f"RecitedWindows({len(self):,} windows)"


@dataclass(frozen=True, eq=False, repr=False)
class RecitedTexts(Columnar):
    """Texts, one row each: those of the question first, then the unseen ones.

    Attributes
    ----------
    ids
        (t,) ids.
    unseen
        (t,) whether the model never saw the text, as the caller says.
    tokens, windows
        (t,) numbers of tokens and windows; 0 windows where a text is shorter than prefix and suffix
        together.
    recited
        (t,) number of windows recited by greedy decoding.
    longest
        (t,) longest run of tokens that are the most likely ones after those before them.
    covered
        (t,) whether the model's tokens cover the text; otherwise it has no window.
    restored
        (t,) whether the tokens decode to the text.
    """

    FORMAT = "byrote-recited-texts-1"
    CONTENT = "recited texts"

    unseen: Flags
    tokens: Index
    windows: Index
    recited: Index
    longest: Index
    covered: Flags
    restored: Flags

    def __repr__(self) -> str:
        return f"RecitedTexts({len(self):,} texts)"


@dataclass(frozen=True)
class RecitedShare(PlainData):
    """The share of windows that meet a criterion, with intervals over texts.

    Attributes
    ----------
    criterion
        "greedy", or a sampler with a number of samples.
    windows, texts
        Number of windows that meet it, and of texts with such a window.
    share
        Their share of the windows.
    unseen
        The share among windows of unseen texts.
    difference
        ``share`` minus ``unseen``.
    """

    criterion: str
    windows: int
    texts: int
    share: Estimate
    unseen: Estimate
    difference: Estimate


@dataclass(frozen=True, eq=False, repr=False)
class Recitation(Displayed):
    """What a model recites of texts; no text is kept.

    Attributes
    ----------
    windows, texts
        One row per window, and per text.
    settings
        Lengths, samplers and thresholds.
    """

    windows: RecitedWindows
    texts: RecitedTexts
    settings: RecitationSettings

    def __repr__(self) -> str:
        seen = ~self.texts.unseen
        recited, windows = self.texts.recited[seen].sum(), self.texts.windows[seen].sum()
        noun = "text" if seen.sum() == 1 else "texts"
        return f"Recitation({seen.sum():,} {noun}, {recited:,} of {windows:,} windows recited)"

    @property
    def recited(self) -> Flags:
        """(w,) whether greedy decoding recites the whole suffix."""
        return np.asarray(self.windows.matched == self.settings.suffix)

    @property
    def unseen(self) -> Flags:
        """(w,) whether the window is of an unseen text."""
        return np.asarray(self.texts.unseen[self.windows.text], dtype=bool)

    def to_frame(self) -> "pd.DataFrame":
        """Return the windows as a data frame, with ``unseen``."""
        return self.windows.to_frame().assign(unseen=self.unseen)

    def discovery(self, column: str, n: int) -> Array:
        """Compute the probability that n samples hold the suffix, (w,).

        column: ``bits``, ``bits_top_k`` or ``bits_temperature``.
        """
        return discovery_probabilities(getattr(self.windows, column), n)

    def criteria(self) -> dict[str, Flags]:
        """Return which windows meet each criterion, (w,), by its name."""
        flags = {"greedy": self.recited}
        for column, decoding in self.settings.decodings.items():
            for n in self.settings.n:
                name = f"{decoding}, {n:,} sample{'' if n == 1 else 's'}"
                flags[name] = self.discovery(column, n) >= self.settings.p
        return flags

    def shares(self) -> list[RecitedShare]:
        """Estimate the share of windows that meet each criterion, with intervals over texts."""
        return [self._share(name, flags) for name, flags in self.criteria().items()]

    def bits_per_token(self, *, unseen: bool = False) -> Estimate:
        """Estimate the mean cost of a token of the suffixes, in bits, with interval over texts."""
        side = self.unseen == unseen
        bits = self.windows.bits[side] / self.settings.suffix
        return mean(bits, self.windows.text[side], level=self.settings.level, units="texts")

    def summary(self) -> dict[str, Any]:
        """Return counts and shares as plain data."""
        texts, edits = self.texts, self.settings.edits
        kinds: Mapping[str, Any] = {
            "texts": ~texts.unseen,
            "unseen_texts": texts.unseen,
            "not_covered": ~texts.covered,
            "too_short": texts.covered & (texts.windows == 0),
            "not_restored": ~texts.restored,
        }
        near = {"near_at_least": self.windows.near_low, "near_at_most": self.windows.near_high}
        return {
            **{name: int(flags.sum()) for name, flags in kinds.items()},
            "windows": int((~self.unseen).sum()),
            "unseen_windows": int(self.unseen.sum()),
            "bits_per_token": self.bits_per_token(),
            "unseen_bits_per_token": self.bits_per_token(unseen=True),
            **{
                name: int((bound[~self.unseen] >= self.settings.p).sum()) if edits else None
                for name, bound in near.items()
            },
            "shares": [share.to_dict() for share in self.shares()],
        }

    def order(self) -> Index:
        """Sort the texts: most windows recited first, then by longest run."""
        texts = self.texts
        return np.lexsort((np.arange(len(texts)), -texts.longest, -texts.recited, texts.unseen))

    def _share(self, criterion: str, flags: Flags) -> RecitedShare:
        text = self.windows.text
        share, unseen = (
            clustered_proportion(flags[side], text[side], level=self.settings.level, units="texts")
            for side in (~self.unseen, self.unseen)
        )
        hits = flags & ~self.unseen
        return RecitedShare(
            criterion,
            int(hits.sum()),
            len(np.unique(text[hits])),
            share,
            unseen,
            proportion_difference(share, unseen),
        )
