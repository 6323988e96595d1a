"""run.json and the digests: what is written is what is read, and an edit is seen through."""

import json
import time
from pathlib import Path

import numpy as np
import pytest

import byrote
from byrote import KFold, Probes, Subset
from byrote.models import VAE, CharLSTM
from byrote.plans import design_of
from byrote.runs import sealed
from byrote.runs.paths import RunPaths
from mutations import make
from sealing import edit_json, edit_parquet, reseal

from estimators import Keepable, PureNoise

X = np.random.default_rng(0).normal(size=(24, 2))
PLAN = KFold(3, repeats=2)


def test_a_large_plan_takes_a_byte_for_each_row_that_a_fit_holds_out(tmp_path):
    records = np.random.default_rng(1).normal(size=(20_000, 1))
    byrote.score_memorization(PureNoise(), records, plan=Subset(0.5, 4), out=tmp_path / "run")
    paths = RunPaths(tmp_path / "run")
    assert paths.plan.stat().st_size < 4 * 10_000
    held_out = byrote.open_run(tmp_path / "run").design.held_out
    assert [rows.tolist() for rows in held_out] == [
        rows.tolist() for rows in design_of(Subset(0.5, 4), 20_000).held_out
    ]


def load(store, **options):
    return byrote.open_run(store).memorization(**options)


def start(store, plan=PLAN):
    return byrote.score_memorization(PureNoise(), X, plan=plan, out=store)


def test_every_file_carries_the_digest_that_the_documents_describe(tmp_path):
    make(tmp_path)
    kinds = {".parquet", ".json", ".safetensors"}
    paths = [path for path in tmp_path.rglob("*") if path.suffix in kinds]
    assert {path.suffix for path in paths} == kinds
    for path in paths:
        content = path.read_bytes()
        reseal(path)
        assert path.read_bytes() == content, path


def test_a_record_may_be_called_like_a_digest(tmp_path):
    ids = [sealed.BLANK, f"x{sealed.BLANK}", *map(str, range(22))]
    records = byrote.Records(X, ids=ids, labels=ids, source=sealed.BLANK)
    found = byrote.score_memorization(PureNoise(), records, plan=PLAN, out=tmp_path / "run")
    found.save(tmp_path / "scores.parquet")
    for again in (
        byrote.open_run(tmp_path / "run").memorization(),
        byrote.MemorizationResult.load(tmp_path / "scores.parquet"),
    ):
        assert again.to_frame().equals(found.to_frame())
        assert again.ids[0] == again.description["data"]["source"] == sealed.BLANK


# -- an edited run.json ---------------------------------------------------------------------------

VERSIONS = [True, "1", 0, -1, 1.0, None, [2]]


@pytest.mark.parametrize("version", VERSIONS, ids=repr)
def test_the_schema_version_is_an_integer_of_at_least_one(tmp_path, version):
    start(tmp_path / "run")
    edit_json(tmp_path / "run" / "run.json", lambda data: data.update(schema_version=version))
    with pytest.raises(byrote.CorruptFile, match="schema_version must be an integer of at least 1"):
        byrote.open_run(tmp_path / "run").memorization()


def test_an_edit_without_the_digest_is_seen(tmp_path):
    start(tmp_path / "run")
    path = tmp_path / "run" / "run.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    for action in (start, load):
        with pytest.raises(byrote.CorruptFile, match=r"run\.json is damaged.*SHA-256 differs"):
            action(tmp_path / "run")


