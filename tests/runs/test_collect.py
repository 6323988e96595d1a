"""Fits made elsewhere: files as they come, in every format and unit, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import byrote
from byrote.data.log_likelihoods import Units
from byrote.errors import InvalidInput
from byrote.runs.collect import collect, plan_elsewhere
from byrote.runs.execute import locked_folder
from byrote.runs.job import job_of
from byrote.runs.paths import RunPaths
from numpy_trainer import InProcess, some_data

FITS, N = 4, 60
PLAN = byrote.Probes(20, fits=FITS, bystanders=30)
X = some_data(N)
IDS = [f"record {row}" for row in range(N)]


def log_prob_of(run, fit):
    """All records' log-likelihoods by the model of a fit."""
    seed = job_of(run.design, fit, 0).training_seed
    model = InProcess(seed).fit(X[byrote.training_rows(run, fit)])
    return model.score_samples(X)


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """What byrote itself computes, as a frame, and the log-likelihoods by fit."""
    folder = tmp_path_factory.mktemp("scored") / "run"
    frame = byrote.score_memorization(InProcess(), X, ids=IDS, plan=PLAN, out=folder).to_frame()
    run = byrote.open_run(folder)
    return frame, np.array([log_prob_of(run, fit) for fit in range(FITS)])


@pytest.fixture
def waiting(tmp_path, monkeypatch):
    """The folder of a run that waits for fits, as the current folder's "run"."""
    monkeypatch.chdir(tmp_path)
    plan_elsewhere(byrote.Records(X, IDS), PLAN, 0, Path("run"))
    return Path("run")


def write_csv(path, ids, values, columns="id,log_prob"):
    rows = [f"{i},{float(value)!r}" for i, value in zip(ids, values, strict=True)]
    Path(path).write_text("\n".join([columns, *rows, ""]))


def write_all(values, name="fit-{}.csv", ids=IDS):
    for fit, each in enumerate(values):
        write_csv(name.format(fit), ids, each)
    return [Path(name.format(fit)) for fit in range(len(values))]


def frame_of(run):
    return byrote.open_run(run).memorization().to_frame()


# -- formats and units ----------------------------------------------------------------------------


def as_csv(fit, values):
    write_csv(f"fit-{fit}.csv", IDS, values)


def as_csv_backwards_by_row(fit, values):
    write_csv(f"out{fit}.csv", range(N - 1, -1, -1), values[::-1], "row,log_prob")


def as_parquet(fit, values):
    pq.write_table(pa.table({"id": IDS, "log_prob": values}), f"fit_{fit:06d}.parquet")


def as_json_lines(fit, values):
    lines = [json.dumps({"id": i, "log_prob": float(v)}) for i, v in zip(IDS, values, strict=True)]
    Path(f"{fit}.jsonl").write_text("\n".join(lines))


def as_array(fit, values):
    np.save(f"log_prob-{fit}.npy", values)


FORMATS = (as_csv, as_csv_backwards_by_row, as_parquet, as_json_lines, as_array)


@pytest.mark.parametrize("write", FORMATS)
def test_every_format_gives_the_bits_that_byrote_computes(waiting, scored, write):
    before = set(Path().iterdir())
    for fit, values in enumerate(scored[1]):
        write(fit, values)
    files = sorted(set(Path().iterdir()) - before)
    assert collect(waiting, files).added == (0, 1, 2, 3)
    assert frame_of(waiting).equals(scored[0])


def test_several_fits_in_one_file_and_a_folder_of_files(waiting, scored):
    np.save("all.npy", scored[1])
    assert collect(waiting, [Path("all.npy")]).added == (0, 1, 2, 3)
    fit = np.repeat(np.arange(FITS), N)
    table = {"fit": fit, "id": IDS * FITS, "log_prob": scored[1].ravel()}
    Path("files").mkdir()
    pq.write_table(pa.table(table), "files/long.parquet")
    assert collect(waiting, [Path("files")]).unchanged == (0, 1, 2, 3)
    assert frame_of(waiting).equals(scored[0])


def test_records_that_a_fit_does_not_count_need_no_value(waiting, scored):
    rows = byrote.open_run(waiting).design.counted_rows(0)
    assert len(rows) == 50
    for fit, values in enumerate(scored[1]):
        np.save(f"{fit}.npy", values[rows])
        write_csv(f"{fit}.csv", np.array(IDS)[rows], values[rows])
    collect(waiting, [Path(f"{fit}.npy") for fit in range(FITS)])
    again = collect(waiting, [Path(f"{fit}.csv") for fit in range(FITS)])
    assert again.unchanged == (0, 1, 2, 3)
    assert frame_of(waiting).equals(scored[0])


