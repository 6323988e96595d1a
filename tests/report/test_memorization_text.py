"""What is printed is what was computed, and nothing in it is taken for markup."""

import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import byrote
from byrote import KFold, LeaveOneOut, Membership, Probes
from byrote.data.records import Records
from byrote.report import forecast, memorization
from byrote.report.format import byte_size, duration, number, plain
from byrote.report.memorization import render, to_json
from byrote.runs.kinds.arrays import Forecast
from byrote.scores.memorization.diagnostics import DiagnosticsSummary
from byrote.scores.outlook.outlook import Outlook
from byrote.stats.memorization import ESTIMATORS

from estimators import Kernel, PureNoise

X = np.random.default_rng(0).normal(size=(30, 2))
LABELS = np.array(["even", "odd"] * 15)
APART = np.concatenate([np.zeros((6, 1)), [[50.0]], np.full((3, 1), 9.0)])

RESULTS = {
    "k-fold": lambda: byrote.score_memorization(PureNoise(2.0), X, plan=KFold(5, 4), labels=LABELS),
    "one repeat": lambda: byrote.score_memorization(PureNoise(), X, plan=KFold(5, 1)),
    "leave-one-out": lambda: byrote.score_memorization(Kernel(), X, plan=LeaveOneOut()),
    "probes": lambda: byrote.score_memorization(PureNoise(), X, plan=Probes(4, 6)),
    "not random": lambda: byrote.score_memorization(
        PureNoise(), X, plan=Membership(np.random.default_rng(1).random((8, 30)) < 0.5)
    ),
    "infinite": lambda: byrote.score_memorization(
        KernelDensity(kernel="tophat"), APART, plan=LeaveOneOut()
    ),
    "nothing scored": lambda: byrote.score_memorization(
        PureNoise(), X, plan=Membership(np.ones((3, 30), dtype=bool))
    ),
}


@pytest.fixture(params=RESULTS.values(), ids=RESULTS, scope="module")
def result(request):
    return request.param()


@pytest.fixture(scope="module")
def labelled():
    return RESULTS["k-fold"]()


def printed(content, width=120):
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(content)
    return console.file.getvalue()


def value(word):
    """The inverse of number(), without its code."""
    word = word.replace(",", "").replace("∞", "inf")
    return np.nan if word == "–" else float(word)


def cells(line):
    return re.split(r" {2,}", line.strip())


def row(shown, title):
    return next(cells(line) for line in shown.splitlines() if line.startswith(title))


def same(word, expected):
    if np.isfinite(expected):
        assert value(word) == pytest.approx(expected, rel=0.051, abs=0.0051), word
    else:
        np.testing.assert_equal(value(word), expected)


def test_the_distribution_is_that_of_the_summary(result):
    shown, summary = printed(render(result)), result.summary()
    titles = {
        "mean ": "mean",
        "median": "median",
        "5th percentile": "q0.05",
        "95th percentile": "q0.95",
        "99.9th percentile": "q0.999",
        "lowest": "minimum",
        "highest": "maximum",
        "skewness": "skewness",
    }
    assert row(shown, "nats") == ["nats", "score M", "matched", "mean_log"]
    for title, key in titles.items():
        _, *found = row(shown, title)
        assert len(found) == 3
        for word, name in zip(found, ESTIMATORS, strict=True):
            statistic = summary.distribution[name][key]
            estimate, _, error = word.partition(" ± ")
            same(estimate, statistic.value)
            assert bool(error) != np.isnan(statistic.standard_error)
            if error:
                same(error, statistic.standard_error)
    for word, name in zip(row(shown, "split-half rank correlation")[1:], ESTIMATORS, strict=True):
        same(word, getattr(summary.reliability, name))