DRAWN = {
    "units": ("fits", "plan units 'fits' there, 'repeats' here"),
    "randomized": (False, "plan randomized False there, True here"),
    "fits": (4, "plan drawn fits 4 there, 6 here"),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_start_compares_how_the_plan_was_drawn(tmp_path, name):
    start(tmp_path / "run")
    value, message = DRAWN[name]
    edit_json(tmp_path / "run" / "run.json", lambda data: data["plan"].update({name: value}))
    with pytest.raises(byrote.RunMismatch, match=message):
        start(tmp_path / "run")


def records(data):
    data["data"]["records"] = 2**31 - 1


def fits(data):
    data["plan"]["fits"] = 2**31 - 1


def threads(data):
    data["threads"] = 10**20


def text(data):
    data["seed"] = "0"


def chosen(data):
    data["plan"]["spec"]["repeats"] = "x"


EDITS = {
    records: "records.parquet is damaged: it has 24 rows, and the run 2147483647 records",
    fits: "plan.parquet belongs to another run",
    threads: "see threads",
    text: "see seed",
    chosen: "see plan.spec",
}


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_an_edit_is_refused_before_anything_is_made_by_it(tmp_path, edit):
    start(tmp_path / "run")
    edit_json(tmp_path / "run" / "run.json", edit)
    with pytest.raises(byrote.CorruptFile, match=EDITS[edit]):
        byrote.open_run(tmp_path / "run").memorization()


@pytest.mark.parametrize("nested", ["[" * 10_000 + "]" * 10_000, '{"a":' * 300 + "1" + "}" * 300])
def test_nesting_without_end_is_refused(tmp_path, nested):
    start(tmp_path / "run")
    path = tmp_path / "run" / "run.json"
    path.write_text(path.read_text().replace('"settled": {}', f'"settled": {{"x": {nested}}}'))
    reseal(path)
    with pytest.raises(byrote.CorruptFile, match=r"run\.json"):
        byrote.open_run(tmp_path / "run").memorization()


def test_no_more_is_read_than_a_description_takes(tmp_path):
    start(tmp_path / "run")
    path = tmp_path / "run" / "run.json"
    path.write_text(path.read_text() + " " * (1 << 24))
    reseal(path)
    with pytest.raises(byrote.CorruptFile, match="no more than 16777216 are read"):
        byrote.open_run(tmp_path / "run").memorization()
    with pytest.raises(byrote.InvalidInput, match="a list by all that it holds"):
        byrote.score_memorization(
            Keepable(how=["x" * 5000] * 1000), X, plan=PLAN, out=tmp_path / "x"
        )
    assert not (tmp_path / "x").exists()


SIZES = {
    "layers": (CharLSTM(hidden=4, layers=1), {"layers": 10**20}),
    "hidden": (CharLSTM(hidden=4, layers=1), {"hidden": 10**9}),
    "widths": (VAE(latent_dim=2, hidden=(4,)), {"hidden": [4] * 10_000}),
    "latent": (VAE(latent_dim=2, hidden=(4,)), {"latent_dim": 10**12}),
}


@pytest.mark.parametrize("case", SIZES)
def test_no_network_is_made_that_its_weights_cannot_fill(case):
    model, sizes = SIZES[case]
    data = ["a few words\n"] * 20 if isinstance(model, CharLSTM) else np.abs(X) % 1
    weights = model.set_params(epochs=1, random_state=0).fit(data).get_weights()
    began = time.process_time()
    with pytest.raises(
        byrote.InvalidInput, match="weights must fit the .* cannot be|must be an integer of at most"
    ):
        type(model)(**{**model.get_params(), **sizes}).set_weights(weights)
    assert time.process_time() - began < 1


# -- files that contradict the run ----------------------------------------------------------------


def shorter(table):
    return table.slice(1)


def twice(table):
    return table.slice(0, 1).take([0] * len(table))


CONTRADICTIONS = {
    "fit": ("fits/fit-000001.parquet", shorter, "does not hold the records"),
    "names": ("records.parquet", shorter, "has 23 rows, and the run 24"),
    "plan": ("plan.parquet", twice, "two fits share repeat and fold"),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_rows_are_counted(tmp_path, case):
    start(tmp_path / "run")
    name, change, message = CONTRADICTIONS[case]
    edit_parquet(tmp_path / "run" / name, change)
    with pytest.raises(byrote.CorruptFile, match=message):
        byrote.open_run(tmp_path / "run").memorization()


def test_the_epochs_of_a_fit_are_those_in_it(tmp_path):
    start(tmp_path / "run")
    path = RunPaths(tmp_path / "run").fit(0)
    for epochs in ([5], [0, 1], [], None, "0", [0.5], {}):
        content = path.read_bytes()
        edit_parquet(path, facts=lambda facts, epochs=epochs: facts.update(epochs=epochs))
        with pytest.raises(byrote.CorruptFile, match="fit-000000"):
            byrote.open_run(tmp_path / "run").memorization()
        path.write_bytes(content)


def test_files_of_one_run_do_not_stand_for_one_another(tmp_path):
    plan = Probes(6, fits=4)
    byrote.score_memorization(Keepable(), X, plan=plan, out=tmp_path / "run", keep_models="release")
    paths = RunPaths(tmp_path / "run")
    for path, other in ((paths.records, paths.plan), (paths.plan, paths.fit(0))):
        content = path.read_bytes()
        path.write_bytes(other.read_bytes())
        with pytest.raises(byrote.CorruptFile, match=path.name):
            byrote.open_run(tmp_path / "run").memorization()
        path.write_bytes(content)
    assert json.loads(Path(paths.manifest).read_text())["schema_version"] == 2
