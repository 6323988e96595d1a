"""A program as a model: the same bits as in this process, under every executor, and what fails."""

import json
import os
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import byrote
from byrote.errors import IncompleteRun, InvalidInput
from byrote.models import Command
from byrote.runs.job import job_of
from byrote.runs.paths import RunPaths
from byrote.runs.run_folder import RunFolder
from numpy_trainer import SCRIPT, InProcess, some_data

from forks import ended, forked, has_ended

PLAN = byrote.Probes(30, fits=2)
QUICK = """import argparse, os

parser = argparse.ArgumentParser()
for name in ("--rows", "--seed", "--out"):
    parser.add_argument(name)
options = parser.parse_args()
with open(options.out, "w") as file:
    file.writelines(["id,log_prob\\n", *(f"{row},-1\\n" for row in range(120))])
"""  # a program that need not load NumPy
VARIED = """import argparse, random

parser = argparse.ArgumentParser()
for name in ("--rows", "--seed", "--out"):
    parser.add_argument(name)
options = parser.parse_args()
with open(options.rows) as file:
    generator = random.Random(options.seed + file.read())
lines = [f"{row},{-generator.random()!r}\\n" for row in range(120)]
with open(options.out, "w") as file:
    file.writelines(["id,log_prob\\n", *lines])
"""  # the same, whose numbers depend on the seed and the rows
CALL = f"{sys.executable} train.py --rows {{rows}} --seed {{seed}} --out {{log_prob}}"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder with the data and the script, in which commands start."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(SCRIPT)
    np.save("x.npy", some_data())
    return tmp_path


def score(model, plan=PLAN, **how):
    return byrote.score_memorization(model, some_data(), plan=plan, **how).to_frame()


@pytest.mark.parametrize("suffix", ["", ".npy"])
def test_a_program_gives_the_same_bits_as_the_model_in_this_process(suffix):
    assert score(Command(CALL + suffix, rehearse=False), seed=3).equals(score(InProcess(), seed=3))


@pytest.mark.usefixtures("forked_workers")
def test_every_executor_gives_the_same_bits(here):
    (here / "train.py").write_text(VARIED)
    model = Command(f"{CALL}.csv", rehearse=False)
    expected = score(model)
    assert expected["score"].nunique() > 20  # none like another
    with ThreadPoolExecutor(2) as threads:
        assert score(model, executor=threads).equals(expected)
    with ProcessPoolExecutor(1) as processes:
        assert score(model, executor=processes).equals(expected)
    assert score(model, executor="processes", workers=1).equals(expected)


def test_threads_run_programs_at_the_same_time(here):
    """Each waits for the other to have started."""
    (here / "meet.py").write_text(
        "import pathlib, sys, time\n"
        "pathlib.Path(f'here-{sys.argv[3]}').touch()\n"
        "until = time.monotonic() + 60\n"
        "while len(list(pathlib.Path().glob('here-*'))) < 2 and time.monotonic() < until:\n"
        "    time.sleep(0.01)\n"
        "assert time.monotonic() < until\n"
        "n = 120\n"
        "lines = [f'{i},{-i}' for i in range(n)]\n"
        "open(sys.argv[2], 'w').write('\\n'.join(['row,log_prob', *lines]))\n"
    )
    command = f"{sys.executable} meet.py {{rows}} {{log_prob}} {{seed}}"
    with ThreadPoolExecutor(2) as threads:
        model = Command(command, rehearse=False)
        plan = byrote.Probes(30, fits=2)
        byrote.score_memorization(model, some_data(), plan=plan, executor=threads)


def test_what_a_program_prints_is_in_a_log_that_others_cannot_read(here):
    (here / "train.py").write_text(f"{QUICK}\nprint(len(open(options.rows).readlines()), 'rows')\n")
    score(Command(CALL, rehearse=False), out="run")
    log = here / "run" / "logs" / "fit-000001.log"
    rows = len(byrote.training_rows("run", 1))
    assert log.read_text() == f"{rows} rows\n"
    assert not (here / "run" / "work").exists()
    if os.name == "posix":
        assert log.stat().st_mode & 0o77 == log.parent.stat().st_mode & 0o77 == 0