def test_records_come_by_falling_score(result):
    shown = printed(render(result, top=7))
    if len(result.order()) == 0:
        return
    lines = shown[shown.index("highest scores M") :].splitlines()[2:]
    for line, i in zip(lines, result.order()[:7], strict=False):
        found = cells(line)
        assert found[0] == str(result.ids[i])
        if result.labels is not None:
            assert found.pop(1) == result.labels[i]
        same(found[1], result.score[i])
        same(found[2], result.matched[i])
        same(found[3], result.mean_log[i])
        assert (found[4] == "–") == np.isnan(result.interval[i, 0])
        for word, end in zip(found[4][1:-1].split(", "), result.interval[i], strict=False):
            if found[4] != "–":
                same(word, end)
        same(found[5], result.log_prob_in[i])
        same(found[6], result.log_prob_out[i])
        same(found[7], result.q_value[i])


@pytest.mark.parametrize("top", [0, 1, 3, 1000])
def test_as_many_records_as_asked_for(labelled, top):
    shown = printed(render(labelled, top=top))
    assert ("highest scores M" in shown) == (top > 0)
    listed = [line for line in shown.splitlines() if re.match(r"\d+ +(even|odd) ", line)]
    assert len(listed) == min(top, 30)
    assert labelled.summary().significant == 0  # a table of those memorized would come first


def test_it_says_what_was_done(labelled):
    shown = printed(render(labelled), width=300)
    assert "memory · PureNoise(common=0.0, spread=2.0)" in shown
    assert "· kfold(folds=5, repeats=4) ·" in shown
    assert "· seed 0" in shown
    assert "30 of 30 records scored in 20 fits\n" in shown
    assert "INCOMPLETE" not in shown


def test_settings_that_are_the_default_are_left_out():
    result = byrote.score_memorization(KernelDensity(bandwidth=0.5), X, plan=KFold(2, 2))
    shown = printed(render(result), width=300)
    assert "· KernelDensity(bandwidth=0.5, leaf_size=40) · kfold(folds=2, repeats=2) ·" in shown


def test_what_has_no_score_is_counted():
    matrix = np.ones((3, 30), dtype=bool)
    matrix[:, 0] = False
    matrix[0, 1] = False
    shown = printed(render(byrote.score_memorization(Kernel(), X, plan=Membership(matrix))))
    assert "1 of 30 records scored in 3 fits; 1 never trained on; 28 never held out" in shown


def test_a_nested_model_is_described():
    model = make_pipeline(StandardScaler(), KernelDensity(bandwidth=0.75))
    shown = printed(render(byrote.score_memorization(model, X, plan=KFold(3, 1))), width=1000)
    assert "Pipeline(" in shown
    assert "KernelDensity" in shown


def test_an_incomplete_run_says_so(labelled):
    shown = printed(render(replace(labelled, missing=(3, 5, 8))))
    assert "30 of 30 records scored in 17 fits" in shown
    assert "INCOMPLETE: 3 fits are missing" in shown
    assert to_json(replace(labelled, missing=(3, 5, 8)))["missing_fits"] == [3, 5, 8]


def test_a_partly_finished_run_is_rendered(tmp_path):
    byrote.score_memorization(PureNoise(), X, plan=KFold(5, 2), out=tmp_path / "run")
    fits = sorted((tmp_path / "run" / "fits").glob("*.parquet"))
    fits[0].unlink()
    partial = byrote.open_run(tmp_path / "run").memorization(partial=True)
    shown = printed(render(partial))
    assert "in 9 fits" in shown
    assert "INCOMPLETE: 1 fit is missing" in shown


def flat(content):
    return " ".join(printed(content).split())