@pytest.mark.parametrize(
    ("units", "numbers"),
    [
        (Units(loss=True), lambda nats: -nats),
        (Units(bits=True), lambda nats: nats / np.log(2)),
        (Units(mean_of="values"), lambda nats: nats / 3),
        (Units(loss=True, bits=True, mean_of="values"), lambda nats: -nats / 3 / np.log(2)),
    ],
)
def test_other_units_are_converted(waiting, scored, units, numbers):
    files = write_all(numbers(scored[1]))
    collect(waiting, files, units)
    run = byrote.open_run(waiting)
    rows = run.design.counted_rows(2)
    assert np.allclose(run.folder.log_prob(2), scored[1][2][rows], rtol=1e-14)


def test_means_over_tokens_are_multiplied_by_their_number(waiting, scored):
    tokens = np.arange(1, N + 1)
    table = {"id": IDS, "loss": -scored[1][0] / tokens, "tokens": tokens}
    pq.write_table(pa.table(table), "fit-0.parquet")
    collect(waiting, [Path("fit-0.parquet")], Units(loss=True, mean_of="tokens"))
    run = byrote.open_run(waiting)
    rows = run.design.counted_rows(0)
    assert np.allclose(run.folder.log_prob(0), scored[1][0][rows], rtol=1e-14)


# -- file by file ---------------------------------------------------------------------------------


def test_files_come_one_by_one_in_any_order_and_twice(byrote_, scored):
    np.savez("x.npz", x=X, i=IDS)
    words = ("x.npz", "--key", "x", "--ids", "i", "--plan", "probes", "--probes", "20")
    words += ("--bystanders", "30", "--out", "run", "--fits")
    assert byrote_("plan", *words, "4")[0] == 0
    write_all(scored[1])
    for place, fit in enumerate((2, 0, 3, 1)):
        code, out, _ = byrote_("collect", "run", f"fit-{fit}.csv")
        assert code == (0 if place == 3 else 4)
        assert f"Collected fits: {fit}. {place + 1} of 4 fits are there." in out
    code, out, _ = byrote_("collect", "run", "fit-0.csv", "fit-3.csv", "--json")
    assert code == 0
    printed = json.loads(out)
    assert (printed["added"], printed["unchanged"], printed["missing"]) == ([], [0, 3], [])
    assert frame_of("run").equals(scored[0])
    assert byrote_("plan", *words, "6")[0] == 0  # extends the run
    assert byrote_("show", "run")[0] == 4
    for verb in ("check", "epsilon", "figures"):
        more = ("--max-score", "9") if verb == "check" else ()
        assert byrote_(verb, "run", *more)[0] in (0, 3, 4), verb


def test_an_incomplete_run_says_how_to_complete_it(waiting, scored):
    collect(waiting, write_all(scored[1])[:3])
    with pytest.raises(byrote.IncompleteRun, match="1 of 4 fits are missing .*byrote collect"):
        byrote.open_run(waiting).memorization()


def test_a_fit_is_replaced_only_if_asked(waiting, scored):
    files = write_all(scored[1])
    collect(waiting, files)
    write_csv(files[1], IDS, scored[1][1] + 1)
    with pytest.raises(InvalidInput, match="fit 1 is there already with other numbers"):
        collect(waiting, files)
    assert frame_of(waiting).equals(scored[0])
    done = collect(waiting, files, replace=True)
    assert (done.added, done.unchanged) == ((1,), (0, 2, 3))


def test_tasks_that_collect_at_the_same_time_wait_for_one_another(waiting, scored):
    from concurrent.futures import ThreadPoolExecutor

    files = write_all(scored[1])
    with ThreadPoolExecutor(1) as executor:
        with locked_folder(RunPaths(waiting)):
            task = executor.submit(collect, waiting, files)
            assert not byrote.open_run(waiting).finished
        assert task.result().added == (0, 1, 2, 3)


@pytest.fixture
def damaged(waiting, scored):
    """A complete run with a truncated fit, and the files that it was collected from."""
    files = write_all(scored[1])
    collect(waiting, files)
    stored = waiting / "fits" / "fit-000002.parquet"
    stored.write_bytes(stored.read_bytes()[:-100])
    return files


