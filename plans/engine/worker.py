"""An RQ worker that runs many tasks at once, in threads: a stage waits for the network mostly.

Of RQ it keeps the queue, the jobs and the registry of workers. It leaves out what our leases and
the conductor do better: registries of started and failed jobs, heartbeats of jobs, results, death
penalties (they hit the wrong thread), the scheduler, and commands over Pub/Sub.
"""

import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from types import FrameType

from django.db import close_old_connections, connections
from redis.exceptions import RedisError
from rq.serializers import JSONSerializer
from rq.utils import now
from rq.worker import BaseWorker, WorkerStatus

from plans import conf
from plans.engine import jobs, presence
from plans.engine.database_watch import AWAY, DatabaseWatch
from plans.engine.intake import Intake
from plans.engine.process_figures import process_figures
from plans.engine.queue import QUEUE_NAME, connect
from plans.engine.redis_watch import RedisWatch
from plans.engine.ticker import Ticker

POLL_SECONDS = 1
"""How long a wait may last before the loop looks whether it shall stop."""
TAKE_TIMEOUT_SECONDS = POLL_SECONDS + 2
TAKE_MAX = 8
LOOK_SECONDS = 0.25
"""How often a longer pause looks whether it shall stop."""
REGISTRY_TIMEOUT_SECONDS = 2.0
SECOND_SIGNAL_AFTER_SECONDS = 1.0
"""Ctrl-C reaches a process twice: from the terminal, and from what started it."""

logger = logging.getLogger(__name__)


def _nothing(worker_name: str) -> None:
    pass


