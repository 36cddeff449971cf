"""Runs on the workers of a Dask cluster: on each the same child process as on this machine.

What runs on a worker is in remote.py. This file must work where Dask is not installed, until an executor is made.
"""

import contextlib
import logging
import tempfile
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from ...core.errors import BackendError, CellbenchError
from ...core.extras import EXTRAS
from ...core.machine.environment import cores, cuda_driver
from ...core.machine.processes import deaf_to_ctrl_c
from ...core.mixed_values import Facts
from ...core.records.store import MARK, write_whole
from ...core.text.words import counted
from ..single_run import without_model
from . import remote
from .child import without_results
from .protocol import Listener, Outcome, Task

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster

T = TypeVar("T")

LOOK_SECONDS = 1.0  # between two looks at how many workers there are, and whether the scheduler still is
CONNECT_SECONDS = 10.0
GPU = "GPU"  # the Dask resource that a run on CUDA takes one of


class LostClusterError(CellbenchError):
    """The scheduler, or all that would work for it, is gone; what was finished before is saved."""

    exit_code = 3


class DaskExecutor:
    """Does runs on the workers of a Dask cluster, one a thread of a worker; see docs/cluster.md.

    client: a distributed.Client. Workers need the same version of cellbench.
    """

    def __init__(self, client: "Client") -> None:
        EXTRAS["dask"].require("DaskExecutor")
        self._client = client
        self._saw_gpu = False

    def run(self, tasks: Iterable[Task], listener: Listener) -> Generator[Outcome, None, None]:
        """Do the tasks as `Executor.run` says, as many at a time as workers have threads, or on CUDA cards.

        A run whose worker dies goes to another one, and on from its checkpoint if that worker sees the same folder.
        Raises LostClusterError when the scheduler is gone, and BackendError for a run on CUDA if there are workers and
        none has the resource GPU. Any exception ends the current runs.
        """
        news: SimpleQueue[Facts | str] = SimpleQueue()  # the facts of an event, or the key of a run that is done
        topic, left = f"cellbench-{uuid.uuid4().hex}", iter(tasks)
        begun: dict[str, Task] = {}  # by the key of its future, from before that is there: Ctrl-C may come in between
        current: dict[str, tuple[Task, Future[remote.WorkerResult]]] = {}
        self._client.subscribe_topic(topic, lambda event: news.put(event[1]))
        try:
            while True:
                self._check()
                while len(current) < max(1, self._places(current.values())) and (task := next(left, None)) is not None:
                    self._check_gpu([task])
                    listener(task.job, "started", {})
                    key = f"cellbench-{task.job.spec.method}-{uuid.uuid4().hex}"
                    begun[key] = task
                    future = self._submit(task, topic, key)
                    current[key] = task, future
                    future.add_done_callback(lambda done: news.put(str(done.key)))
                if not current:
                    return
                what = self._wait(news)
                if what is None:  # workers may have come meanwhile
                    self._check_gpu([task for task, _ in current.values()])
                elif isinstance(what, str):
                    if what in current:
                        del begun[what]
                        yield self._outcome(*current.pop(what))
                elif what["key"] in current:
                    listener(current[what["key"]][0].job, what["kind"], what["facts"])
        finally:
            for task in begun.values():
                _mark(task).unlink(missing_ok=True)
            self._end(list(begun), [future for _, future in current.values()], topic)

    def ask(self, question: Callable[[], T], plugins: Sequence[Path] = ()) -> T:
        """Return the result of a function from a child process of a worker; see `Executor.ask`.

        A worker with the resource GPU is asked if there is one, as what it answers about CUDA holds for its runs.
        """
        plugins = [Path(file).resolve() for file in plugins]
        try:
            workers = [address for address, one in self._workers().items() if _cards(one)] or None
            answer: T = self._client.submit(remote.ask, question, plugins, pure=False, workers=workers).result()
            return answer
        except BackendError:
            raise
        except Exception as error:
            raise BackendError(f"a worker of {self._address()} could not answer: {_in_a_line(error)}") from error

    def _workers(self) -> Mapping[str, Facts]:
        """Return what the scheduler knows of each worker, by its address."""
        workers: Mapping[str, Facts] = self._client.scheduler_info(n_workers=-1)["workers"]
        return workers

    def _places(self, current: "Iterable[tuple[Task, Future[remote.WorkerResult]]]") -> int:
        """Return how many runs like the current ones may be under way: one a thread, on CUDA one a card."""
        with contextlib.suppress(Exception):  # the scheduler is gone: `_wait` says so
            workers = self._workers().values()
            if any(task.job.spec.device == "cuda" for task, _ in current):
                return sum(map(_cards, workers))
            return sum(one["nthreads"] for one in workers)
        return 0

    def _check_gpu(self, tasks: Sequence[Task]) -> None:
        """Raise BackendError if one of the tasks needs CUDA and no worker has had the resource GPU so far.

        Without any worker nothing is raised, as the first may be about to start. Nor is it once a worker had the
        resource: one that died is started again.
        """
        if self._saw_gpu or not any(task.job.spec.device == "cuda" for task in tasks):
            return
        try:
            workers = self._workers().values()
        except Exception:  # the scheduler is gone
            self._check()
            return
        self._saw_gpu = any(map(_cards, workers))
        if workers and not self._saw_gpu:
            raise BackendError(
                f"none of the {counted(len(workers), 'worker')} of {self._address()} has the resource {GPU}, which "
                f'runs on CUDA need; start one with `dask worker … --resources "{GPU}=1"`, or give --device cpu'
            )

    def _address(self) -> str:
        scheduler = self._client.scheduler
        return str(scheduler.address) if scheduler else "the cluster"

    def _submit(self, task: Task, topic: str, key: str) -> "Future[remote.WorkerResult]":
        mark = _mark(task)
        with contextlib.suppress(OSError):  # nothing can be written: saving the record will say so
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.write_text(key, encoding="utf-8")
        resources = {GPU: 1} if task.job.spec.device == "cuda" else {}
        return self._client.submit(
            remote.run, _from_anywhere(task), mark, topic, key, key=key, pure=False, resources=resources
        )

    def _wait(self, news: "SimpleQueue[Facts | str]") -> Facts | str | None:
        """Return the next of the news or, now and then, None to look for new workers."""
        try:
            return news.get(timeout=LOOK_SECONDS)
        except Empty:
            self._check()
            return None

    def _check(self) -> None:
        if self._client.status != "running":
            raise LostClusterError(
                f"the scheduler at {self._address()} is gone; finished runs are saved, and the same command goes on"
            )

    def _outcome(self, task: Task, future: "Future[remote.WorkerResult]") -> Outcome:
        """Return the outcome of a future that is done. Raises LostClusterError if it was cancelled with its cluster."""
        from distributed import KilledWorker

        _mark(task).unlink(missing_ok=True)
        if future.status in ("cancelled", "lost"):
            self._check()
            raise LostClusterError(f"a run on {self._address()} was cancelled; the same command goes on")
        try:
            answer = future.result()
        except KilledWorker:
            reason = "the workers that did it died, one after the other; the system may have run out of memory"
            return Outcome(task.job, without_results(task.job, "failed", reason, {}), None)
        except Exception as error:
            return Outcome(task.job, without_results(task.job, "failed", _in_a_line(error), {}), None)
        finally:
            future.release()
        if isinstance(answer.outcome, str):
            return Outcome(task.job, without_results(task.job, answer.status, answer.outcome, answer.environment), None)
        record, predictions = answer.outcome
        if answer.model is not None and task.model is not None:
            try:
                _write(task.model, answer.model)
            except OSError as error:  # the record is worth more, and needs less room
                record = without_model(record, error)
        return Outcome(task.job, replace(record, environment=answer.environment), predictions)

    def _end(self, keys: Sequence[str], futures: "Sequence[Future[remote.WorkerResult]]", topic: str) -> None:
        """End the runs that nobody waits for any more, also those that have no child process yet."""
        with contextlib.suppress(Exception):  # there may be no cluster left
            self._client.unsubscribe_topic(topic)
            if keys:
                self._client.cancel(futures, force=True)
                self._client.run(remote.end, keys, on_error="ignore")


