"""Ray: tasks on one machine or many. Where each runs, retries after a worker or a machine is lost, and resources are Ray's."""

import math
import os
import sys
from contextlib import suppress
from typing import Any

from demottle.archive.run.engines.engine import Ended
from demottle.archive.run.order import Job, Order
from demottle.archive.run.rows import Row
from demottle.errors import DemottleError, InputError

_AHEAD = 2  # jobs given to Ray beyond those that run, so that no worker waits for the next one
_STORE = 80 << 20  # bytes; only rows travel, and this is about the least that Ray takes


class Cluster:
    """A connection to Ray; tasks in flight are bounded."""

    def __init__(
        self, order: Order, jobs: int, address: str | None, cpus: float, gpus: float, memory: float, attempts: int
    ) -> None:
        """Join a cluster, or begin one on this machine.

        Args:
            order: what is the same for all jobs.
            jobs: tasks at a time on this machine; with an address the cluster's size decides.
            address: of a cluster, as Ray takes it ("auto", "HOST:6379"); None: this machine.
            cpus, gpus: cores and accelerators that a task takes.
            memory: GiB that a task takes; 0: nothing is said of it.
            attempts: how often a series is begun that ends its worker.

        Raises:
            DemottleError: Ray is not installed.
            InputError: there is no cluster at the address, or no machine in it has what a task takes.
        """
        self._ray = _package(address)
        self._cpus, self._gpus = cpus, gpus
        self._start(jobs, address, order.threads)
        options: dict[str, Any] = {"num_cpus": cpus, "num_gpus": gpus, "max_retries": attempts - 1}
        if memory:
            options["memory"] = int(memory * 2**30)
        self._refuse_too_much(options)
        self._task = self._ray.remote(**options)(_task)
        self._order = self._ray.put(order)
        self._flying: dict[Any, Job] = {}

    def _start(self, jobs: int, address: str | None, threads: int) -> None:
        told: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR", "configure_logging": True}
        if address is None:
            os.environ.setdefault(
                "RAY_worker_niceness", "0"
            )  # as with --jobs; Ray's own, 15, starves on a busy machine
            if threads:  # as with --jobs; Ray says so by itself only where the user's surroundings say nothing
                os.environ.update(OMP_NUM_THREADS=str(threads), OMP_WAIT_POLICY="PASSIVE")
            here = {"num_cpus": max(1, math.ceil(jobs * self._cpus)), "object_store_memory": _STORE}
            told = {**told, **here, "include_dashboard": False, "address": "local"}
        else:
            told["address"] = address
        try:
            self._ray.init(**told)
        except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
            if address is None:
                raise InputError(
                    "Ray cannot begin on this machine; leave out --ray, --jobs does without it."
                ) from error
            raise InputError(
                f"Ray finds no cluster at {address}, or not with this token; begin one there with 'ray start --head', and use "
                "its token (RAY_AUTH_TOKEN)."
            ) from error

    def _refuse_too_much(self, options: dict[str, Any]) -> None:
        wanted = {"CPU": self._cpus, "GPU": self._gpus, "memory": options.get("memory", 0)}
        nodes = [one["Resources"] for one in self._ray.nodes() if one["Alive"]]
        if not any(all(node.get(name, 0) >= most for name, most in wanted.items() if most) for node in nodes):
            self._ray.shutdown()
            told = f"{self._cpus:g} cores, {self._gpus:g} GPUs, {wanted['memory'] / 2**30:g} GiB of memory"
            raise InputError(f"No machine of the cluster has what one series is to take ({told}); ask for less.")

    @property
    def workers(self) -> int:
        """How many tasks the cluster runs at a time, as it is now."""
        found = self._ray.cluster_resources()
        by_cpus = found.get("CPU", 0) // self._cpus if self._cpus else math.inf
        by_gpus = found.get("GPU", 0) // self._gpus if self._gpus else math.inf
        return max(1, int(min(by_cpus, by_gpus, 1e6)))

    @property
    def room(self) -> int:
        """How many more jobs are given to Ray now."""
        return max(0, self.workers + _AHEAD - len(self._flying))

    def submit(self, job: Job) -> None:
        """Give a job to Ray."""
        self._flying[self._task.remote(self._order, job)] = job

    def wait(self, seconds: float) -> list[Ended]:
        """Return what has ended."""
        if not self._flying:
            return []
        ready, _ = self._ray.wait(list(self._flying), num_returns=1, timeout=seconds)
        return [self._got(one, self._flying.pop(one)) for one in ready]

    def _got(self, reference: Any, job: Job) -> Ended:
        try:
            row, full = self._ray.get(reference)
            return Ended(job, row, full=full)
        except self._ray.exceptions.RayError as error:
            return Ended(job, died=_how(error), again=False)

    def close(self, now: bool) -> None:
        """Leave the cluster; one that was begun here ends."""
        with suppress(Exception):  # the cluster may be gone
            for reference in self._flying:
                self._ray.cancel(reference, force=True)
        self._ray.shutdown()


def _task(order: Order, job: Job) -> tuple[Row | None, str]:
    """What runs on a worker of Ray."""
    from demottle.archive.run.work import DiskFullError, work

    if order.threads:
        import cv2

        cv2.setNumThreads(order.threads)
    try:
        return work(order, job), ""
    except DiskFullError as error:
        return None, str(error)


def _how(error: Exception) -> str:
    kind = type(error).__name__
    said = {
        "OutOfMemoryError": "was ended by Ray, as the machine had no memory left",
        "WorkerCrashedError": "was killed or crashed",
        "NodeDiedError": "was lost with its machine",
    }
    return said.get(kind, f"ended ({kind})")


def _package(address: str | None) -> Any:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing leaves the machine
    if address is None and "ray" not in sys.modules:  # which takes it when it is imported
        os.environ.setdefault("RAY_AUTH_MODE", "token")  # its ports are open to the network
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise DemottleError('This needs Ray; install it with: pip install "demottle[cluster]".') from error
    return ray