def test_discoveries_are_counted():
    class Signal(PureNoise):
        def fit(self, X, y=None):
            self.known_ = X[:, 0]
            return super().fit(X)

        def score_samples(self, X):
            rote = (X[:, 0] < 12) & np.isin(X[:, 0], self.known_)
            return super().score_samples(X) + 20 * rote

    found = byrote.score_memorization(Signal(), np.arange(50.0)[:, None], plan=KFold(5, 6))
    summary = found.summary()
    assert 12 <= summary.significant < 25
    shown = flat(render(found))
    assert f"{summary.significant} records ({summary.share_significant:.1%}) are memorized" in shown
    assert "at a 5% false discovery rate" in shown
    assert "p-values: moderated t." in shown
    table = re.split(r"\nmemorized *\n", printed(render(found, top=3)))[1]
    lines = table.splitlines()[1:4]
    strongest = np.flatnonzero(found.q_value <= 0.05)
    strongest = strongest[np.argsort(-found.mean_log[strongest])][:3]
    assert [cells(line)[0] for line in lines] == found.ids[strongest].astype(str).tolist()
    listed = to_json(found, top=3)["memorized"]
    assert [record["id"] for record in listed] == found.ids[strongest].tolist()


def test_a_plan_that_can_discover_nothing_says_so():
    one = byrote.score_memorization(PureNoise(), X, plan=KFold(2, repeats=1))
    assert "no record can reach significance; use more repeats (--repeats)." in flat(render(one))
    assert "No record is found to be memorized" in flat(render(one))
    assert f"No standard errors: {one.summary().standard_error_reason}." in flat(render(one))


LEVERS = {
    "probes": (Probes(20, 4), "use more fits (--fits)"),
    "pairs": (Probes(20, 4, pairs=True), "use more fits (--fits)"),
    "leave-one-out": (LeaveOneOut(), "use more repeats (--repeats)"),
    "matrix": (
        Membership(np.eye(4, 30, dtype=bool) | np.eye(4, 30, 4, dtype=bool), randomized=True),
        "use more fits",
    ),
}


@pytest.mark.parametrize(("plan", "lever"), LEVERS.values(), ids=LEVERS)
def test_the_plan_s_own_lever_is_named(plan, lever):
    result = byrote.score_memorization(PureNoise(), X, plan=plan, test="exact")
    assert f"no record can reach significance; {lever}." in flat(render(result))


UNITS = {
    "two repeats": (KFold(5, 2), "only 2 repeats"),
    "three repeats": (KFold(5, 3), "only 3 repeats"),
    "four repeats": (KFold(5, 4), None),
    "one repeat": (KFold(5, 1), None),
    "two pairs": (Probes(4, 4, pairs=True), "only 2 pairs"),
    "many pairs": (Probes(4, 8, pairs=True), None),
    "two on a side": (
        Membership((np.arange(8) < 6)[:, None] ^ (np.arange(30) % 2 == 1)),
        "only 2 values on a side",
    ),
}


@pytest.mark.parametrize(("plan", "said"), UNITS.values(), ids=UNITS)
def test_errors_of_few_units_are_marked(plan, said):
    shown = flat(render(byrote.score_memorization(PureNoise(), X, plan=plan)))
    assert ("Standard errors are uncertain" in shown) == (said is not None)
    assert said is None or said in shown


def trusted(labelled, **changed):
    """What is printed where the diagnostics are these."""
    given = {"mc_error": 0.1, "effective_sample_size": 60.0, "k_hat_above": 0.0}
    limits = {"k_hat_limit": 0.53, "k_hat_above_limit": 0.0, "draws": 128}
    summary = replace(
        labelled.summary(), diagnostics=DiagnosticsSummary(**{**given, **limits, **changed})
    )
    return flat(render(replace(labelled, _summary=summary)))


NAN = float("nan")
POOR = {
    "good": ({}, False),
    "few": ({"effective_sample_size": 4.9, "draws": None}, True),
    "5 %": ({"effective_sample_size": 6.3}, True),
    "just enough": ({"effective_sample_size": 6.5}, False),
    "heavy tails": ({"k_hat_above_limit": 0.51}, True),
    "tails where draws are unknown": (
        {"k_hat_above": 0.6, "k_hat_limit": NAN, "k_hat_above_limit": NAN, "draws": None},
        True,
    ),
    "half": ({"k_hat_above_limit": 0.5}, False),
    "only errors": (
        {
            "effective_sample_size": NAN,
            "k_hat_above": NAN,
            "k_hat_limit": NAN,
            "k_hat_above_limit": NAN,
        },
        False,
    ),
}


