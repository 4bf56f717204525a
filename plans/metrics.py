"""Metrics for Prometheus (S9.6): read at each scrape from the database and from Redis.

What a process adds up it adds up from the journals, so the figures are the same whichever process
is asked, and whatever became of the workers. A scrape reads what came since the last one.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from plans import conf
from plans.engine import queue
from plans.engine.worker_info import WorkerInfo
from plans.errors import RedisUnavailable
from plans.models import ACTIVE_STATES, EventKind, PlanState, TaskState
from plans.queries import load, renewals
from plans.queries.journal_sums import BOUNDS_SECONDS, STAGE_ENDS, Group, Sums
from plans.queries.totals import Totals

OUTCOMES = {kind.value: kind.value.removeprefix("stage.") for kind in STAGE_ENDS}
ROLLBACKS = {
    EventKind.TASK_ROLLING_BACK: "started",
    EventKind.TASK_ROLLED_BACK: "completed",
    EventKind.TASK_ROLLBACK_FAILED: "failed",
}
DELIVERY = "deliver_config"
"""The stage that waits until every instance acknowledges its configuration."""
ACK = "ACK_"
BOUNDS = [*map(str, BOUNDS_SECONDS), "+Inf"]

Labels = tuple[str, ...]
Values = Mapping[Any, float]
"""A value for each `Labels`."""
Events = Mapping[Group, Sums]


class Metrics(Collector):
    """Everything there is to measure; what it adds up it remembers from scrape to scrape."""

    def __init__(self) -> None:
        self._totals = Totals()

    def collect(self) -> Iterator[Metric]:
        look = self._totals.look()
        yield from _states(look.tasks)
        yield from _load(look.tasks)
        yield _stage_durations(look.events)
        yield from _events(look.events)
        yield from _renewals()
        yield from _workers()


def exposition(accept: str) -> tuple[bytes, str]:
    """All metrics, and their content type: what the header `Accept` asks for, or plain text."""
    encode, content_type = choose_encoder(accept)
    return encode(_registry), content_type


def _states(tasks: Mapping[str, int]) -> Iterator[Metric]:
    plans = load.plans_by_state()
    shown = {(state,): plans.get(state, 0) for state in PlanState.values}
    yield _gauges("plans", "Plans by state.", ("state",), shown)
    shown = {(state,): tasks.get(state, 0) for state in TaskState.values}
    yield _gauges("tasks", "Tasks by state.", ("state",), shown)


def _load(tasks: Mapping[str, int]) -> Iterator[Metric]:
    in_flight = load.in_flight()
    yield _gauges(
        "tasks_in_flight",
        "Tasks that hold a slot: leased by a worker, parked until a time, called for a worker.",
        ("stage", "holding"),
        in_flight,
    )
    # Read a moment apart, so their difference may be below nothing.
    set_off = max(0, sum(tasks.get(s, 0) for s in ACTIVE_STATES) - sum(in_flight.values()))
    yield _gauge(
        "tasks_waiting_for_slot",
        "Tasks that would be in flight if their plan had a free slot.",
        set_off + load.pending_in_current_waves(),
    )
    yield _gauge(
        "acknowledgement_waits",
        "Tasks whose instances are yet to acknowledge a configuration.",
        sum(count for (stage, _), count in in_flight.items() if stage == DELIVERY),
    )
    yield _gauges(
        "leader_age_seconds",
        "Since when the leader of a role has not been seen.",
        ("role",),
        {(role,): age for role, age in load.leaders_ages().items()},
    )


def _stage_durations(events: Events) -> Metric:
    counts: dict[Labels, list[int]] = defaultdict(lambda: [0] * len(BOUNDS))
    seconds: Counter[Labels] = Counter()
    for group, sums in events.items():
        if group.kind in OUTCOMES:
            labels = (group.stage, group.direction, OUTCOMES[group.kind])
            counts[labels][group.bucket] += sums.events
            seconds[labels] += sums.seconds  # type: ignore[assignment]
    family = HistogramMetricFamily(
        "bluegreen_stage_duration_seconds",
        "How long stage runs took, their waits included.",
        labels=("stage", "direction", "outcome"),
    )
    for key, buckets in sorted(counts.items()):
        family.add_metric(key, list(zip(BOUNDS, accumulate(buckets), strict=True)), seconds[key])
    return family


def _events(events: Events) -> Iterator[Metric]:
    def count(label: Callable[[Group], Labels | None]) -> Mapping[Labels, int]:
        counts: Counter[Labels] = Counter()
        for group, sums in events.items():
            labels = label(group)
            if labels is not None:
                counts[labels] += sums.events
        return counts

    def of_kind(kind: EventKind) -> Mapping[Labels, int]:
        return {(): 0} | dict(count(lambda group: () if group.kind == kind else None))

    yield _counters("events", "Events of all journals.", ("kind",), count(lambda g: (g.kind,)))
    failed = ("stage", "direction", "code")
    yield _counters("stage_failures", "Failed stage runs.", failed, count(_failure))
    yield _counters(
        "stage_retries",
        "Failed stage runs that were tried again by their stage's own policy.",
        failed,
        count(lambda group: _failure(group) if group.is_tried_again else None),
    )
    yield _counters(
        "acknowledgements",
        "How waiting for the instances' acknowledgement ended.",
        ("outcome",),
        count(_acknowledgement),
    )
    yield _counters(
        "task_retries",
        "Tasks that were taken up again by an operator.",
        (),
        of_kind(EventKind.TASK_RETRY_STARTED),
    )
    yield _counters(
        "task_takeovers",
        "Tasks whose worker was lost and that another took over.",
        (),
        of_kind(EventKind.TASK_TAKEN_OVER),
    )
    none = {(outcome,): 0 for outcome in ROLLBACKS.values()}
    ended = count(lambda g: (ROLLBACKS[EventKind(g.kind)],) if g.kind in ROLLBACKS else None)
    yield _counters("task_rollbacks", "Rollbacks of tasks.", ("outcome",), none | dict(ended))


def _failure(group: Group) -> Labels | None:
    if group.kind != EventKind.STAGE_FAILED:
        return None
    return (group.stage, group.direction, group.code)


def _acknowledgement(group: Group) -> Labels | None:
    if group.kind == EventKind.STAGE_COMPLETED and group.stage == DELIVERY:
        return ("success",)
    if group.kind == EventKind.STAGE_FAILED and group.code.startswith(ACK):
        return (group.code.removeprefix(ACK).lower(),)
    return None


def _renewals() -> Iterator[Metric]:
    figures = renewals.figures()
    yield _gauge("renewals", "Active renewals of keys.", figures.active)
    yield _gauge("renewal_processes", "Renewal processes that are alive.", figures.processes)
    yield _gauge("renewal_keys", "Keys that are kept alive.", figures.keys)
    yield _gauge("renewal_keys_due", "Keys that are due and not renewed yet.", figures.due)
    yield _gauge(
        "renewal_worst_lateness_seconds",
        "From due to done, the worst of the last one or two minutes.",
        figures.worst_ms / 1000,
    )
    yield _gauge("renewal_redis_away", "Redis servers that do not answer.", len(figures.away))
    outcomes = {
        ("renewed",): figures.renewed,
        ("failed",): figures.failed,
        ("skipped",): figures.skipped,
    }
    yield _counters("key_renewals", "What became of keys that were due.", ("outcome",), outcomes)
    yield _counters("key_renewals_late", "Keys that were renewed late.", (), {(): figures.late})


def _workers() -> Iterator[Metric]:
    try:
        client = queue.impatient(conf.READY_TIMEOUT_SECONDS)
        workers, depth = queue.workers(connection=client), queue.depth(connection=client)
    except RedisUnavailable:
        # What cannot be read is left out: nought would be a lie.
        yield _gauge("redis_up", "Whether the Redis of queue and sockets answers.", 0)
        return
    yield _gauge("redis_up", "Whether the Redis of queue and sockets answers.", 1)
    yield _gauge("queue_depth", "Rung tasks that no worker has taken from the queue.", depth)
    yield _gauge("workers", "Worker processes that are alive.", len(workers))
    threads = sum(worker["threads"] for worker in workers)
    yield _gauge("worker_threads", "Threads of all workers.", threads)
    busy = sum(worker["busy"] for worker in workers)
    yield _gauge("worker_threads_busy", "Threads of all workers that run a task.", busy)
    yield from _each_worker(workers)


def _each_worker(workers: list[WorkerInfo]) -> Iterator[Metric]:
    """What each process says of itself. It does so through Redis, so only one address is scraped,
    and a worker needs no port."""

    def of_each(value: Callable[[WorkerInfo], float | None]) -> Mapping[Labels, float]:
        values = {(worker["name"],): value(worker) for worker in workers}
        return {labels: number for labels, number in values.items() if number is not None}

    label, runs = ("worker",), {}
    for worker in workers:
        runs[worker["name"], "done"] = worker["done"]
        runs[worker["name"], "broken"] = worker["failed"]
    what = "Looks at tasks by this worker; broken: out of which an error came that nobody caught."
    yield _counters("worker_process_runs", what, ("worker", "outcome"), runs)
    gauges: dict[str, tuple[str, Callable[[WorkerInfo], float | None]]] = {
        "threads": ("Threads of this worker.", lambda w: w["threads"]),
        "threads_busy": ("Threads of this worker that run a task.", lambda w: w["busy"]),
        "start_time_seconds": ("When it started.", lambda w: w["started_at"].timestamp()),
        "resident_memory_bytes": ("Its memory.", lambda w: w["resident_bytes"]),
        "open_fds": ("Its open files and connections.", lambda w: w["open_files"]),
    }
    for name, (what, value) in gauges.items():
        yield _gauges(f"worker_process_{name}", what, label, of_each(value))
    counters: dict[str, tuple[str, Callable[[WorkerInfo], float | None]]] = {
        "working_seconds": ("Time of its threads at tasks.", lambda w: w["working_seconds"]),
        "cpu_seconds": ("Its time of processors.", lambda w: w["cpu_seconds"]),
    }
    for name, (what, value) in counters.items():
        yield _counters(f"worker_process_{name}", what, label, of_each(value))


def _gauge(name: str, what: str, value: float) -> Metric:
    return _gauges(name, what, (), {(): value})


def _gauges(name: str, what: str, labels: Labels, values: Values) -> Metric:
    return _filled(GaugeMetricFamily(f"bluegreen_{name}", what, labels=labels), values)


def _counters(name: str, what: str, labels: Labels, values: Values) -> Metric:
    return _filled(CounterMetricFamily(f"bluegreen_{name}", what, labels=labels), values)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, values: Values) -> Metric:
    for labels, value in sorted(values.items()):
        family.add_metric(labels, value)
    return family


_registry = CollectorRegistry()
_registry.register(Metrics())