class ThreadedWorker(BaseWorker):
    """Runs up to `threads` tasks at once by calling `perform(task_id, worker_name)`.

    The hooks get the worker's name, which no other process ever has: `on_heartbeat` and
    `on_progress` every `conf.HEARTBEAT_SECONDS`, each in a thread of its own, `on_stopping` when no
    more tasks are taken, `on_shutdown` when the running ones have ended or the grace period is
    over. What a hook or `perform` raises is logged and stops nothing.
    """

    def __init__(
        self,
        perform: Callable[[int, str], None],
        *,
        threads: int = conf.WORKER_THREADS,
        grace_seconds: float = conf.WORKER_GRACE_SECONDS,
        on_heartbeat: Callable[[str], None] = _nothing,
        on_progress: Callable[[str], None] = _nothing,
        on_stopping: Callable[[str], None] = _nothing,
        on_shutdown: Callable[[str], None] = _nothing,
    ) -> None:
        host, pid = socket.gethostname(), os.getpid()
        super().__init__(
            [QUEUE_NAME],
            name=f"{host}:{pid}:{secrets.token_hex(4)}",
            # Taking is not repeated: the first try may have taken something.
            connection=connect(TAKE_TIMEOUT_SECONDS, retries=0),
            serializer=JSONSerializer,
            # RQ would talk to Redis here; this worker may start while Redis is away.
            prepare_for_work=False,
        )
        self.hostname, self.pid = host, pid
        self.threads = threads
        self.grace_seconds = grace_seconds
        self._perform = perform
        self._on_heartbeat = on_heartbeat
        self._on_progress = on_progress
        self._on_stopping = on_stopping
        self._on_shutdown = on_shutdown
        self._free = threading.Semaphore(threads)
        self._inbox: SimpleQueue[int | None] = SimpleQueue()
        self._figures_lock = threading.Lock()
        self._busy = 0
        self._database = DatabaseWatch()
        self._redis = RedisWatch()
        self._signalled_at: float | None = None
        self._intake = Intake(self.connection)
        # A client of its own with short time-outs: a slow Redis must not delay the next beat.
        registry = connect(REGISTRY_TIMEOUT_SECONDS, retries=0)
        self._presence = presence.Presence(self, registry, self._figures)

    @property
    def connection_timeout(self) -> int:
        """RQ raises the time-out of the connection to this: frozen Redis must not delay a stop."""
        return TAKE_TIMEOUT_SECONDS

    # Bursts, RQ's scheduler and the like are not for this worker, nor are their arguments.
    def work(self) -> bool:  # type: ignore[override]
        """Take and run tasks until `stop()` or SIGTERM; True if no task was left running.

        If it is False, threads still run: the caller ends the process with `os._exit`.
        """
        self.birth_date = self.last_heartbeat = now()
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._on_signal)
            signal.signal(signal.SIGINT, self._on_signal)
        runners = [
            threading.Thread(target=self._run_tasks, name=f"task-{number}", daemon=True)
            for number in range(1, self.threads + 1)
        ]
        tickers = [
            Ticker("lease heartbeat", conf.HEARTBEAT_SECONDS, self._beat),
            Ticker("progress notes", conf.HEARTBEAT_SECONDS, self._note_progress),
            Ticker("registry heartbeat", presence.INTERVAL_SECONDS, self._announce),
        ]
        for thread in (*runners, *tickers):
            thread.start()
        logger.info("Worker %s runs up to %d tasks at once.", self.name, self.threads)
        while not self._stop_requested:
            self._take_some()
        return self._leave(runners, tickers)

    def stop(self) -> None:
        """Ask the worker to leave; `work()` returns after a second and the running tasks' end."""
        self._stop_requested = True

    # --- Taking ------------------------------------------------------------------------------

    def _take_some(self) -> None:
        """Take as many tasks as threads are free, up to a few."""
        if self._presence.is_suspended:
            time.sleep(POLL_SECONDS)
            return
        if not self._free.acquire(timeout=POLL_SECONDS):
            return
        if self._database.is_away:
            # Whatever it took now, it would only take from who could run it.
            self._free.release()
            time.sleep(POLL_SECONDS)
            return
        places = 1
        while places < TAKE_MAX and self._free.acquire(blocking=False):
            places += 1
        task_ids: list[int] = []
        try:
            task_ids = self._intake.take(POLL_SECONDS, places)
            self._redis.answered()
        except RedisError as error:
            self._redis.failed(error)
            self._wait(self._redis.pause_seconds())
        for task_id in task_ids:
            self._inbox.put(task_id)
        if unused := places - len(task_ids):
            self._free.release(unused)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stop_requested and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)

    # --- Running -----------------------------------------------------------------------------

    def _run_tasks(self) -> None:
        jobs.runner.set(lambda task_id: self._perform(task_id, self.name))
        try:
            while (task_id := self._inbox.get()) is not None:
                self._run(task_id)
                self._free.release()
        finally:
            connections.close_all()

    def _run(self, task_id: int) -> None:
        with self._figures_lock:
            self._busy += 1
        started, failed = time.monotonic(), 0
        try:
            close_old_connections()
            try:
                jobs.run_task(task_id)
            finally:
                close_old_connections()
        except AWAY as error:
            failed = 1
            self._database.lost(error)
        # Not even SystemExit may end the thread: its place would be lost.
        except BaseException:
            failed = 1
            logger.exception(
                "Task %d broke out of its run; the conductor takes it up.",
                task_id,
                extra={"task": task_id},
            )
        with self._figures_lock:
            self._busy -= 1
            self.failed_job_count += failed
            self.successful_job_count += 1 - failed
            self.total_working_time += time.monotonic() - started

    # --- Being there -------------------------------------------------------------------------

    def _beat(self) -> None:
        close_old_connections()
        try:
            self._on_heartbeat(self.name)
            self._database.look()
        except AWAY as error:
            self._database.lost(error)
        close_old_connections()

    def _note_progress(self) -> None:
        close_old_connections()
        try:
            self._on_progress(self.name)
        except AWAY as error:
            self._database.lost(error)
        close_old_connections()

    def _announce(self) -> None:
        self.last_heartbeat = now()
        try:
            self._presence.announce()
        except RedisError as error:
            # The loop that takes jobs says it aloud, once.
            logger.debug("The worker could not show itself: %s", error)

    def _figures(self) -> dict[str, str | int | float]:
        with self._figures_lock:
            return {
                **process_figures(),
                "name": self.name,
                "threads": self.threads,
                "busy": self._busy,
                "state": self._status(),
                "successful_job_count": self.successful_job_count,
                "failed_job_count": self.failed_job_count,
                "total_working_time": f"{self.total_working_time:.3f}",
            }

    def _status(self) -> str:
        if self._presence.is_suspended:
            return WorkerStatus.SUSPENDED.value
        return (WorkerStatus.BUSY if self._busy else WorkerStatus.IDLE).value

    # --- Leaving -----------------------------------------------------------------------------

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        # Nothing here may take a lock, so it does not log: the main thread may hold that lock.
        if self._signalled_at is None:
            self._stop_requested = True
            self._signalled_at = time.monotonic()
        elif time.monotonic() - self._signalled_at > SECOND_SIGNAL_AFTER_SECONDS:
            os.write(2, b"Told to stop a second time: leaving at once.\n")
            os._exit(1)

    def _leave(self, runners: list[threading.Thread], tickers: list[Ticker]) -> bool:
        logger.info("Worker %s stops: waiting for %d running tasks.", self.name, self._busy)
        deadline = time.monotonic() + self.grace_seconds
        self._call(self._on_stopping)
        for _ in runners:
            self._inbox.put(None)
        for runner in runners:
            runner.join(max(0.0, deadline - time.monotonic()))
        left_running = sum(runner.is_alive() for runner in runners)
        for ticker in tickers:
            ticker.stop(REGISTRY_TIMEOUT_SECONDS)
        self._call(self._on_shutdown)
        try:
            self._presence.withdraw()
        except RedisError as error:
            logger.warning("Redis was not told that worker %s has stopped: %s", self.name, error)
        if left_running:
            logger.warning(
                "Worker %s leaves %d tasks that did not end in time.", self.name, left_running
            )
        else:
            logger.info("Worker %s has stopped.", self.name)
        return not left_running

    def _call(self, hook: Callable[[str], None]) -> None:
        try:
            close_old_connections()
            hook(self.name)
        except Exception:
            logger.exception("A hook of worker %s failed while it was stopping.", self.name)