@pytest.mark.parametrize(("changed", "poor"), POOR.values(), ids=POOR)
def test_log_likelihoods_that_rest_on_few_draws_are_called_underestimates(labelled, changed, poor):
    shown = trusted(labelled, **changed)
    assert ("underestimates that vary between fits, so scores are noisy" in shown) == poor
    assert ("Use more draws." in shown) == poor
    heavy = changed.get("k_hat_above_limit", 0.0) > 0 or changed.get("k_hat_above", 0.0) > 0
    assert ("(root mean square, the bias of a high k-hat not counted)" in shown) == heavy
    assert ("k-hat, the heaviness of the weights' tail, above 0.7" in shown) != (
        changed.get("k_hat_above") is NAN
    )


def test_few_draws_that_were_chosen_for_scores_are_not_said_to_make_them_noisy(labelled):
    description = {**labelled.description, "settled": {"draws": 64}}
    shown = trusted(replace(labelled, description=description), effective_sample_size=3.0)
    assert "are underestimates" in shown
    assert "log-likelihoods themselves need more" in shown
    assert "scores are noisy" not in shown


@pytest.mark.parametrize(("gain", "said"), [(10.1, True), (9.9, False), (-50, False), (NAN, False)])
def test_a_collapsing_density_is_called_degenerate(labelled, gain, said):
    found = {key: dict(value) for key, value in labelled.summary().distribution.items()}
    found["score"]["median"] = replace(found["score"]["median"], value=2 * gain)  # two values
    shown = flat(
        render(replace(labelled, _summary=replace(labelled.summary(), distribution=found)))
    )
    assert ("gain more than 10 nats per value" in shown) == said


def test_the_difference_of_likelihoods_is_printed(labelled):
    found = labelled.summary().mean_log_prob
    difference = number(found["in"].value - found["out"].value)
    assert f"held out, difference {difference}" in flat(render(labelled))


def test_a_choice_of_records_is_called_one(labelled):
    data = {**labelled.description["data"], "options": {"records": "30"}}
    shown = flat(render(replace(labelled, description={**labelled.description, "data": data})))
    assert "30 of 30 records (random subset, --records) scored in 20 fits" in shown


def test_intervals_stay_whole_on_a_narrow_terminal(labelled):
    shown = printed(render(labelled), width=80)
    assert len(re.findall(r"\[-?[\d.e-]+, -?[\d.e-]+\]", shown)) == 10
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown.partition("highest scores M")[2]


def test_how_many_a_discovery_takes():
    two = byrote.score_memorization(PureNoise(), X, plan=KFold(10, repeats=2), test="exact")
    assert two.summary().needed == 6
    assert "at least 6 records must reach it for any to be found" in flat(render(two))
    many = byrote.score_memorization(PureNoise(), X, plan=KFold(10, repeats=4), test="exact")
    assert "must reach it" not in flat(render(many))


def test_without_p_values_it_says_why():
    shown = flat(render(RESULTS["not random"]()))
    assert "there are no p-values: the plan's membership is not known to be random." in shown
    assert "false discovery" not in shown


BITS = {  # the model's class and space; the shape of the records
    "pixels": ("byrote.models.vae.vae.VAE", "auto", [4, 5], True),
    "units of the data": ("byrote.models.vae.vae.VAE", "real", [4, 5], False),
    "another's model": ("mine.VAE", "auto", [4, 5], False),
    "rows": ("byrote.models.vae.vae.VAE", "auto", [20], False),
}


@pytest.mark.parametrize(("model", "space", "shape", "said"), BITS.values(), ids=BITS)
def test_bits_per_dimension_where_the_units_are_known(labelled, model, space, shape, said):
    given = labelled.description
    model = {"name": model, "parameters": {"space": space}}
    description = {**given, "model": model, "data": {**given["data"], "shape": shape}}
    shown = " ".join(printed(render(replace(labelled, description=description))).split())
    held_out = labelled.summary().mean_log_prob["out"]
    bits = -held_out.value / np.log(2) / 20
    assert (f"({number(bits)} bits per dimension)." in shown) == said
    assert ("bits per" in shown) == said


