"""The studies of mitigations: what they declare, and what they ask for."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import byrote
from byrote.data.listed import read_ids
from byrote.errors import CorruptFile, IncompleteRun, InvalidInput
from byrote.fits.request import Request, Settings
from byrote.plans import KFold
from byrote.studies import kinds
from byrote.studies.carrying import carry_out
from byrote.studies.configured import SCALES
from byrote.studies.mitigations.carrying import FINDINGS
from byrote.studies.mitigations.chosen import choose
from byrote.studies.mitigations.declaration import (
    NAMES,
    Pruning,
    load_mitigation_study,
    parse_mitigation_study,
)
from byrote.studies.mitigations.pruning import remaining
from tiny_mitigations import Kernel, tiny

SECONDS_A_FIT = {"small": 1.5, "full": 4.5, "start": 6.0}  # on one core; DP takes longer


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", NAMES)
def test_every_study_asks_for_what_can_be_done(name, scale, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (3600, 8, 8), dtype=np.uint8)
    np.save(tmp_path / "images.npy", images)
    chosen = choose(load_mitigation_study(name), scale)
    records = chosen.load(str(tmp_path / "images.npy"))
    requests = chosen.requests(records, Settings(seed=3))
    assert list(requests) == [one.name for one in chosen.configurations]
    for one in chosen.configurations:
        request = requests[one.name]
        assert isinstance(request, Request) == (one.pruned is None)
        if one.pruned is None:
            request.check()
            design = request.plan.draw(request.context())
            assert (design.fits, len(design.scored)) == (one.fits, one.probes)
            assert request.model.epochs == one.epochs
            assert request.settings.seed == 3 + one.seed


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", NAMES)
def test_fits_on_two_cores_go_into_the_declared_minutes(name, scale):
    study = load_mitigation_study(name)
    runs = study.configurations(scale)
    seconds = sum(one.fits / 2 * SECONDS_A_FIT[scale] + SECONDS_A_FIT["start"] for one in runs)
    assert seconds / 60 <= study.scale(scale).minutes <= 40


def test_all_files_are_studies_and_all_studies_have_files_and_findings():
    folder = files("byrote.studies.mitigations")
    found = {path.name for path in folder.iterdir() if path.name.endswith("toml")}
    assert found == {f"{name}.toml" for name in NAMES}
    assert set(FINDINGS) == set(NAMES)


def test_configurations_are_compared_on_the_same_probes_with_the_same_seeds():
    chosen = choose(load_mitigation_study("mitigations"))
    requests = chosen.requests(chosen.load(), Settings())
    plain, again, slow = (requests[name] for name in ("plain", "again", "rate-0.0001"))
    assert plain.plan.records == again.plan.records == slow.plan.records
    designs = [each.plan.draw(each.context()) for each in (plain, again, slow)]
    assert designs[2].begins_with(designs[0])
    assert not designs[1].begins_with(designs[0])


def test_replications_of_the_onion_differ_in_seeds_and_probes():
    chosen = choose(tiny("onion"))
    names = [one.name for one in chosen.configurations]
    assert names[:5] == ["1-all", "1-pruned-1", "1-pruned-2", "1-random-1", "1-random-2"]
    after = [one.pruned.after for one in chosen.configurations[1:5]]
    assert after == ["1-all", "1-pruned-1", "1-all", "1-random-1"]
    requests = chosen.requests(chosen.load(), Settings(seed=7))
    first, second = requests["1-all"], requests["2-all"]
    assert (first.settings.seed, second.settings.seed) == (7, 8)
    assert set(first.plan.records) != set(second.plan.records)


def test_records_set_apart_are_others_and_the_audited_ones_those_of_load():
    records = choose(tiny("mitigations")).load()
    alone = byrote.load("digits", records=120)
    assert records.audited.fingerprint == alone.fingerprint
    assert records.audited.options == alone.options == {"records": "120"}
    assert len(records.validation) == 20
    assert not set(records.validation.ids) & set(alone.ids)
    everything = choose(load_mitigation_study("mitigations")).load()
    both = {*everything.audited.ids, *everything.validation.ids}
    assert (len(everything.audited), len(both)) == (1500, 1797)
    apart = choose(tiny("mitigations")).requests(records, Settings())["validated"].model
    assert np.array_equal(apart.validation, records.validation.x.reshape(20, -1))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished audit of 40 of 60 digits by a narrow kernel density."""
    folder = tmp_path_factory.mktemp("prune") / "plain"
    x = byrote.load("digits", records=60)
    probes = byrote.Probes(x.ids[:40].tolist(), 4)
    byrote.score_memorization(Kernel(0.4), x, plan=probes, out=folder)
    return folder


def test_what_pruning_leaves(run):
    result = byrote.open_run(run).memorization()
    left = remaining(run, Pruning(after="plain", top=0.1), seed=0)
    gone = set(result.ids) - set(left.ids)
    assert gone == set(result.ids[result.order()[:4]])
    assert set(left.probes) == set(result.ids[~np.isnan(result.score)]) - gone
    chance = Pruning(after="plain", top=0.1, at="random")
    first, second, other = (remaining(run, chance, seed=seed) for seed in (0, 0, 1))
    assert first.ids.tolist() == second.ids.tolist() != other.ids.tolist()
    for each in (first, other):
        assert len(set(result.ids) - set(each.ids)) == 4
        assert set(each.probes) < set(left.probes) | gone  # no other record goes


