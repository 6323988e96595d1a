"""Execution of jobs on any executor, with recovery from the death of its workers."""

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from typing import Any

from byrote.errors import IncompleteRun
from byrote.runs.executors.pool import Pool
from byrote.runs.job import Failure, Job, Outcome, Task
from byrote.runs.worker import run_job

ATTEMPTS = 2  # of a fit that runs alone and whose worker dies, before it counts as failed


def outcomes(pool: Pool, task: Task, jobs: Iterable[Job]) -> Iterator[Outcome]:
    """Yield the outcome of each fit, failed ones included, as it ends.

    A broken executor of byrote's is restarted; one of the user's raises IncompleteRun.
    """
    queue = _JobQueue(pool, task, jobs)
    try:
        while queue.fill():
            done, _ = wait(queue.running, return_when=FIRST_COMPLETED)
            broken = [future for future in done if isinstance(future.exception(), BrokenExecutor)]
            for future in done.difference(broken):
                yield _outcome(future, queue.running.pop(future))
            if broken:
                yield from queue.recover()
    finally:
        for future in queue.running:
            future.cancel()


class _JobQueue:
    """Running and waiting jobs.

    When a worker dies, which job killed it is unknown. All jobs that were running are suspects and
    run again one at a time; only a job that ran alone is charged with a death.
    """

    def __init__(self, pool: Pool, task: Task, jobs: Iterable[Job]) -> None:
        self._pool, self._task, self._queue = pool, task, iter(jobs)
        self._suspects: list[Job] = []
        self._deaths: dict[int, int] = {}
        self._alone = False
        self.running: dict[Future[Any], Job] = {}

    def fill(self) -> bool:
        """Submit as many jobs as may run now; return whether any is left."""
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
        except BrokenExecutor as error:  # a worker died meanwhile
            future = Future()
            future.set_exception(error)
        self.running[future] = job

    def recover(self) -> Iterator[Outcome]:
        """Restart the pool after a worker died; yield the failure of a job that killed it again."""
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
    if error is not None:  # the executor's; the model's are outcomes already
        return Outcome(job.fit, failure=Failure(type(error).__name__, "the executor"))
    outcome: Outcome = future.result()
    return outcome