def test_a_result_saved_before_mean_log_p_was_kept_is_rendered(labelled):
    old = replace(labelled.summary(), mean_log_prob={})
    assert "Mean log p" in printed(render(labelled))
    assert "Mean log p" not in printed(render(replace(labelled, _summary=old)))


def test_labels_have_their_own_rows(labelled):
    shown = printed(render(labelled, top=0))
    for name in ("even", "odd"):
        mine = labelled.score[labelled.labels == name]
        _, scored, median, q95, memorized = row(shown, name)
        assert scored == "15"
        same(median, np.median(mine))
        same(q95, np.quantile(mine, 0.95))
        assert memorized == str((labelled.q_value[labelled.labels == name] <= 0.05).sum())


def test_many_labels_are_cut_short_and_it_says_so():
    labels = np.arange(30) % 25
    shown = printed(render(byrote.score_memorization(Kernel(), X, plan=KFold(3, 1), labels=labels)))
    assert "… and 5 more" in shown
    few = byrote.score_memorization(Kernel(), X, plan=KFold(3, 1), labels=labels % 20)
    assert "more\n" not in printed(render(few, top=0)).split("memorized")[-1]


MARKUP = ["[red]", "[/red]", "[/]", "[bold]x[/bold]", "a\\[b]", ":smile:", "[link=file:///x]y"]


@pytest.mark.parametrize("word", MARKUP)
def test_markup_is_shown_and_not_obeyed(word):
    labels = np.array([word, f"{word} too"] * 15)
    ids = np.array([f"{word}{i}" for i in range(30)])
    records = Records(X, ids=ids, labels=labels, source=word)
    result = byrote.score_memorization(PureNoise(), records, plan=KFold(3, 2))
    shown = printed(render(result, top=30))
    lines = shown.splitlines()
    assert [line for line in lines if line.startswith(f"{word} · ")]
    for name in ids:
        assert any(line.startswith(f"{name} ") and f" {word} " in line for line in lines)
    assert row(shown.split("memorized")[-1], word)[:2] == [word, "15"]


def test_a_parameter_may_look_like_markup():
    result = byrote.score_memorization(PureNoise(), X, plan=KFold(3, 1))
    result.description["model"]["parameters"]["kernel"] = "[/bold]"
    assert "kernel=[/bold]" in printed(render(result))


NUMBERS = {
    0.0: "0.00",
    1.0: "1.00",
    -1.0: "-1.00",
    0.1: "0.10",
    0.5: "0.50",
    4.4: "4.40",
    4.444: "4.44",
    9.99: "9.99",
    10.0: "10.0",
    12.34: "12.3",
    -12.34: "-12.3",
    100.0: "100",
    -178.4: "-178",
    6500.0: "6,500",
    1234567.8: "1,234,568",
    0.05: "0.05",
    0.0123: "0.012",
    -0.0123: "-0.012",
    0.00012: "0.00012",
    1e-10: "1e-10",
    np.nan: "–",
    np.inf: "∞",
    -np.inf: "-∞",
}


@pytest.mark.parametrize(("given", "expected"), NUMBERS.items())
def test_number(given, expected):
    assert number(given) == expected
    assert number(np.float64(given)) == expected


def test_a_number_can_be_read_back():
    rng = np.random.default_rng(0)
    for given in rng.normal(size=500) * 10.0 ** rng.uniform(-6, 6, 500):
        assert value(number(given)) == pytest.approx(given, rel=0.051)


def strict(data):
    """Through a JSON text that knows no NaN and no Infinity."""

    def refuse(word):
        raise AssertionError(word)

    return json.loads(json.dumps(data, allow_nan=False), parse_constant=refuse)


