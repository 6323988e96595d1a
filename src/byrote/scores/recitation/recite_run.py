"""Recitation of a run's texts by the models of all its fits."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from byrote.data.text_records import as_text_records
from byrote.errors import IncompleteRun, InvalidInput
from byrote.scores.recitation.counterfactual import CounterfactualRecitation
from byrote.scores.recitation.recitation import Recitation
from byrote.scores.recitation.recite import recite
from byrote.scores.run import Run, open_run

Index = NDArray[np.intp]


def recite_run(
    run: str | Path | Run, texts: Any = None, *, model: Any = None, **settings: Any
) -> CounterfactualRecitation:
    """Measure what the models of a run recite of its texts, in training and held out.

    Parameters
    ----------
    run
        A finished run of texts that keeps the models of all fits (``keep_models="all"``).
    texts
        The run's texts (default: loaded again from where the run has them).
    model
        An unfitted model of a class of your own, as for ``Run.model``.
    settings
        Options of ``byrote.recite``, other than ``unseen``.

    Raises
    ------
    InvalidInput
        If the run has no texts as records or does not keep the models of all fits, an option is not
        valid, no text is long enough, or the fits cut texts into different tokens.
    IncompleteRun
        If fits are missing.

    Examples
    --------
    >>> import byrote, tempfile
    >>> from byrote.models import CharLSTM
    >>> texts = [f"{word} " * 12 for word in ("sun", "moon", "star", "cloud")]
    >>> model = CharLSTM(8, 1, epochs=1, batch_size=2, window=10)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plan, path = byrote.KFold(2, repeats=1), folder + "/run"
    ...     _ = byrote.score_memorization(model, texts, plan=plan, keep_models="all", out=path)
    ...     result = byrote.recite_run(path, texts, prefix=8, suffix=8)
    >>> result.fits, len(result), result.tables()[0].criterion
    (2, 25, 'greedy')
    """
    opened = open_run(run)
    if not opened.manifest.data.texts:
        raise InvalidInput(
            "run must be one of texts as records, by byrote score; for others byrote.recite takes a"
            " model and texts"
        )
    if opened.missing:
        raise IncompleteRun(opened.incomplete)
    records = opened.records if texts is None else as_text_records(texts)
    if records.fingerprint != opened.manifest.data.fingerprint:
        raise InvalidInput("texts must be those of the run, with the same ids and labels")
    design = opened.design
    recitations = [
        recite(opened.model(fit, model=model), records, **settings) for fit in range(design.fits)
    ]
    included = np.stack([design.trained_on(fit) for fit in range(design.fits)])
    result = counterfactual(recitations, included)
    return replace(result, description={"run_id": opened.manifest.run_id})


def counterfactual(
    recitations: Sequence[Recitation], included: ArrayLike
) -> CounterfactualRecitation:
    """Compare recitations of the same texts by models that trained on different ones.

    Parameters
    ----------
    recitations
        One for each of F fits.
    included
        (F, t) whether the fit trained on each text.

    Raises
    ------
    InvalidInput
        If no text is both in training and held out, or the fits cut texts into different tokens.
    """
    members = np.asarray(included, dtype=bool)
    texts = recitations[0].texts
    whole = _windows_of_all(recitations)
    settings = recitations[0].settings
    criteria = tuple(recitations[0].criteria())
    recited = np.zeros((2, len(whole), len(criteria)))
    bits, counts = np.zeros((2, len(whole))), np.zeros((2, len(whole)))
    for recitation, member in zip(recitations, members, strict=True):
        side = np.where(member[whole[:, 0]], 0, 1)
        every = np.arange(len(whole))
        rows = _rows_in(whole, recitation)
        counts[side, every] += 1
        recited[side[rows], rows] += np.stack([*recitation.criteria().values()], axis=-1)
        cost = np.full(len(whole), np.inf)
        cost[rows] = recitation.windows.bits
        bits[side, every] += cost
    both = (counts > 0).all(axis=0)
    if not both.any():
        raise InvalidInput(
            "run must have texts that some fits trained on and others held out, at least one of"
            f" {settings.length} tokens; it has none"
        )
    judged = whole[both, 0]
    shares = recited[:, both] / counts[:, both, None]
    mean_bits = bits[:, both] / counts[:, both]
    return CounterfactualRecitation(
        ids=texts.ids[judged],
        start=whole[both, 1],
        recited_in=shares[0],
        recited_out=shares[1],
        bits_in=mean_bits[0],
        bits_out=mean_bits[1],
        criteria=criteria,
        fits=len(recitations),
        left_out=len(texts) - len(np.unique(judged)),
        settings=settings,
    )


def _windows_of_all(recitations: Sequence[Recitation]) -> Index:
    """Return text and start of the windows in any of the recitations, (w, 2).

    A fit whose tokens do not cover a text, as a held-out text may have characters of its own, has
    no window of it, and recites none.
    """
    tokens = np.stack([np.where(r.texts.covered, r.texts.tokens, -1) for r in recitations])
    known = np.where(tokens < 0, tokens.max(axis=0), tokens)
    if (known != known[0]).any():
        raise InvalidInput(
            "run must have models with the same tokens in all fits, since windows are counted in"
            " them; their tokenizers differ"
        )
    pairs = [np.stack([r.windows.text, r.windows.start], axis=1) for r in recitations]
    return np.asarray(np.unique(np.concatenate(pairs), axis=0))


def _rows_in(whole: Index, recitation: Recitation) -> Index:
    """Return the rows of a recitation's windows among all, both sorted by text and start."""
    scale = int(whole[:, 1].max()) + 1
    windows = recitation.windows
    keys = whole[:, 0] * scale + whole[:, 1]
    return np.searchsorted(keys, windows.text * scale + windows.start)