def test_a_damaged_fit_is_missing_after_the_next_collection(waiting, scored, damaged):
    with pytest.warns(UserWarning, match="fit-000002.parquet is damaged.*this fit is missing now"):
        assert collect(waiting, damaged[:1]).run.missing() == [2]
    assert collect(waiting, damaged).added == (2,)
    assert frame_of(waiting).equals(scored[0])


def test_a_damaged_fit_is_missing_after_the_plan_is_written_again(waiting, scored, damaged):
    with pytest.warns(UserWarning, match="this fit is done again"):
        plan_elsewhere(byrote.Records(X, IDS), PLAN, 0, waiting)
    assert collect(waiting, damaged).added == (2,)
    assert frame_of(waiting).equals(scored[0])


# -- what is refused ------------------------------------------------------------------------------


def changed(values, row, value):
    values = values.copy()
    values[row] = value
    return values


BAD = {
    "missing record": (lambda v: write_csv("fit-0.csv", IDS[1:], v[0][1:]), "1 of 50 are missing"),
    "double": (lambda v: write_csv("fit-0.csv", [*IDS[:-1], IDS[0]], v[0]), "row 59 of the file"),
    "unknown": (lambda v: write_csv("fit-0.csv", [*IDS[:-1], "me"], v[0]), "has an unknown id"),
    "no id": (lambda v: write_csv("fit-0.csv", [*IDS[:-1], ""], v[0]), "has an unknown id"),
    "row": (
        lambda v: write_csv("fit-0.csv", range(1, N + 1), v[0], "row,log_prob"),
        "row 59 of the file (counted from 0) has an unknown row",
    ),
    "NaN": (lambda v: write_csv("fit-0.csv", IDS, changed(v[0], 0, np.nan)), "is NaN or empty"),
    "inf": (
        lambda v: write_csv("fit-0.csv", IDS, changed(v[0], 0, np.inf)),
        "row 0 of the file (counted from 0) is an infinite log-likelihood",
    ),
    "words": (
        lambda v: Path("fit-0.csv").write_text("id,log_prob\nrecord 0,high\n"),
        "holds text in column 'log_prob' of numbers",
    ),
    "no column": (
        lambda v: write_csv("fit-0.csv", IDS, v[0], "id,logprob"),
        "a column 'log_prob' must hold the numbers; it has 'id', 'logprob', did you mean",
    ),
    "a loss": (lambda v: write_csv("fit-0.csv", IDS, v[0], "id,loss"), "; --loss takes losses"),
    "no key": (
        lambda v: write_csv("fit-0.csv", IDS, v[0], "name,log_prob"),
        "a column 'id' or 'row' must say which record",
    ),
    "numbers as ids": (
        lambda v: write_csv("fit-0.csv", range(N), v[0]),
        "has an unknown id; byrote rows prints those of the run's 60 records (such rows: 60 of",
    ),
    "half numbers as ids": (
        lambda v: pq.write_table(
            pa.table({"id": np.arange(N) / 2, "log_prob": v[0]}), "fit-0.parquet"
        ),
        "column 'id' must hold integers or strings; it holds double",
    ),
    "another fit": (lambda v: write_csv("fit-4.csv", IDS, v[0]), "fit must be 0 to 3"),
    "no fit": (lambda v: write_csv("fit.csv", IDS, v[0]), "a file must name its fit"),
    "a short array": (
        lambda v: np.save("fit-0.npy", v[0][:55]),
        "one number for each record, 60 or 50; got 55",
    ),
    "texts": (lambda v: np.save("fit-0.npy", np.array(IDS)), "must hold real numbers"),
    "cube": (lambda v: np.save("fit-0.npy", v[:, :, None]), "(fits, records); got float64 (4, 60,"),
    "too many fits": (lambda v: np.save("a.npy", np.vstack([v, v])), "fit must be 0 to 3"),
    "run": (
        lambda v: pq.write_table(
            pa.table({"id": IDS, "log_prob": v[0], "run": ["f00"] * N}), "fit-0.parquet"
        ),
        "fit-0.parquet belongs to another run, 'f00'",
    ),
    "trained on others": (
        lambda v: pq.write_table(
            pa.table({"id": IDS, "log_prob": v[0], "included": np.zeros(N)}), "fit-0.parquet"
        ),
        "trains on other records than the plan's fit",
    ),
    "two of one fit": (
        lambda v: [write_csv(f"{name}-0.csv", IDS, v[0]) for name in ("a", "b")],
        "b-0.csv: fit 0 comes from a-0.csv too",
    ),
    "two fits from one file": (
        lambda v: [write_csv(f"fit-{fit}.csv", IDS, v[0]) for fit in (0, 1)],
        "fit 1 has the very numbers of fit 0 (fit-0.csv), which trains on other records",
    ),
    "fits that are no numbers": (
        lambda v: pq.write_table(
            pa.table({"id": IDS, "log_prob": v[0], "fit": [0.5] * N}), "fit-0.parquet"
        ),
        "has no number of a fit",
    ),
    "columns of one name": (
        lambda v: Path("fit-0.csv").write_text("id,log_prob,id\na,1,b\n"),
        "column names must differ",
    ),
    "not JSON": (lambda v: Path("fit-0.jsonl").write_text("{"), "line 1 is not"),
    "not Parquet": (lambda v: Path("fit-0.parquet").write_text("x"), "not Parquet"),
    "ragged": (
        lambda v: Path("fit-0.csv").write_text("id,log_prob\na,1,2\n"),
        "every row must have 2 cells",
    ),
    "no file": (lambda v: Path("fit-0.csv").symlink_to("nowhere"), "the file does not exist"),
    "an empty folder": (lambda v: Path("fit-0").mkdir(), "has no file of .csv"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_in_one_sentence_and_nothing_is_written(
    waiting, scored, byrote_, case
):
    make, message = BAD[case]
    before = set(Path().iterdir())
    make(scored[1])
    files = sorted(set(Path().iterdir()) - before)
    if len(files) == 1:  # a good one beside it
        write_csv("z-3.csv", IDS, scored[1][3])
        files.append(Path("z-3.csv"))
    code, out, err = byrote_("collect", waiting, *sorted(files))
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert "record 0" not in err
    assert any(str(file) in err for file in files)
    assert not any((waiting / "fits").iterdir())


def test_the_same_numbers_for_two_fits_are_refused_later_too(waiting, scored):
    files = write_all(scored[1])
    collect(waiting, files[:2])
    write_csv("fit-2.csv", IDS, scored[1][0])
    with pytest.raises(InvalidInput, match="fit 2 has the very numbers of fit 0"):
        collect(waiting, [Path("fit-2.csv")])


def test_files_of_byrotes_own_runs_are_known(waiting, tmp_path, scored):
    byrote.score_memorization(InProcess(), X, ids=IDS, plan=PLAN, out=tmp_path / "other")
    fits = sorted((tmp_path / "other" / "fits").iterdir())
    with pytest.raises(InvalidInput, match="fit-000000.parquet belongs to another run"):
        collect(waiting, fits)
    with pytest.raises(InvalidInput, match="holds fits that byrote makes itself"):
        collect(tmp_path / "other", write_all(scored[1]))
    with pytest.raises(InvalidInput, match="holds no run"):
        collect(tmp_path, write_all(scored[1]))


def test_a_file_of_another_fit_is_refused_by_what_it_trained_on(waiting, scored):
    run = byrote.open_run(waiting)
    for fit in (0, 1):
        included = run.design.included(0).astype(int)
        table = {"id": IDS, "log_prob": scored[1][fit], "included": included}
        pq.write_table(pa.table(table), f"fit-{fit}.parquet")
    collect(waiting, [Path("fit-0.parquet")])
    with pytest.raises(InvalidInput, match="fit-1.parquet: row .* trains on other records"):
        collect(waiting, [Path("fit-1.parquet")])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--mean-of", "tokens"), "column 'tokens' is missing"),
        (("--fit", "9"), "fit must be 0 to 3, as the run has; got 9"),
    ],
)
def test_options_that_do_not_fit_the_file_are_refused(waiting, scored, byrote_, words, message):
    write_all(scored[1])
    code, _, err = byrote_("collect", waiting, "fit-0.csv", *words)
    assert (code, err.count("\n")) == (2, 1)
    assert message in err


def test_the_option_names_the_fit_of_a_file_without_a_number(waiting, scored, byrote_):
    write_csv("log_prob.csv", IDS, scored[1][2])
    assert "Collected fits: 2." in byrote_("collect", waiting, "log_prob.csv", "--fit", "2")[1]
