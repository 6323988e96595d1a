"""Laws that every plan keeps, and those of each kind."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, chisquare
from sklearn import model_selection

from byrote.errors import InvalidInput
from byrote.plans import (
    Context,
    Design,
    Grouped,
    Insertions,
    KFold,
    LeaveOneOut,
    Membership,
    Probes,
    Splitter,
    Subset,
    as_plan,
    check_spec,
    design_of,
)
from byrote.runs.job import job_of

N = 24
GROUPS = np.arange(N) * 7 % 17  # of one or two records
PLANS = {
    "kfold": lambda: KFold(4, repeats=3),
    "stratified kfold": lambda: KFold(4, repeats=3, stratify=True),
    "leave one out": lambda: LeaveOneOut(2),
    "subset": lambda: Subset(0.7, fits=9),
    "stratified subset": lambda: Subset(0.5, fits=9, stratify=True),
    "probes": lambda: Probes(5, fits=8),
    "chosen probes": lambda: Probes([3, 7, 23], fits=6),
    "probes in pairs": lambda: Probes(6, fits=8, pairs=True),
    "probes by coins": lambda: Probes(5, fits=7, coins=True),
    "membership": lambda: Membership(np.random.default_rng(0).random((6, N)) < 0.5),
    "groups by kfold": lambda: Grouped(KFold(4, repeats=3, stratify=True), GROUPS),
    "groups as probes": lambda: Grouped(Probes(5, fits=8, bystanders=2), GROUPS),
    "sklearn kfold": lambda: Splitter(model_selection.KFold(3, shuffle=True)),
    "sklearn repeated": lambda: Splitter(model_selection.RepeatedKFold(n_splits=3, n_repeats=2)),
    "sklearn shuffle": lambda: Splitter(
        model_selection.ShuffleSplit(4, train_size=0.5, test_size=0.3)
    ),
    "sklearn leave one out": lambda: Splitter(model_selection.LeaveOneOut()),
}
LABELS = np.arange(N) % 3


@pytest.fixture(params=PLANS)
def plan(request):
    return PLANS[request.param]()


def drawn(plan, seed=0, n=N) -> Design:
    return design_of(plan, n, seed, labels=LABELS[:n])


def test_same_seed_same_design(plan):
    first, second = drawn(plan), drawn(plan)
    assert first.begins_with(second)
    assert second.begins_with(first)


def test_roles_agree_with_training(plan):
    design = drawn(plan)
    for fit in range(design.fits):
        role, member = design.role(fit), design.trained_on(fit)
        counted = np.zeros(N, dtype=bool)
        counted[design.counted_rows(fit)] = True
        assert (role[counted & member] == 1).all()
        assert (role[counted & ~member] == -1).all()
        assert (role[~counted] == 0).all()
        assert np.array_equal(np.flatnonzero(member), np.sort(design.training_rows(fit)))
        assert len(design.training_rows(fit)) > 0


def test_seeds_of_fits_differ(plan):
    design = drawn(plan)
    assert len(set(zip(design.repeat.tolist(), design.fold.tolist(), strict=True))) == design.fits


def test_spec_names_the_kind(plan):
    assert plan.spec()["kind"] == plan.kind


@pytest.mark.parametrize(
    ("small", "large"),
    [
        (KFold(4, repeats=2), KFold(4, repeats=5)),
        (LeaveOneOut(1), LeaveOneOut(3)),
        (Subset(0.6, fits=3), Subset(0.6, fits=8)),
        (Probes(6, fits=4), Probes(6, fits=10)),
        (Probes(6, fits=4, pairs=True), Probes(6, fits=10, pairs=True)),
        (Probes(6, fits=3, coins=True), Probes(6, fits=10, coins=True)),
        (Grouped(Probes(6, fits=4), GROUPS), Grouped(Probes(6, fits=10), GROUPS)),
    ],
)
def test_a_larger_plan_extends_a_smaller(small, large):
    context_design = drawn(small)

    after = large.draw(Context(N, 0, np.arange(N), LABELS), after=context_design)
    assert after.begins_with(context_design)
    assert after.fits > context_design.fits


@settings(max_examples=60)
@given(st.integers(2, 7), st.integers(1, 3), st.integers(0, 60), st.booleans(), st.integers(0, 99))
def test_kfold_partitions_evenly(folds, repeats, more, stratify, seed):
    n = folds + more
    labels = np.random.default_rng(seed).integers(0, 3, n)
    design = design_of(KFold(folds, repeats, stratify), n, seed, labels=labels)
    for repeat in range(repeats):
        parts = [design.held_out[repeat * folds + k] for k in range(folds)]
        assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(n))
        sizes = [len(part) for part in parts]
        assert max(sizes) - min(sizes) <= 1
        if stratify:
            counts = np.array([[np.count_nonzero(labels[p] == c) for c in range(3)] for p in parts])
            assert (np.ptp(counts, axis=0) <= 1).all()


@pytest.mark.parametrize("name", ["groups by kfold", "groups as probes"])
def test_records_of_a_group_are_held_out_together_as_the_plan_of_groups_says(name):
    plan = PLANS[name]()
    _, first, groups = np.unique(GROUPS, return_index=True, return_inverse=True)
    design, of_groups = drawn(plan), design_of(plan.plan, 17, labels=LABELS[first])
    for fit in range(design.fits):
        member = design.trained_on(fit)
        assert member.tolist() == of_groups.trained_on(fit)[groups].tolist()
        counted = np.isin(groups, of_groups.counted_rows(fit))
        assert design.counted_rows(fit).tolist() == np.flatnonzero(counted).tolist()
    assert np.isin(groups[design.bystanders], of_groups.bystanders).all()


@pytest.mark.parametrize("name", ["groups by kfold", "groups as probes"])
def test_records_of_a_group_are_held_out_together_where_a_table_has_an_order(name):
    order = np.random.default_rng(0).permutation(N)
    context = Context(N, 0, np.arange(N), LABELS, order=order)
    design = PLANS[name]().draw(context)
    for fit in range(design.fits):
        member = design.trained_on(fit)
        assert all(len({*member[group == GROUPS]}) == 1 for group in np.unique(GROUPS))
    assert PLANS[name]().draw(context, design).begins_with(design)


def test_every_fold_is_equally_likely_for_a_record():
    for stratify in (False, True):
        labels = np.array([0] * 7 + [1] * 4)
        folds = np.zeros(3)
        for seed in range(900):
            design = design_of(KFold(3, 1, stratify), 11, seed, labels=labels)
            folds[next(k for k in range(3) if 8 in design.held_out[k])] += 1
        assert chisquare(folds).pvalue > 1e-3


def test_leave_one_out_is_equation_2():
    design = design_of(LeaveOneOut(2), 3)
    roles = np.array([design.role(f) for f in range(design.fits)])
    once = [[1, 1, 1], [-1, 0, 0], [0, -1, 0], [0, 0, -1]]
    assert roles.tolist() == once * 2
    assert [len(design.training_rows(f)) for f in range(4)] == [3, 2, 2, 2]


def test_probes_are_in_half_and_others_always():
    design = drawn(Probes(7, fits=10, bystanders=3))
    roles = np.array([design.role(f) for f in range(10)])
    assert (np.count_nonzero(roles == 1, axis=0)[design.scored] == 5).all()
    others = np.setdiff1d(np.arange(N), design.scored)
    assert len(design.bystanders) == 3
    assert (roles[:, design.bystanders] == 1).all()
    assert (roles[:, np.setdiff1d(others, design.bystanders)] == 0).all()
    assert all(np.isin(others, design.training_rows(f)).all() for f in range(10))


def test_bystanders_are_four_for_each_probe_and_at_least_a_thousand():
    for n, probes, expected in ((5000, 10, 1000), (5000, 300, 1200), (500, 10, 490)):
        design = design_of(Probes(probes, fits=4), n, 1)
        assert len(design.bystanders) == expected
        assert not np.isin(design.bystanders, design.scored).any()
        context = Context(n, 1, np.arange(n), None)
        larger = Probes(probes, fits=6).draw(context, after=design)
        assert np.array_equal(larger.bystanders, design.bystanders)
    with pytest.raises(InvalidInput, match="bystanders must not exceed the 490 records"):
        design_of(Probes(10, fits=4, bystanders=491), 500)


def test_inclusions_within_a_fit_are_independent_fair_coins():
    both = same = 0
    for seed in range(400):
        design = design_of(Probes([0, 1], fits=4), 3, seed)
        member = design.trained_on(0)
        both += member[0]
        same += member[0] == member[1]
    assert binomtest(both, 400).pvalue > 1e-3
    assert binomtest(same, 400).pvalue > 1e-3


@settings(max_examples=60)
@given(st.integers(1, 8), st.integers(1, 4), st.integers(0, 9), st.integers(0, 999))
def test_twins_complement_one_another_in_the_same_places(half, pairs, more, seed):
    n = 2 * half + more
    design = design_of(Probes(2 * half, fits=2 * pairs, pairs=True), n, seed)
    probes = design.scored
    for first, second in zip(range(0, 2 * pairs, 2), range(1, 2 * pairs, 2), strict=True):
        both = np.concatenate([design.held_out[first], design.held_out[second]])
        assert sorted(both) == probes.tolist()
        one, other = design.training_rows(first), design.training_rows(second)
        assert one.tolist() == sorted(one)
        # A place has the same record in both, or a probe of the one and a probe of the other.
        swapped = one != other
        assert sorted(one[swapped]) == design.held_out[second].tolist()
        assert other[swapped].tolist() == design.held_out[first].tolist()


def test_twins_share_their_seeds_and_nobody_else_does():
    design = drawn(Probes(6, fits=8, pairs=True))
    jobs = [job_of(design, fit, seed=3) for fit in range(8)]
    seeds = [(job.training_seed, job.evaluation_seed) for job in jobs]
    assert seeds[0::2] == seeds[1::2]
    assert len(set(seeds)) == 4
    for fit, job in enumerate(jobs):
        assert np.array_equal(job.training_rows(), design.training_rows(fit))


def test_each_half_of_the_probes_is_equally_likely_in_each_pair():
    counts = {}
    for seed in range(300):
        design = design_of(Probes([0, 1, 2, 3], fits=4, pairs=True), 4, seed)
        for fit in (0, 3):
            half = tuple(design.held_out[fit].tolist())
            counts[half] = counts.get(half, 0) + 1
    assert len(counts) == 6
    assert chisquare(list(counts.values())).pvalue > 1e-3


def test_coins_are_fair_and_independent_within_and_across_fits():
    """Of two probes in two fits all 16 outcomes are equally likely."""
    outcomes = np.zeros(16)
    for seed in range(800):
        design = design_of(Probes([0, 1], fits=3, coins=True), 3, seed)
        tossed = np.concatenate([design.trained_on(fit)[:2] for fit in (0, 2)])
        outcomes[tossed @ [8, 4, 2, 1]] += 1
    assert chisquare(outcomes).pvalue > 1e-3
    assert design.scored.tolist() == [0, 1]
    assert all(design.trained_on(fit)[2] for fit in range(3))
    assert Probes([0, 1], fits=3, coins=True).spec()["coins"] is True


def test_pairs_are_named_only_where_there_are_some():
    assert "pairs" not in Probes(6, fits=4).spec()
    assert "coins" not in Probes(6, fits=4).spec()
    assert Probes(6, fits=4, pairs=True).spec()["pairs"] is True


def test_subset_sizes_and_strata():
    design = drawn(Subset(0.5, fits=4, stratify=True))
    for fit in range(4):
        rows = design.training_rows(fit)
        assert [np.count_nonzero(LABELS[rows] == c) for c in range(3)] == [4, 4, 4]


@pytest.mark.parametrize(
    ("splitter", "randomized", "repeats"),
    [
        (model_selection.KFold(3), False, 1),
        (model_selection.KFold(3, shuffle=True), True, 1),
        (model_selection.StratifiedKFold(3, shuffle=True), True, 1),
        (model_selection.RepeatedKFold(n_splits=4, n_repeats=3), True, 3),
        (model_selection.ShuffleSplit(5, test_size=0.4), True, 1),
        (model_selection.LeaveOneOut(), False, 1),
    ],
)
def test_splitters(splitter, randomized, repeats):
    design = drawn(as_plan(splitter))
    assert design.randomized is randomized
    assert len(set(design.repeat)) == repeats
    context = np.zeros((N, 1))
    if getattr(splitter, "random_state", 0) is not None or not randomized:
        for fit, (train, test) in enumerate(splitter.split(context, LABELS)):
            assert np.array_equal(design.training_rows(fit), train)
            assert np.array_equal(np.flatnonzero(design.role(fit) == -1), test)


def test_labels_serve_as_groups():
    design = drawn(as_plan(model_selection.GroupKFold(3)))
    assert [set(LABELS[rows]) for rows in design.held_out] == [{2}, {1}, {0}]
    assert not design.randomized


class Own(model_selection.ShuffleSplit):
    """A subclass may place records as it likes."""


def test_a_splitter_of_ones_own_is_seeded_and_yields_no_p_value():
    plan = as_plan(Own(3))
    assert drawn(plan).begins_with(drawn(plan))
    assert not drawn(plan).randomized
    assert plan.spec() == as_plan(Own(3)).spec()


def test_a_splitter_that_leaves_gaps_uses_no_others():
    design = drawn(as_plan(model_selection.ShuffleSplit(3, train_size=10, test_size=5)))
    assert [np.count_nonzero(design.role(f) == 0) for f in range(3)] == [9, 9, 9]
    assert all(len(design.training_rows(f)) == 10 for f in range(3))


BAD = {
    "one fold": (lambda: KFold(1), "folds must be an integer of at least 2; got 1"),
    "no repeat": (lambda: KFold(3, repeats=0), "repeats must be an integer of at least 1"),
    "folds as text": (lambda: KFold("3"), "folds must be an integer"),
    "more folds than records": (lambda: drawn(KFold(30)), "got 30 folds for 24 records"),
    "labels missing": (lambda: design_of(KFold(3, stratify=True), 9), "needs labels"),
    "fraction": (lambda: Subset(1.0, fits=3), "fraction must be a number between 0 and 1"),
    "empty subset": (lambda: drawn(Subset(0.001, fits=3)), "must leave records on both sides"),
    "odd fits": (lambda: Probes(3, fits=5), "fits must be even"),
    "unknown probe": (lambda: drawn(Probes([99], fits=4)), "1 of 1 are not"),
    "repeated probe": (lambda: Probes([1, 1], fits=4), "records must all differ"),
    "no probe": (lambda: Probes([], fits=4), "at least one probe"),
    "text for probes": (lambda: Probes("all", fits=4), "a count or a list of ids"),
    "odd probes in pairs": (lambda: Probes(3, fits=4, pairs=True), "must be even with pairs"),
    "odd ids in pairs": (lambda: Probes([4], fits=4, pairs=True), "with pairs=True; got 1"),
    "pairs as text": (lambda: Probes(4, fits=4, pairs="yes"), "pairs must be True or False"),
    "coins as a number": (lambda: Probes(4, fits=4, coins=1), "coins must be True or False; got 1"),
    "coins in pairs": (
        lambda: Probes(4, fits=4, pairs=True, coins=True),
        "coins and pairs must not both be True",
    ),
    "coins that leave nothing": (
        lambda: design_of(Probes(2, fits=40, coins=True), 2),
        "one would hold out all 2",
    ),
    "probes that leave nothing": (
        lambda: design_of(Probes(2, fits=40), 2),
        "one would hold out all 2",
    ),
    "fits without end": (lambda: KFold(2, repeats=10**30), "an integer of at most"),
    "more fits than a folder holds": (lambda: KFold(10, repeats=10**5), "at most 100,000 fits"),
    "flags of another kind": (lambda: KFold(2, stratify=np.ones(2)), "stratify must be True or"),
    "a share too small": (lambda: Subset(5e-324, fits=2), "too small to compute with"),
    "a number for a text": (lambda: Subset("0.5", fits=2), "between 0 and 1, both excluded"),
    "levels in one dimension": (lambda: Insertions(np.ones((1, 2))), "insertions must be"),
    "too many probes": (lambda: drawn(Probes(99, fits=4)), "99 probes of 24"),
    "matrix of numbers": (lambda: Membership(np.ones((2, 3))), "matrix must be boolean"),
    "empty fit": (lambda: Membership(np.array([[False, False]])), "row 0 has none"),
    "groups of others": (lambda: drawn(Grouped(KFold(2), [0, 1])), "one for each of 24 records"),
    "groups in pairs": (lambda: Grouped(Probes(4, 4, pairs=True), GROUPS), "must not pair fits"),
    "wrong width": (lambda: drawn(Membership(np.ones((2, 3), bool))), "per record, 24; got 3"),
    "splitter": (lambda: drawn(as_plan(model_selection.KFold(99))), "cannot split"),
    "too many strata": (
        lambda: design_of(Subset(0.4, 3, stratify=True), 9, labels=np.arange(9)),
        "9 labels of 9 records are too many",
    ),
    "private ids": (lambda: Probes({"ann"}, fits=4), "a count or a list of ids; got a set"),
    "no plan": (lambda: as_plan("kfold"), "plan must be KFold"),
    "one record": (lambda: design_of(LeaveOneOut(), 1), "at least 2 records"),
}


def test_a_strangers_splitter_quotes_no_label():
    class Talkative:
        def split(self, X, y, groups=None):
            raise KeyError(y[0])

        def get_n_splits(self):
            return 1

    with pytest.raises(InvalidInput, match="Talkative cannot split the records: KeyError$"):
        design_of(as_plan(Talkative()), 2, labels=["ann", "bob"])


@pytest.mark.parametrize("case", BAD)
def test_bad_plans_are_refused_in_a_sentence(case):
    make, message = BAD[case]
    with pytest.raises(InvalidInput, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


DESCRIBED = [
    KFold(5, repeats=2, stratify=True),
    LeaveOneOut(),
    Subset(0.5, fits=4),
    Probes(6, fits=4),
    Probes(["a", "b"], fits=4),
    Probes(6, fits=4, pairs=True),
    Probes(6, fits=4, coins=True),
    Insertions((1, 4), per_level=2, controls=1),
]


@pytest.mark.parametrize("plan", DESCRIBED, ids=repr)
def test_a_description_is_what_its_plan_would_write_and_nothing_near_it(plan):
    spec = json.loads(json.dumps(plan.spec()))
    check_spec(spec)
    values = ["1", [], {"a": 1}, None, -1, 10**20, [[]]]
    for name in spec.keys() - {"kind"}:
        wrong = [{**spec, name: value} for value in values]
        if name not in ("pairs", "coins"):  # which are written where they hold alone
            wrong.append({key: value for key, value in spec.items() if key != name})
        for other in wrong:
            with pytest.raises(InvalidInput):
                check_spec(other)
    with pytest.raises(InvalidInput):
        check_spec({**spec, "more": 1})


def test_plans_of_others_are_described_as_they_like():
    check_spec({"kind": "own", "fits": "seven"})
    for kind in (None, {}, ["kfold"], 1):
        with pytest.raises(InvalidInput, match="kind must be the name of a kind of plan;"):
            check_spec({"kind": kind})