def test_placeholders_hold_what_they_say(here):
    (here / "show.py").write_text(
        "import json, os, pathlib, sys\n"
        "names = ['rows', 'ids', 'score_rows', 'score_ids', 'log_prob', 'seed', 'epochs', 'work']\n"
        "given = dict(zip(names, sys.argv[1:], strict=True))\n"
        "assert os.listdir(given['work']) == []\n"
        "for name in names[:4]:\n"
        "    given[name] = pathlib.Path(given[name]).read_text().split()\n"
        "pathlib.Path(f\"given-{given['seed']}.json\").write_text(json.dumps(given))\n"
        "scores = [json.dumps({'id': i, 'log_prob': -1.5 * len(i)}) for i in given['score_ids']]\n"
        "pathlib.Path(given['log_prob'] + '.jsonl').write_text('\\n'.join(scores))\n"
    )
    words = "{rows} {ids} {score_rows} {score_ids} {log_prob} {seed} {epochs} {work}"
    ids = [f"r{'x' * (row % 5)}{row}" for row in range(120)]
    model = Command(f"{sys.executable} show.py {words}", epochs=7, rehearse=False)
    plan = byrote.Probes(30, fits=2, bystanders=10)
    byrote.score_memorization(model, some_data(), ids=ids, plan=plan, out="run")
    run = byrote.open_run("run")
    for fit in range(2):
        seed = job_of(run.design, fit, 0).training_seed
        given = json.loads((here / f"given-{seed}.json").read_text())
        train, scored = byrote.training_rows(run, fit), run.design.counted_rows(fit)
        assert [int(row) for row in given["rows"]] == train.tolist()
        assert given["ids"] == [ids[row] for row in train]
        assert [int(row) for row in given["score_rows"]] == scored.tolist()
        assert len(scored) == 40
        assert given["score_ids"] == [ids[row] for row in scored]
        assert given["epochs"] == "7"
        expected = [-1.5 * len(ids[row]) for row in scored]
        assert run.folder.log_prob(fit).tolist() == expected


def test_the_rehearsal_is_told_and_can_be_turned_off(here):
    (here / "train.py").write_text(
        "import os\n"
        f"open('rehearsals', 'a').write(os.environ.get('BYROTE_REHEARSAL', '0'))\n{QUICK}"
    )
    score(Command(CALL), out="tried")
    assert (here / "rehearsals").read_text() == "100"
    score(Command(CALL, rehearse=False), out="not tried")
    assert (here / "rehearsals").read_text() == "10000"


def failure(model, **how):
    """The failure of the first fit, as the error of the run has it."""
    with pytest.raises(IncompleteRun) as error:
        score(model, out="run", **how)
    return str(error.value)


@pytest.mark.parametrize(
    ("end", "message"),
    [
        ("raise SystemExit(3)", "exited with code 3 after"),
        ("import os; os.kill(os.getpid(), 9)", "was ended by signal 9 after"),
        ("import os; os.remove(options.out)", "it must write one file {log_prob}"),
        ("open(options.out + '.csv', 'w')", "it wrote 2"),
        ("open(options.out, 'w').write('id,log_prob\\n0,-1\\n')", "must be there; 119 of 120"),
        ("open(options.out, 'a').write('0,-1\\n')", "row 120 of the file (counted from 0) repeats"),
        ("open(options.out, 'a').write('120,-1\\n')", "has an unknown id"),
        ("open(options.out, 'w').write('id,loss\\n0,-1\\n')", "a column 'log_prob' must hold"),
    ],
)
def test_a_failure_says_what_happened_and_where_the_log_is(here, end, message):
    (here / "train.py").write_text(f"{QUICK}\n{end}\n")
    text = failure(Command(CALL, rehearse=False))
    assert message in text
    assert str(here / "run" / "logs" / "fit-000000.log") in text


def test_a_program_is_ended_at_its_time_limit_with_what_it_started(here):
    (here / "train.sh").write_text("sleep 600 &\necho $! > child\nwait\n")
    model = Command("sh train.sh {rows} {log_prob}", timeout=0.75, rehearse=False)
    text = failure(model)
    assert "was ended after its timeout of 0.75 s; see" in text
    assert not _runs(int((here / "child").read_text()))


def _runs(process):
    """Whether a process still runs, after some time to end."""
    for _ in range(500):
        stat = Path(f"/proc/{process}/stat")
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return False
        time.sleep(0.01)
    return True


def test_a_failed_rehearsal_names_its_log_and_writes_no_run(here):
    (here / "train.py").write_text("print('secret'); raise SystemExit(5)")
    with pytest.raises(InvalidInput, match="the program exited with code 5 after") as error:
        score(Command(CALL), out="run")
    log = Path(str(error.value).rpartition("see ")[2])
    assert log.read_text() == "secret\n"
    log.unlink()
    assert "secret" not in str(error.value)
    assert not (here / "run").exists()