def as_json(number):
    if np.isnan(number):
        return None
    return float(number) if np.isfinite(number) else ("inf" if number > 0 else "-inf")


def test_json_holds_the_same_numbers(result):
    data = to_json(result, top=5)
    assert strict(data) == data
    assert set(data) == {
        "description",
        "missing_fits",
        "summary",
        "cautions",
        "memorized",
        "most_memorized",
    }
    summary = result.summary()
    assert data["summary"]["records"] == summary.records == 30 or len(result) == 10
    assert data["summary"]["scored"] == summary.scored
    assert data["summary"]["unscored"] == summary.unscored
    assert data["summary"]["significant"] == summary.significant
    assert data["summary"]["share_significant"] == as_json(summary.share_significant)
    for name in ESTIMATORS:
        for key, statistic in summary.distribution[name].items():
            assert data["summary"]["distribution"][name][key] == {
                "value": as_json(statistic.value),
                "standard_error": as_json(statistic.standard_error),
            }
    rows = result.order()[:5]
    assert [one["id"] for one in data["most_memorized"]] == result.ids[rows].tolist()
    for one, i in zip(data["most_memorized"], rows, strict=True):
        assert one["score"] == as_json(result.score[i])
        assert one["mean_log_low"] == as_json(result.interval[i, 0])
        assert one["q_value"] == as_json(result.q_value[i])
        assert one["n_out"] == result.n_out[i]
        assert one["reason"] == ""
    assert data["description"]["seed"] == 0


def test_json_of_an_infinite_score():
    data = to_json(RESULTS["infinite"]())
    assert data["most_memorized"][0]["score"] == "inf"
    assert data["most_memorized"][0]["log_prob_out"] == "-inf"
    assert data["summary"]["distribution"]["score"]["maximum"]["value"] == "inf"
    assert data["summary"]["distribution"]["score"]["skewness"]["value"] is None


@pytest.mark.parametrize(("top", "count"), [(0, 0), (3, 3), (1000, 30)])
def test_json_holds_as_many_records_as_asked_for(labelled, top, count):
    assert len(to_json(labelled, top=top)["most_memorized"]) == count
    assert to_json(labelled, top=1)["most_memorized"][0]["label"] in ("even", "odd")


PLAIN = {
    "nan": (np.nan, None),
    "inf": (np.inf, "inf"),
    "-inf": (-np.inf, "-inf"),
    "float32 nan": (np.float32("nan"), None),
    "float64 inf": (np.float64("-inf"), "-inf"),
    "int64": (np.int64(3), 3),
    "bool": (np.bool_(True), True),
    "text": (np.str_("a"), "a"),
    "tuple": ((1, (np.nan,)), [1, [None]]),
    "nested": ({1: {"a": [np.inf, np.int8(2)]}}, {"1": {"a": ["inf", 2]}}),
    "none": (None, None),
    "word": ("NaN", "NaN"),
}


@pytest.mark.parametrize(("given", "expected"), PLAIN.values(), ids=PLAIN)
def test_plain(given, expected):
    found = plain(given)
    assert found == expected
    assert type(found) is type(expected)
    assert strict(found) == expected


def test_standard_output_is_the_json_alone(capsys, labelled):
    from byrote.cli.verbs.show import print_result

    print_result(labelled, "json", top=2)
    out, err = capsys.readouterr()
    assert json.loads(out) == to_json(labelled, top=2)
    assert not err


def test_standard_output_is_the_text_alone(capsys, labelled):
    from byrote.cli.verbs.show import print_result

    print_result(labelled, "text", top=2)
    out, err = capsys.readouterr()
    assert out == printed(render(labelled, top=2))
    assert "\x1b" not in out
    assert not err


def test_standard_output_is_the_csv_alone(capsys, labelled):
    import pandas as pd

    from byrote.cli.verbs.show import print_result

    print_result(labelled, "csv", top=2)
    frame = pd.read_csv(io.StringIO(capsys.readouterr().out), keep_default_na=False)
    assert list(frame.columns) == list(labelled.to_frame().columns)
    np.testing.assert_array_equal(frame["score"], labelled.score)
    assert (frame["label"] == LABELS).all()


