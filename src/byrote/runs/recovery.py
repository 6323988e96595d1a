"""Carry out jobs on any executor, and recover from the death of its workers."""

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from typing import Any

from byrote.errors import IncompleteRun
from byrote.runs.executors import Pool
from byrote.runs.job import Failure, Job, Outcome, Task
from byrote.runs.worker import run_job

ATTEMPTS = 2  # at a fit whose worker dies while it runs alone, before it counts as failed


def outcomes(pool: Pool, task: Task, jobs: Iterable[Job]) -> Iterator[Outcome]:
    """Yield each outcome as its fit ends; a failed fit is an outcome too.

    Raises
    ------
    IncompleteRun
        If an executor of the user's breaks; one of byrote's own is started again.
    """
    line = _Line(pool, task, jobs)
    try:
        while line.fill():
            done, _ = wait(line.running, return_when=FIRST_COMPLETED)
            broken = [future for future in done if isinstance(future.exception(), BrokenExecutor)]
            for future in done.difference(broken):
                yield _outcome(future, line.running.pop(future))
            if broken:
                yield from line.recover()
    finally:
        for future in line.running:
            future.cancel()


class _Line:
    """The jobs under way and those that wait.

    When a worker dies, nobody knows whose fault it was. The jobs that were under way are suspects:
    they are run again one at a time, and only a job that was alone is charged with a death.
    """

    def __init__(self, pool: Pool, task: Task, jobs: Iterable[Job]) -> None:
        self._pool, self._task, self._queue = pool, task, iter(jobs)
        self._suspects: list[Job] = []
        self._deaths: dict[int, int] = {}
        self._alone = False
        self.running: dict[Future[Any], Job] = {}

    def fill(self) -> bool:
        """Submit as many jobs as may run now; false when none is left."""
        if self._suspects:
            if not self.running:
                self._submit(self._suspects.pop())
                self._alone = True
            return True
        while not (self._alone and self.running) and len(self.running) < self._pool.window:
            self._alone = False
            job = next(self._queue, None)
            if job is None:
                break
            self._submit(job)
        return bool(self.running)

    def _submit(self, job: Job) -> None:
        try:
            future = self._pool.submit(run_job, self._task, job)
        except BrokenExecutor as error:  # a worker died since the last look
            future = Future()
            future.set_exception(error)
        self.running[future] = job

    def recover(self) -> Iterator[Outcome]:
        """Start the pool again after a worker died."""
        if not self._pool.restart():
            raise IncompleteRun(
                "the executor broke because a worker died;"
                " start the same run again with a new executor"
            )
        jobs = list(self.running.values())
        self.running.clear()
        if not self._alone:
            self._suspects += jobs
            return
        job = jobs[0]
        self._deaths[job.fit] = self._deaths.get(job.fit, 0) + 1
        if self._deaths[job.fit] < ATTEMPTS:
            self._suspects.append(job)
        else:
            place = f"its worker process, which died {ATTEMPTS} times (out of memory?)"
            yield Outcome(job.fit, failure=Failure("WorkerDied", place))


def _outcome(future: "Future[Any]", job: Job) -> Outcome:
    error = future.exception()
    if error is not None:  # of the executor: those of the model are outcomes already
        return Outcome(job.fit, failure=Failure(type(error).__name__, "the executor"))
    outcome: Outcome = future.result()
    return outcome
