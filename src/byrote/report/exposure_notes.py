"""What must be known to read exposures, a sentence each."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.report.text import number
from byrote.scores.exposure.curve import SkewNormalFit
from byrote.scores.exposure.exposure import Exposure
from byrote.scores.exposure.levels import Controls, Level

FACTS = ("model", "corpus", "epochs", "test_loss")
_COUNTED = ("parameters", "characters")
_FEW = 3  # fits that are described one by one


def check_facts(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The facts that are known, in their order.

    Raises
    ------
    InvalidInput
        If one has an unknown name.
    """
    for name in given or {}:
        checks.choice("a fact", name, FACTS)
    found = given or {}
    return {name: found[name] for name in FACTS if found.get(name) is not None}


def facts(given: Mapping[str, Any] | None) -> list[str]:
    """How large model and corpus are, and how the training went, in a line.

    Examples
    --------
    >>> facts({"model": {"bytes": 2_400_000, "compressed": 2_200_000}, "corpus": {"bytes": 512},
    ...        "epochs": 10})
    ['Model 2.40 MB (2.20 MB compressed), corpus 512 bytes; 10 epochs.']
    """
    known = check_facts(given)
    sizes = [f"{what} {_size(known[what])}" for what in ("model", "corpus") if what in known]
    said = [", ".join(sizes)] if sizes else []
    if "epochs" in known:
        said.append(f"{known['epochs']:,} epoch{'' if known['epochs'] == 1 else 's'}")
    if "test_loss" in known and not np.isnan(known["test_loss"]):
        said.append(f"test loss {number(known['test_loss'])} nats per token")
    line = "; ".join(said)
    return [f"{line[0].upper()}{line[1:]}."] if line else []


def _size(sizes: Mapping[str, int]) -> str:
    """Bytes and compressed bytes; how many parameters or characters they are, where it is said."""
    counts = [f"{count:,} {name}" for name, count in sizes.items() if name in _COUNTED]
    small = f" ({size_of(sizes['compressed'])} compressed)" if "compressed" in sizes else ""
    return f"{size_of(sizes['bytes'])}{small}{''.join(f' of {one}' for one in counts)}"


def size_of(count: float) -> str:
    """A number of bytes.

    Examples
    --------
    >>> size_of(1), size_of(82_100), size_of(5_100_000), size_of(3e9)
    ('1 byte', '82.1 kB', '5.10 MB', '3.00 GB')
    """
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            return f"{number(count / unit)} {name}"
    return "1 byte" if count == 1 else f"{count:,.0f} bytes"


def fits(exposure: Exposure) -> list[str]:
    """The quality of the skew-normal curves, where they were used."""
    found = exposure.fits
    if len(found) <= _FEW:
        return [_fit(fit) for fit in found]
    accepted = sum(fit.accepted for fit in found)
    worst = max(found, key=lambda fit: (not fit.accepted, fit.ks))
    return [f"{accepted:,} of {len(found):,} skew-normal fits accepted. The worst: {_fit(worst)}"]


def _fit(fit: SkewNormalFit) -> str:
    tails = [
        f"{error:+.2f} bits at 1 in {round(1 / float(tail)):,}"
        for tail, error in fit.quantile_errors.items()
    ]
    errors = f"; lower tail off by {', '.join(tails)}" if tails else ""
    verdict = "accepted" if fit.accepted else f"refused: {fit.reason}"
    return (
        f"Skew-normal fit of {fit.n:,} references: Kolmogorov-Smirnov distance {number(fit.ks)}"
        f" (p {number(fit.ks_p_value)}){errors}; {verdict}."
    )


def cautions(exposure: Exposure, levels: tuple[Level, ...], controls: Controls) -> list[str]:
    """What to beware of in these numbers."""
    return [
        *_saturated(exposure),
        *_reasons(exposure),
        *_beyond(exposure),
        *_calibration(levels, controls),
    ]


def _saturated(exposure: Exposure) -> list[str]:
    """Lower bounds, by what they are: the end of the references, or of a search."""
    ended = exposure.saturated & (exposure.method == "search")
    beyond, said = int((exposure.saturated & ~ended).sum()), []
    if beyond:
        said.append(
            f"{_canaries(beyond, len(exposure))} likelier than every reference: the number shown"
            " (≥) is the most that the references can show, and the exposure likely more. More"
            " references, or a search, tell how much."
        )
    if ended.any():
        said.append(
            f"{_canaries(int(ended.sum()), len(exposure))} dearer than all that the search came"
            " to: the exposure is at least the number shown (≥). A larger budget tells how much."
        )
    return said


def _reasons(exposure: Exposure) -> list[str]:
    """Reasons that the result gives, each once, with how many canaries it concerns."""
    none, said = np.isnan(exposure.bits), []
    told = exposure.saturated | _above(exposure)  # elsewhere
    for without, what in ((True, "without an exposure"), (False, "with a caution")):
        chosen = exposure.reason[(none == without) & ~told].tolist()
        for reason, count in Counter(chosen).items():
            if reason or without:
                cause = str(reason).rstrip(".") or "no reason is given"
                said.append(f"{_canaries(count, len(exposure))} {what}: {cause}.")
    return said


def _beyond(exposure: Exposure) -> list[str]:
    count = int(_above(exposure).sum())
    if not count:
        return []
    return [
        f"{_canaries(count, len(exposure))} above the most that is possible, log2 of the number of"
        " candidates: a fitted curve knows of no end of the space."
    ]


def _above(exposure: Exposure) -> NDArray[np.bool_]:
    """Which exposures are above log2 of the number of candidates; not where either is unknown."""
    return exposure.bits > exposure.maximum + 1e-9


def _calibration(levels: tuple[Level, ...], controls: Controls) -> list[str]:
    if levels and levels[0].insertions > 0:
        return ["No controls: nothing shows what exposure a secret has that was never inserted."]
    if controls.controls and not controls.calibrated:
        return [
            "The controls fail their check: references and canaries are not drawn alike, or not"
            " scored alike. Trust no exposure here before that is explained."
        ]
    return []


def _canaries(count: int, of: int) -> str:
    """A count out of all, controls included, as the subject of a sentence."""
    return f"{count:,} of {of:,} {'is' if count == 1 else 'are'}"
