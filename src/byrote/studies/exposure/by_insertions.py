"""How often a secret must stand in the text, and whether it can be taken out then."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from byrote.fits.reading import is_there
from byrote.report import figures
from byrote.report.format import byte_size, number
from byrote.studies.exposure.carried import Carried
from byrote.studies.exposure.findings import times
from byrote.studies.exposure.taken import Taken, completions, taken_out
from byrote.studies.findings import Findings, Rows, with_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SURE = 0.01  # p-value below which a canary is told from chance


def findings(carried: Sequence[Carried]) -> Findings:
    """Of configurations that planted canaries at several levels and kept a model."""
    tables: list[tuple[str, Rows]] = [("Exposure in bits, by insertions", _levels(carried))]
    remarks = [_said(one) for one in carried]
    drawn: dict[str, Figure] = {f"exposure-{one.name}": _drawn(one) for one in carried}
    found = {one.name: taken_out(one) for one in carried if _kept(one)}
    if found:
        tables.append(("Extraction from the first fit's model", _extractions(carried, found)))
    for one in carried:
        if _kept(one):
            given, shares, inserted = completions(one)
            drawn[f"completion-{one.name}"] = figures.completion_by_prefix(given, shares, inserted)
    tables.append(("Sizes", _sizes(carried)))
    remarks += [_extracted(one, found[one.name]) for one in carried if one.name in found]
    remarks.append(
        "Canaries of one pattern compete: where several are memorized in one model, only one of"
        " them can have rank 1."
    )
    remarks += _sizes_said(carried)
    data = {name: [one.to_dict() for one in each] for name, each in found.items()}
    return Findings(tuple(tables), tuple(remarks), drawn, {"extractions": data})


def _kept(one: Carried) -> bool:
    return is_there(one.run.folder.paths.model(one.run.design.release))


def _levels(carried: Sequence[Carried]) -> Rows:
    head = ("", "inserted", "canaries", "median", "mean [95 %]", "rank 1", "at most")
    pairs = [(one, level) for one in carried for level in np.unique(one.result.inserted).tolist()]
    return [head, *(_level(one, level) for one, level in pairs)]


def _level(one: Carried, level: int) -> tuple[str, ...]:
    which, exposure = one.rows(0, level), one.result.exposure
    bits = exposure.bits[which]
    known = bits[~np.isnan(bits)]
    return (
        one.title,
        times(level),
        f"{len(which)}",
        number(float(np.median(known))) if len(known) else "–",
        with_interval(one.mean_exposure(which), bool(exposure.saturated[which].any())),
        f"{_first(one, which)} of {len(which)}",
        number(float(exposure.maximum[which[0]])),
    )


def _first(one: Carried, which: NDArray[np.intp]) -> int:
    """How many of some rows are certainly the likeliest of all."""
    exposure = one.result.exposure
    exact = np.isin(exposure.method[which], ("search", "exact"))
    return int((exposure.rank[which][exact] == 1).sum())


def _said(one: Carried) -> str:
    """From how many insertions on canaries are told from chance, and reach rank 1."""
    levels = [level for level in np.unique(one.result.inserted).tolist() if level]
    which = one.rows(0, levels[-1])
    told = [level for level in levels if _worst_p(one, level) < _SURE]
    if not told:
        where = "at no level"
    elif told == levels[levels.index(told[0]) :]:
        where = f"where it is {times(told[0])} or more often"
    else:
        where = f"where it is {', '.join(map(times, told))}"
    return (
        f"{_capital(one)}: every canary has p below {_SURE} {where}; {times(levels[-1])},"
        f" {_first(one, which)} of {len(which)} have rank 1 of"
        f" {one.records.patterns[0].space_size:.3g}, by search."
    )


def _worst_p(one: Carried, level: int) -> float:
    """The largest p-value that a canary of the level has; 1 if none has one."""
    p_values = one.result.exposure.p_value[one.rows(0, level)]
    known = p_values[~np.isnan(p_values)]
    return float(known.max()) if len(known) else 1.0


def _capital(one: Carried) -> str:
    return f"{one.title[0].upper()}{one.title[1:]}"


def _extractions(carried: Sequence[Carried], found: dict[str, tuple[Taken, ...]]) -> Rows:
    head = ("", "inserted", "taken out", "certified", "queries", "rank", "bits")
    pairs = [(one, each) for one in carried for each in found.get(one.name, ())]
    return [head, *(_extraction(one, each) for one, each in pairs)]


def _extraction(one: Carried, each: Taken) -> tuple[str, ...]:
    return (
        one.title,
        times(each.inserted),
        "yes" if each.found else "no",
        "yes" if each.certified else "no",
        f"{each.queries:,}",
        _rank(each),
        number(each.secret_bits),
    )


def _rank(each: Taken) -> str:
    if not np.isnan(each.rank):
        return f"{each.rank:,.0f}"
    return f"{each.rank_low:.3g} to {each.rank_high:.3g}"


def _extracted(one: Carried, found: tuple[Taken, ...]) -> str:
    each = found[0]
    what = f"{_capital(one)}, {times(each.inserted)}:"
    if each.found and each.certified:
        return (
            f"{what} the search takes the secret out of the first fit's model, certified the"
            f" likeliest of all, in {each.queries:,} queries."
        )
    if each.found:
        return f"{what} the search finds the secret in {each.queries:,} queries, not certified."
    other = "another is certainly likelier" if each.certified else "what it met is not certified"
    return f"{what} the search does not find the secret in {each.queries:,} queries ({other})."


def _sizes(carried: Sequence[Carried]) -> Rows:
    head = ("", "weights", "model", "compressed", "training text", "compressed")
    return [head, *(_size(one) for one in carried)]


def _size(one: Carried) -> tuple[str, ...]:
    model, corpus = one.result.facts.get("model", {}), one.result.facts["corpus"]
    weights = f"{model['parameters']:,}" if "parameters" in model else "–"
    cells = [byte_size(model[key]) if key in model else "–" for key in ("bytes", "compressed")]
    return (
        one.title,
        weights,
        *cells,
        *(byte_size(corpus[key]) for key in ("bytes", "compressed")),
    )


def _sizes_said(carried: Sequence[Carried]) -> list[str]:
    """Whether the model could hold the whole text."""
    pairs = {
        (one.result.facts["model"]["bytes"], one.result.facts["corpus"]["bytes"])
        for one in carried
        if "model" in one.result.facts
    }
    return [
        f"The model ({byte_size(model)} of float32) is"
        f" {'smaller' if model < text else 'larger'} than its training text ({byte_size(text)})"
        + (", as the post's." if model < text else ", unlike the post's.")
        for model, text in sorted(pairs)
    ]


def _drawn(one: Carried) -> "Figure":
    exposure = one.result.exposure
    return figures.exposure_by_insertions(
        one.result.inserted,
        exposure.bits,
        low=exposure.low,
        high=exposure.high,
        saturated=exposure.saturated,
        secrets=exposure.ids,
        maximum=float(np.nanmax(exposure.maximum)),
    )