def test_what_is_pruned_after_a_run_with_failed_fits_is_left_undone(run, tmp_path, monkeypatch):
    with pytest.raises(IncompleteRun, match="no run"):
        remaining(tmp_path / "nowhere", Pruning(after="plain", top=0.1), seed=0)
    chosen = choose(tiny("mitigations"))
    requests = chosen.requests(chosen.load(), Settings())
    some = {name: requests[name] for name in ("plain", "pruned")}
    fit = Kernel.fit
    failed = []

    def once(self, X, y=None):
        failed.append(1)
        if len(failed) == 4:
            raise ValueError
        return fit(self, X)

    monkeypatch.setattr(Kernel, "fit", once)
    assert list(carry_out(some, tmp_path)) == ["plain", "pruned"]
    assert not (tmp_path / "pruned").exists()
    assert list(carry_out(some, tmp_path)) == ["plain", "pruned"]
    listed = {int(text) for text in read_ids(tmp_path / "pruned.csv")}
    result = byrote.open_run(tmp_path / "pruned").memorization()
    assert set(result.ids) == listed
    assert len(listed) == 117
    again = byrote.load("digits", **result.description["data"]["options"])
    assert again.fingerprint == result.description["data"]["fingerprint"]


OVERRIDES = {
    "nothing": ({}, {}),
    "the same": ({"epochs": 10, "records": 3000}, {}),
    "all": (
        {"records": 500, "fits": 4, "epochs": 2},
        {"records": (500, 3000), "fits": (4, 12), "epochs": (2, 10)},
    ),
}


@pytest.mark.parametrize("case", OVERRIDES)
def test_overrides(case):
    given, overridden = OVERRIDES[case]
    chosen = choose(load_mitigation_study("mitigations"), "full", **given)
    assert chosen.overridden == overridden
    assert chosen.records == given.get("records", 3000)
    for name in ("fits", "epochs"):
        if name in given:
            assert {getattr(one, name) for one in chosen.configurations} == {given[name]}


def test_the_command_names_what_decides_the_runs():
    chosen = choose(tiny("mitigations"), fits=6, records=60)
    command = chosen.command(chosen.load(), Settings(seed=2, workers=3), Path("run"))
    assert command == (
        "byrote study mitigations --data digits --scale small --records 60 --fits 6 --seed 2"
        " --threads 1 --workers 3 --out run"
    )


TEXT = files("byrote.studies.mitigations").joinpath("mitigations.toml").read_text("utf-8")
BAD = {
    "more": (TEXT + "\nworkers = 2", "small.workers"),
    "share": (TEXT.replace("top = 0.05", "top = 5"), "top"),
    "order": (TEXT.replace('after = "plain"', 'after = "pruned"'), "pruned must come after pruned"),
    "lost": (TEXT.replace('against = "again"', 'against = "agin"'), "agin is none"),
    "twice": (TEXT.replace('"latent-4"', '"plain"'), "different names"),
    "validation": (TEXT.replace("validation = 297", ""), "small.validation"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_declares_no_study_is_named(case):
    text, message = BAD[case]
    with pytest.raises(CorruptFile, match=message):
        parse_mitigation_study("mitigations", text)


REFUSED = {
    "study": (lambda: load_mitigation_study("onions"), "did you mean onion"),
    "scale": (lambda: choose(tiny("onion"), "paper"), "one of small, full"),
    "fits": (lambda: choose(tiny("onion"), fits=0), "--fits must be an integer"),
    "odd fits": (
        lambda: choose(tiny("onion"), fits=3).requests(choose(tiny("onion")).load(), Settings()),
        "fits must be even",
    ),
    "records": (
        lambda: choose(tiny("onion"), records=1778).load(),
        "--records must leave 20 of the 1797 records of digits apart",
    ),
    "no records": (lambda: choose(tiny("onion"), records=1).load(), "be 2 or more; got 1"),
    "repeats": (
        lambda: kinds.check_options("onion", {"repeats": 2}),
        "--repeats does not apply to the study onion; those that do are --records, --fits",
    ),
    "characters": (lambda: kinds.check_options("onion", {"characters": 2}), "--characters does"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_chosen_is_refused(case):
    ask, message = REFUSED[case]
    with pytest.raises(InvalidInput, match=message):
        ask()


def test_scores_of_other_plans_are_pruned_too(tmp_path):
    x = byrote.load("digits", records=30)
    byrote.score_memorization(Kernel(0.4), x, plan=KFold(3, repeats=2), out=tmp_path / "run")
    left = remaining(tmp_path / "run", Pruning(after="run", top=0.1), seed=0)
    assert left.ids.tolist() == left.probes.tolist()
    assert len(left.ids) == 27
