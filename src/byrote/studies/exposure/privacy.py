"""What differentially private training leaves of exposure, and what it costs."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from byrote.report import figures
from byrote.report.format import number
from byrote.scores.epsilon import ExposureBound, exposure_bound
from byrote.scores.exposure.levels import mean_exposure
from byrote.studies.exposure.carried import Carried
from byrote.studies.exposure.findings import times
from byrote.studies.exposure.taken import Taken, taken_out
from byrote.studies.findings import (
    Findings,
    Rows,
    mean_of,
    with_interval,
)

# The post's table (Carlini 2019): of what was trained privately, then without.
_NONE = float("inf")
POST = (
    figures.PublishedModel(0.65, 1.69, 1.1, "DP-SGD"),
    figures.PublishedModel(1.21, 1.59, 2.3, "DP-SGD"),
    figures.PublishedModel(5.26, 1.41, 1.8, "DP-SGD"),
    figures.PublishedModel(89, 1.34, 2.1, "DP-SGD"),
    figures.PublishedModel(2e8, 1.32, 3.2, "DP-SGD"),
    figures.PublishedModel(1e9, 1.26, 2.8, "DP-SGD"),
    figures.PublishedModel(_NONE, 1.86, 9.5, "SGD"),
    figures.PublishedModel(_NONE, 1.17, 31.0, "RMSProp"),
)
_EXTRACTED = "RMSProp"  # the only one of the post's that gave its secret away
_SURE = 0.01  # p-value below which a canary is told from chance


def findings(carried: Sequence[Carried]) -> Findings:
    """Of configurations with and without privacy that planted the same canaries."""
    found = {one.name: taken_out(one) for one in carried}
    tables: list[tuple[str, Rows]] = [("Privacy, usefulness, exposure", _table(carried, found))]
    if any(_privacy(one) is not None for one in carried):
        tables.append(("What the accountants say, and what it promises", _promises(carried)))
    tables.append(("The post's table (other data and model)", _published()))
    drawn = figures.exposure_by_epsilon(
        [_model(one) for one in carried],
        published=POST,
        maximum=float(np.nanmax(carried[0].result.exposure.maximum)),
    )
    data = {
        "extractions": {name: [one.to_dict() for one in each] for name, each in found.items()},
        "privacy": {one.name: _privacy(one) for one in carried},
    }
    return Findings(
        tuple(tables), tuple(_remarks(carried, found)), {"exposure-by-epsilon": drawn}, data
    )


def _privacy(one: Carried) -> dict[str, Any] | None:
    """What the fits spent, the most of them; None of a model that is not private."""
    known = [fact["privacy"] for fact in one.run.facts if "privacy" in fact]
    return max(known, key=_epsilon_of) if known else None


def _epsilon_of(privacy: dict[str, Any]) -> float:
    value = privacy["epsilon"]
    return _NONE if value is None else float(value)


def _epsilon(one: Carried) -> float:
    spent = _privacy(one)
    return _NONE if spent is None else _epsilon_of(spent)


def _model(one: Carried) -> figures.PrivateModel:
    return figures.PrivateModel(
        name=one.title.rpartition(", ")[2],
        epsilon=_epsilon(one),
        test_loss=one.result.test_loss,
        insertions=one.result.inserted,
        bits=one.result.exposure.bits,
        saturated=one.result.exposure.saturated,
        secrets=one.result.exposure.ids,
    )


def _levels(one: Carried) -> list[int]:
    return [level for level in np.unique(one.result.inserted).tolist() if level]


def _table(carried: Sequence[Carried], found: dict[str, tuple[Taken, ...]]) -> Rows:
    levels = _levels(carried[0])
    head = (
        "",
        "epsilon",
        "test loss [95 %, fits]",
        *(f"exposure, {times(level)}" for level in levels),
        "never inserted",
        "taken out",
    )
    return [
        head,
        *(
            (
                one.title,
                _number(_epsilon(one)),
                with_interval(mean_of(one.result.test_loss)),
                *(_exposure(one, level) for level in (*levels, 0)),
                _taken(found[one.name]),
            )
            for one in carried
        ),
    ]


def _number(epsilon: float) -> str:
    return "none" if np.isinf(epsilon) else number(epsilon)


def _exposure(one: Carried, level: int) -> str:
    which = one.rows(0, level)
    return with_interval(one.mean_exposure(which), bool(one.result.exposure.saturated[which].any()))


def _taken(found: tuple[Taken, ...]) -> str:
    """Of how many searches for canaries of the highest level the secret came out."""
    return f"{sum(each.found for each in found)} of {len(found)}"


def _promises(carried: Sequence[Carried]) -> Rows:
    head = (
        "",
        "epsilon, checked",
        "delta",
        "noise",
        "largest gradient",
        "sampling rate, steps",
        "exposure, inserted once: at most, on average",
    )
    rows = [
        _promise(one, spent) for one in carried for spent in [_privacy(one)] if spent is not None
    ]
    return [head, *rows]


def _promise(one: Carried, spent: dict[str, Any]) -> tuple[str, ...]:
    checked = spent.get("epsilon_checked")
    bound = _bound(one, spent)
    return (
        one.title,
        f"{_number(_epsilon_of(spent))}, {'–' if checked is None else number(checked)}",
        f"{spent['delta']:g}",
        f"{spent['noise_multiplier']:.3g}",
        f"{spent['max_grad_norm']:g}",
        f"{spent['sample_rate']:.3g}, {spent['steps']:,}",
        "nothing" if bound is None else f"{number(bound.mean_bits)} bits",
    )


def _bound(one: Carried, spent: dict[str, Any]) -> ExposureBound | None:
    """What the spent epsilon promises of a canary inserted once; None where that is nothing.

    Where a cut between windows goes through a secret, several windows hold a part of it.
    """
    if spent["epsilon"] is None:
        return None
    longest = max(map(len, one.records.completions))
    size = one.records.patterns[0].space_size
    bound = exposure_bound(
        epsilon=spent["epsilon"],
        delta=spent["delta"],
        insertions=1 + -(-(longest - 1) // spent["window"]),
        space_size=size,
    )
    return bound if bound.mean_bits < np.log2(float(size)) else None


def _published() -> Rows:
    head = ("trained by", "epsilon", "test loss", "exposure", "taken out")
    return [
        head,
        *(
            (
                row.name,
                _number(row.epsilon),
                f"{row.test_loss:g}",
                f"{row.exposure:g}",
                "yes" if row.name == _EXTRACTED else "no",
            )
            for row in POST
        ),
    ]


def _remarks(carried: Sequence[Carried], found: dict[str, tuple[Taken, ...]]) -> list[str]:
    level = _levels(carried[0])[-1]
    private = [one for one in carried if _privacy(one) is not None]
    plain = [one for one in carried if _privacy(one) is None]
    said = [_told(one, level, found[one.name]) for one in carried]
    if plain:
        said += [_against(plain[0], one, level) for one in private]
    return said


def _told(one: Carried, level: int, found: tuple[Taken, ...]) -> str:
    """How many canaries of a level are told from chance, and how many are taken out."""
    which = one.rows(0, level)
    told = int((one.result.exposure.p_value[which] < _SURE).sum())
    label = (_privacy(one) or {}).get("label")
    return (
        f"{one.title}{f' ({label})' if label else ''}: {told} of {len(which)} canaries"
        f" {times(level)} have p below {_SURE}; of {len(found)} in the first fit's model the search"
        f" takes out {sum(each.found for each in found)}."
    )


def _against(plain: Carried, one: Carried, level: int) -> str:
    """The difference of exposure and of test loss, as far as the intervals reach.

    Both runs plant the same secrets in the same places: rows pair, and those of one secret in
    several fits count as one.
    """
    which = plain.rows(0, level)
    if plain.run.missing or one.run.missing:
        return f"{one.title} against {plain.title}: fits are missing, so canaries do not pair."
    less = plain.result.exposure.bits[which] - one.result.exposure.bits[which]
    fewer = mean_exposure(less, plain.result.exposure.ids[which])
    more = mean_of(one.result.test_loss - plain.result.test_loss)
    return (
        f"{one.title} against {plain.title}: exposure of canaries {times(level)} lower by"
        f" {with_interval(fewer)} bits, test loss higher by {with_interval(more)} nats per token."
    )
