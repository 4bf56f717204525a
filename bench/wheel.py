"""The timing wheel alone: what one timer costs, next to `heapq`, from 1,000 to 1,000,000 timers."""

import gc
import heapq
import random
import time
from collections.abc import Callable

from rich.table import Table

from plans.renewal.wheel import TimingWheel

SIZES = (1_000, 10_000, 100_000, 1_000_000)
SPAN_SECONDS = 60.0
"""Timers are due at any time within so long."""
STEP_SECONDS = 0.01
REPEAT_TIMERS = 200_000
"""Small sizes are measured again and again until so many timers went through."""
FLAT = 3.0
"""The dearest size may cost so many times the cheapest: memory is further away than the cache."""

Measured = tuple[float, float]
"""Microseconds for one timer: to schedule, to expire (without ticks at which nothing is due)."""


def measure() -> Table:
    """Both, for every size."""
    table = Table(title="Wheel and heapq: µs a timer, due within 60 s, looked at every 10 ms")
    for column in ("timers", "wheel: schedule", "expire", "both", "heapq: push", "pop", "both"):
        table.add_column(column, justify="right")
    tick_seconds = _empty_tick_seconds()
    both = []
    for size in SIZES:
        dues = [random.random() * SPAN_SECONDS for _ in range(size)]
        steps = round(SPAN_SECONDS / STEP_SECONDS)
        wheel, heap = _best(_wheel, dues), _best(_heap, dues)
        wheel = (wheel[0], wheel[1] - steps * tick_seconds / size * 1e6)
        both.append(sum(wheel))
        cells = [*wheel, sum(wheel), *heap, sum(heap)]
        table.add_row(f"{size:,}", *(f"{cell:.2f}" for cell in cells))
    table.caption = (
        f"wheel, dearest to cheapest: {max(both) / min(both):.1f} (limit {FLAT:g}); "
        f"a tick at which nothing is due: {tick_seconds * 1e6:.2f} µs"
    )
    return table


def _empty_tick_seconds() -> float:
    wheel: TimingWheel[int] = TimingWheel(STEP_SECONDS)
    steps = round(SPAN_SECONDS / STEP_SECONDS)
    began = time.perf_counter()
    for step in range(1, steps + 1):
        wheel.advance(step * STEP_SECONDS)
    return (time.perf_counter() - began) / steps


def _best(run: Callable[[list[float]], Measured], dues: list[float]) -> Measured:
    # The machine's other work only ever adds.
    runs = [run(dues) for _ in range(max(2, REPEAT_TIMERS // len(dues)))]
    return min(runs, key=sum)


def _wheel(dues: list[float]) -> Measured:
    wheel: TimingWheel[int] = TimingWheel(STEP_SECONDS)
    schedule = wheel.schedule
    gc.collect()
    began = time.perf_counter()
    for due in dues:
        schedule(due, 1)
    scheduled = time.perf_counter()
    expired, step = 0, 0
    while expired < len(dues):
        step += 1
        expired += len(wheel.advance(step * STEP_SECONDS))
    ended = time.perf_counter()
    return (scheduled - began) / len(dues) * 1e6, (ended - scheduled) / len(dues) * 1e6


def _heap(dues: list[float]) -> Measured:
    heap: list[tuple[float, int]] = []
    push, pop = heapq.heappush, heapq.heappop
    gc.collect()
    began = time.perf_counter()
    for due in dues:
        push(heap, (due, 1))
    pushed = time.perf_counter()
    step = 0
    while heap:
        step += 1
        now = step * STEP_SECONDS
        while heap and heap[0][0] <= now:
            pop(heap)
    ended = time.perf_counter()
    return (pushed - began) / len(dues) * 1e6, (ended - pushed) / len(dues) * 1e6
