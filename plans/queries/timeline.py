"""A plan's timeline: its waves and their gates, and how many tenants ended when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from plans.models import Plan, Wave
from plans.queries.axis import Axis, step_seconds
from plans.queries.pace import BARS, Ends

BARS_HEIGHT = 100


@dataclass(frozen=True)
class Block:
    """A rectangle of a row: `x` and `width` in percent of the axis, `look` the name of its look."""

    look: str
    x: str
    width: str
    begin: datetime
    end: datetime | None

    @property
    def started_at(self) -> datetime:
        return self.begin

    @property
    def finished_at(self) -> datetime | None:
        return self.end


@dataclass(frozen=True)
class WaveLine:
    """A wave's row: when it ran, and how long the gate after it was closed."""

    wave: Wave
    blocks: list[Block]


@dataclass(frozen=True)
class Bar:
    """Tenants that ended in one part of the time; `x`, `y`, `width`, `height` in percent."""

    count: int
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True)
class Timeline:
    """All of it, on one axis."""

    axis: Axis
    lines: list[WaveLine]
    bars: list[Bar]
    most: int
    bar_seconds: float


def timeline_of(plan: Plan, waves: Sequence[Wave], ends: Ends, axis: Axis) -> Timeline | None:
    """The timeline; None for a plan that has not begun. Runs no statement."""
    if plan.started_at is None:
        return None
    settled = axis.end - timedelta(seconds=step_seconds(axis.seconds))
    # Of a plan at its end nothing fills up any more.
    until = settled if plan.finished_at is None else axis.end + timedelta(hours=1)
    counts = ends.bars(axis.begin, axis.end, until)
    most = max(counts)
    lines = [WaveLine(wave, _blocks(wave, plan, axis)) for wave in waves]
    return Timeline(axis, lines, _bars(counts, most), most, axis.seconds / BARS)


def _blocks(wave: Wave, plan: Plan, axis: Axis) -> list[Block]:
    blocks = []
    if wave.started_at is not None:
        # What its plan left of it when it ended does not run either.
        end = wave.finished_at or plan.finished_at
        blocks.append(_block("run" if end else "running", wave.started_at, end, axis))
    if wave.gate_closed_at is not None:
        blocks.append(_block("gate", wave.gate_closed_at, wave.gate_opened_at, axis))
    return blocks


def _block(look: str, begin: datetime, end: datetime | None, axis: Axis) -> Block:
    x, width = axis.span(begin, end or axis.end)
    return Block(look, x, width, begin, end)


def _bars(counts: list[int], most: int) -> list[Bar]:
    width = 100 / BARS
    bars = []
    for place, count in enumerate(counts):
        if count:
            height = max(4.0, BARS_HEIGHT * count / most)
            bars.append(
                Bar(
                    count,
                    f"{place * width:.2f}",
                    f"{BARS_HEIGHT - height:.1f}",
                    f"{0.8 * width:.2f}",
                    f"{height:.1f}",
                )
            )
    return bars


def axis_of(plan: Plan) -> Axis:
    """The axis of the plan's time, now."""
    return Axis.of_plan(plan, timezone.now())