@contextlib.contextmanager
def connected(scheduler: str | None) -> Iterator[DaskExecutor]:
    """Yield an executor on the scheduler at this address, or on a cluster of this machine that ends with the block.

    Such a cluster has a worker for each two processor cores; the first has the CUDA device, if there is one. Raises
    BackendError without Dask, or without a scheduler there.
    """
    EXTRAS["dask"].require("--executor dask")
    import dask
    from distributed import Client, LocalCluster

    # Workers start child processes, which daemons may not. What they do is not in their threads, whose profile grows.
    # Dask would set numbers of threads in our own environment too: all later runs of this process had one thread then.
    settings = {
        "distributed.nanny.pre-spawn-environ": {},
        "distributed.worker.daemon": False,
        "distributed.worker.profile.enabled": False,
        "distributed.comm.timeouts.connect": CONNECT_SECONDS,
    }
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(settings))
        if scheduler is None:
            workers = max(1, cores() // 2)
            threads = str(max(1, cores() // workers))
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="cellbench-"))
            with deaf_to_ctrl_c():
                cluster = LocalCluster(
                    n_workers=1,
                    threads_per_worker=1,
                    host="127.0.0.1",
                    dashboard_address=None,
                    local_directory=folder,
                    silence_logs=logging.ERROR,  # on Ctrl-C workers warn that a run was cancelled
                    env={"OMP_NUM_THREADS": threads},
                    resources={GPU: 1} if cuda_driver() else {},
                )
            address = stack.enter_context(cluster)
            _add_workers(cluster, workers - 1)
        else:
            address = scheduler
        try:
            client = stack.enter_context(Client(address, timeout=CONNECT_SECONDS, set_as_default=False))
        except (OSError, ValueError, TimeoutError) as error:
            raise BackendError(
                f"--scheduler {scheduler}: no Dask scheduler answers there ({_in_a_line(error)}); give an address such "
                "as tcp://10.0.0.1:8786"
            ) from error
        yield DaskExecutor(client)


def _cards(worker: Facts) -> int:
    """Return how many runs on CUDA a worker may do at a time."""
    return int(worker.get("resources", {}).get(GPU, 0))


def _add_workers(cluster: "LocalCluster", n: int) -> None:
    """Start n workers like those of a cluster, but without their resources."""
    cluster.new_spec = {**cluster.new_spec, "options": {**cluster.new_spec["options"], "resources": {}}}
    cluster.scale(len(cluster.worker_spec) + n)


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, lambda out: out.write(content))


def _from_anywhere(task: Task) -> Task:
    """Return the task with whole paths, which mean the same in the folder of a worker."""
    return replace(
        task,
        plugins=[Path(file).resolve() for file in task.plugins],
        checkpoint=task.checkpoint and task.checkpoint.resolve(),
        model=task.model and task.model.resolve(),
    )


def _mark(task: Task) -> Path:
    """Return a file beside the record, with the run's key; a worker that sees it works on the same folder."""
    place = (task.checkpoint or Path("cellbench")).resolve()
    return place.with_suffix(MARK)


def _in_a_line(error: BaseException) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:300]
