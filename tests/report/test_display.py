"""print() and notebooks show tables of results; repr() is a line; no secret is in any of them."""

import html
import inspect
import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from sklearn.neighbors import KernelDensity

import byrote
from byrote import Canary, KFold
from byrote.display import Displayed
from byrote.models import CharLSTM
from byrote.scores.exposure.extraction_from_run import extract_from_run
from byrote.scores.neighbors.record_extraction import RecordExtraction
from byrote.scores.reported import Reported
from byrote.scores.stored import StoredResults
from byrote.stats.estimate import Estimate

from estimators import FrameCopies, PureNoise
from languages import Ngram

SECRETS = ["2812650171"]
TEXT = ["the cat sat on the mat and the dog sat on the log"] * 20


def extracted():
    """Three records, of which samples reproduce two."""
    share = Estimate(0.5, 0.2, 0.8)
    return RecordExtraction(
        ids=np.array(["a", "b", "c"]),
        samples=np.array([2, 0, 1]),
        distance=np.array([0.1, np.nan, 0.2]),
        score=np.array([3.0, np.nan, 1.0]),
        rate=share,
        control=Estimate(np.nan, reason="there are no others"),
        inside=Estimate(2.0, reason="hardly any was seen only once"),
        threshold=0.5,
        ratio=share,
        ratio_control=share,
        drawn=6,
        held_out=0,
        fit=None,
        seed=0,
    )


def disclosure():
    frame = pd.DataFrame({"age": np.arange(20.0) + 0.5, "secret": [*"ab"] * 10})
    plan = KFold(2, repeats=2)
    return byrote.privacy.attribute_disclosure(FrameCopies(), frame, secret="secret", plan=plan)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """One result of every kind that is displayed, by class."""
    folder, x = tmp_path_factory.mktemp("runs"), np.random.default_rng(0).normal(size=(60, 2))
    paths = [folder / name for name in ("one", "two")]
    for path, noise in zip(paths, (1.0, 2.0), strict=True):
        plan = KFold(3, repeats=3)
        scores = byrote.score_memorization(PureNoise(noise), x + 1234.5, plan=plan, out=path)
    canary = Canary("my pin is {digits:10}", secret=SECRETS[0])
    patterns = [canary, Canary("code {digits:3}")]
    options = {"insertions": [2], "canaries_per_level": 2, "controls": 2, "references": 50}
    options["max_queries"] = 100
    exposures = byrote.score_exposure(
        Ngram(),
        TEXT,
        patterns,
        **options,
        keep_models="release",
        out=folder / "exposure",
        track=[1],
    )
    run, exposure_run = byrote.open_run(paths[0]), byrote.open_run(folder / "exposure")
    model = exposure_run.model(0, model=Ngram())
    texts = [f"{word} " * 12 for word in ("sun", "moon", "star", "cloud")]
    lstm = CharLSTM(8, 1, epochs=1, batch_size=2, window=10)
    byrote.score_memorization(lstm, texts, plan=KFold(2), out=folder / "texts", keep_models="all")
    windows = {"prefix": 5, "suffix": 5}
    recitation = byrote.recite(Ngram().fit(TEXT), TEXT, **windows)
    results = [
        scores,
        recitation,
        recitation.windows,
        recitation.texts,
        byrote.recite_run(byrote.open_run(folder / "texts", texts), **windows),
        byrote.data.TextRecords([*TEXT, SECRETS[0]], source="<b>here</b>"),
        exposures,
        exposures.exposure,
        byrote.extract(model, canary),
        extract_from_run(exposure_run.folder, model),
        extracted(),
        byrote.compare(paths),
        byrote.check(run, max_auc=0.9),
        byrote.prune(run, top=0.1),
        run.trajectory(),
        exposure_run.trajectory(),
        run.epsilon(),
        run.membership(),
        byrote.neighbors.compare_neighbors(scores, x, x[:30] + 1, x[30:] + 2),
        byrote.neighbors.near_duplicates(scores, x),
        byrote.neighbors.extracted_records(x, x[:5], neighbors=5),
        byrote.neighbors.compare_synthetic(x[:20], x[20:40], x[40:]),
        disclosure(),
        byrote.Records(x + 1234.5, labels=[0, 1] * 30, source="<b>here</b>"),
        byrote.Corpus([*TEXT, SECRETS[0]], source="<b>here</b>"),
        run,
        exposure_run,
        byrote.propose_plans(KernelDensity(), x),
    ]
    return {type(result): result for result in results}


def subclasses(base):
    return {base, *(each for child in base.__subclasses__() for each in subclasses(child))}


def test_every_public_result_is_displayed(shown):
    kinds = {kind for kind in subclasses(Displayed) if kind.__module__.startswith("byrote")}
    assert kinds - set(shown) == {Displayed, Reported, StoredResults, byrote.columnar.Columnar}
    public = {value for _, value in inspect.getmembers(byrote, inspect.isclass)}
    others = {
        "Canary",
        "KFold",
        "Proposal",
        "LeaveOneOut",
        "Membership",
        "Probes",
        "Subset",
        "Threshold",
    }
    assert {
        kind.__name__ for kind in public - set(shown) if not issubclass(kind, Exception)
    } == others


def test_each_way_shows_the_table_and_repr_a_line(shown):
    for result in shown.values():
        text, line, page = str(result), repr(result), result._repr_html_()
        console = Console(file=io.StringIO(), width=120)
        console.print(result)
        printed = console.file.getvalue().splitlines()
        assert [each.rstrip() for each in printed] == text.splitlines()
        assert page.startswith("<pre")
        assert text.split(maxsplit=1)[0] in html.unescape(page)
        assert "\n" not in line
        assert len(line) < 200
        assert line != text


def test_nothing_private_is_shown(shown):
    for result in shown.values():
        text = "\n".join([str(result), repr(result), result._repr_html_()])
        assert [part for part in (*SECRETS, "cat sat", "1234.", "1,234.") if part in text] == []


def test_html_is_escaped(shown):
    for kind in (byrote.Records, byrote.Corpus):
        assert "<b>" in str(shown[kind])
        assert "<b>" not in shown[kind]._repr_html_()


def test_texts_are_neither_markup_nor_control_characters():
    text = str(byrote.Corpus(["a"], source="[red]x[/red]\x1b[2J"))
    assert "[red]x[/red]\\x1b[2J" in text