def test_two_formats_are_none():
    from byrote.cli.output import output_format

    with pytest.raises(byrote.InvalidInput, match="--json and --csv exclude each other"):
        output_format(True, True)
    assert [output_format(*flags) for flags in ((True, False), (False, True))] == ["json", "csv"]
    assert output_format(False) == "text"


DURATIONS = {
    0.0: "0 ms",
    0.0123: "12 ms",
    0.5: "500 ms",
    1: "1 s",
    59.6: "60 s",
    119: "119 s",
    120: "2 min",
    3600: "60 min",
    7000: "117 min",
    7200: "2.0 h",
    86400: "24.0 h",
    1e6: "277.8 h",
}
SIZES = {
    0: "0 bytes",
    7: "7 bytes",
    999: "999 bytes",
    1000: "1.0 kB",
    1550: "1.6 kB",
    45_000: "45 kB",
    999_000: "999 kB",
    1_000_000: "1.0 MB",
    2_340_000: "2.3 MB",
    512_000_000: "512 MB",
    1e9: "1.0 GB",
    3.2e10: "32 GB",
    5e12: "5000 GB",
}


@pytest.mark.parametrize(("seconds", "expected"), DURATIONS.items())
def test_duration(seconds, expected):
    assert duration(seconds) == expected


@pytest.mark.parametrize(("count", "expected"), SIZES.items())
def test_size(count, expected):
    assert byte_size(count, rough=True) == expected


FORECAST = Forecast(
    fits=1200,
    pilot_records=2048,
    pilot_fits=9,
    seconds_per_fit=33.4,
    seconds=40_084.0,
    overhead=4.0,
    memory=1_250_000_000,
    disk=64_000_000,
)
PROSPECTS = Outlook(
    tested=60_000,
    values_in=90.0,
    values_out=10.0,
    standard_error=0.8214,
    detectable=5.25,
    detectable_noisy=9.75,
    unsure=False,
    smallest_p=1e-10,
    epsilon=0.9,
)


def forecast_text(forecast_=FORECAST, **changes):
    return flat(forecast.of_records(forecast_, replace(PROSPECTS, **changes)))


def test_a_forecast_holds_its_numbers():
    assert forecast_text() == (
        "1,200 fits, each about 33 s: 11.1 h in total, of which 4 s not for fits"
        " memory about 1.2 GB, disk about 64 MB"
        " per record 90 values in training and 10 held out;"
        " standard error of mean_log about 0.82 nats"
        " finds a single one of 60,000 records with 80% power if training raises its"
        " log-likelihood by 5.25 nats, a noisy one by 9.75"
        " smallest p-value of the exact test 1e-10; could prove an epsilon of 0.90 at best"
        " (rough: extrapolated from 9 pilot fits of 2,048 records)"
    )
    kept = forecast_text(replace(FORECAST, release=True))
    assert kept.startswith("1,200 fits and one on all records, each about 33 s")
    unknown = forecast_text(standard_error=float("nan"), values_in=4.5, epsilon=0.0)
    assert "4.5 values in" in unknown
    assert "there are too few fits for standard errors" in unknown
    assert "cannot prove any privacy loss, however large it is" in unknown


def test_a_forecast_warns_of_a_plan_that_finds_no_single_record():
    text = forecast_text(detectable=float("inf"), reason="there are too few fits")
    assert "WARNING: this plan can find no single record" in text
    assert "there are too few fits" in text
    exact = forecast_text(detectable=float("nan"), reason="no spread")
    assert "only the exact test can find single records: no spread" in exact
    assert "unsure, as noise in the pilot is far from normal" in forecast_text(unsure=True)


def test_all_titles_are_known():
    assert set(memorization._TITLES) == set(ESTIMATORS)