def test_a_killed_run_does_only_what_is_missing(here, capfd):
    """The main process is killed in the middle of a fit's program."""
    (here / "train.py").write_text(
        f"{VARIED}\nimport os, time\nopen('started', 'a').write('x')\n"
        "while os.path.exists('slow') and os.path.getsize('started') > 2: time.sleep(0.05)\n"
    )
    (here / "slow").touch()
    words = ["x.npy", "--model", f"cmd:{CALL}", "--set", "rehearse=false", "--plan", "probes"]
    words += ["--probes", "30", "--fits", "4", "--out", "run"]
    process = forked("score", *words, folder=here)
    while not (here / "started").exists() or (here / "started").stat().st_size < 3:
        time.sleep(0.02)
        assert not has_ended(process)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    (here / "slow").unlink()
    done = RunFolder.open(RunPaths(here / "run"))
    assert done.missing() == [2, 3]
    before = done.paths.fit(0).read_bytes()
    plan = byrote.Probes(30, fits=4)
    score(Command(CALL, rehearse=False), plan, out="run")
    assert done.paths.fit(0).read_bytes() == before
    resumed = byrote.open_run("run").memorization().to_frame()
    assert resumed.equals(score(Command(CALL, rehearse=False), plan))


@pytest.mark.usefixtures("forked_workers")
@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_run_ends_its_programs(here, workers):
    (here / "train.py").write_text(
        "import os, time\nopen(f'started-{os.getpid()}', 'w')\ntime.sleep(600)"
    )
    words = ["x.npy", "--model", f"cmd:{CALL}", "--set", "rehearse=false", "--plan", "probes"]
    words += ["--probes", "30", "--fits", "4", "--workers", str(workers), "--out", "run"]
    process = forked("score", *words, folder=here)
    while len(started := list(here.glob("started-*"))) < workers:
        time.sleep(0.02)
        assert not has_ended(process)
    os.kill(process, signal.SIGTERM)
    assert ended(process, here)[0] == 130
    assert not any(_runs(int(path.name.partition("-")[2])) for path in started)


def test_time_limit_and_rehearsal_may_change_when_a_run_is_resumed(here):
    (here / "train.py").write_text(QUICK)
    score(Command(CALL), out="run")
    score(Command(CALL, timeout=60, rehearse=False), out="run")
    with pytest.raises(byrote.RunMismatch, match="model command"):
        score(Command(f"{CALL} "), out="run")


def test_a_part_of_the_data_is_named_by_ids():
    part = byrote.load("x.npy", records=60)
    plan = byrote.Probes(20, fits=2)
    with pytest.raises(InvalidInput, match="name records by ids, {ids}, where --records"):
        byrote.score_memorization(Command(CALL), part, plan=plan)
    words = CALL.replace("--rows {rows}", "--ids {ids} --score {score_ids}")
    by_ids = Command(words, rehearse=False)
    scores = byrote.score_memorization(by_ids, part, plan=plan).to_frame()
    assert scores.equals(byrote.score_memorization(InProcess(), part, plan=plan).to_frame())


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"command": "python train.py"}, "must have {rows} or {ids}"),
        ({"command": "python train.py {rows}"}, "must have {rows} or {ids}"),
        ({"command": "x {rows} {log_prop}"}, "{log_prop}, did you mean log_prob?"),
        ({"command": "x '{rows} {log_prob}"}, "must be a command line; no closing quotation"),
        ({"command": 3}, "command must be text; got 3"),
        ({"command": "x {rows} {log_prob} {epochs}"}, "epochs must be a number for {epochs}"),
        ({"command": CALL, "epochs": 0}, "epochs must be an integer of at least 1"),
        ({"command": CALL, "timeout": -1}, "timeout must be a number above 0"),
        ({"command": CALL, "rehearse": "no"}, "rehearse must be True or False"),
        ({"command": "no-such-program {rows} {log_prob}"}, "cannot start no-such-program"),
    ],
)
def test_a_bad_command_is_refused_in_one_sentence(here, parameters, message):
    before = sorted(here.iterdir())
    with pytest.raises(InvalidInput) as error:
        score(Command(**parameters), out="run")
    assert message in str(error.value)
    assert sorted(here.iterdir()) == before


def test_a_program_is_neither_tracked_nor_kept_nor_forecast(byrote_):
    np.save("x.npy", some_data())
    words = ("score", "x.npy", "--model", f"cmd:{CALL}", "--out", "run")
    for option, message in (
        (("--track", "1"), "track needs a model"),
        (("--keep-models", "release"), "get_weights"),
        (("--dry-run", "--set", "rehearse=false"), "show in whole fits alone"),
    ):
        code, _, err = byrote_(*words, *option)
        assert code == 2, err
        assert message in err
    code, _, err = byrote_("plan", "x.npy", "--model", f"cmd:{CALL}", "--set", "rehearse=false")
    assert code == 2
    assert "show in whole fits alone" in err
