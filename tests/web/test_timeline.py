"""How fast it goes, when the rest will have ended, and what the timelines draw."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from plans import operations
from plans.models import (
    Direction,
    Event,
    EventKind,
    Plan,
    PlanState,
    StageRun,
    StageRunState,
    Task,
    TaskState,
    Wave,
)
from plans.queries import task_lines, timeline
from plans.queries.axis import Axis, rounded_up
from plans.queries.pace import Ends, Pace, pace_of
from plans.templatetags.timing import per_minute, remaining, span_words
from tests.support.driving import OPERATOR
from tests.web.conftest import MakePlan, stand

NOW = timezone.now().replace(microsecond=0)


def minutes(number: float) -> datetime:
    """So many minutes before now."""
    return NOW - timedelta(minutes=number)


def begun(plan: Plan, ago_minutes: float, **fields: object) -> Plan:
    """The plan and its first wave as if they had begun then."""
    Wave.objects.filter(plan=plan, index=0).update(started_at=minutes(ago_minutes))
    values = {"started_at": minutes(ago_minutes), "state": PlanState.RUNNING, **fields}
    Plan.objects.filter(pk=plan.pk).update(**values)
    return Plan.objects.get(pk=plan.pk)


def ended(plan: Plan, ago_minutes: list[float]) -> None:
    """The plan's first tasks as if they had completed then."""
    for task, ago in zip(Task.objects.filter(plan=plan), ago_minutes, strict=False):
        stand([task], TaskState.COMPLETED, started_at=minutes(ago + 1), finished_at=minutes(ago))


def pace(plan: Plan, left: int, is_held: bool = False) -> Pace:
    waves = list(plan.waves.all())
    return pace_of(plan, waves, Ends.of(plan, NOW), left, is_held, NOW)


# --- The pace -----------------------------------------------------------------------------------


def test_a_steady_pace_gives_a_range_around_the_truth(make_plan: MakePlan) -> None:
    plan = begun(make_plan(50), 20)
    ended(plan, [20 - n / 2 for n in range(1, 41)])
    found = pace(plan, 10)
    assert found.per_minute == pytest.approx(2, rel=0.15)
    assert found.low_seconds is not None
    assert found.high_seconds is not None
    assert 200 < found.low_seconds < 300 < found.high_seconds < 420


@pytest.mark.parametrize("reason", ["few", "held", "paused", "created", "nothing left"])
def test_where_nothing_can_be_said_nothing_is(reason: str, make_plan: MakePlan) -> None:
    plan = make_plan(10)
    if reason != "created":
        plan = begun(plan, 5, state=PlanState.PAUSED if reason == "paused" else PlanState.RUNNING)
        ended(plan, [3, 2, 1] if reason == "few" else [4, 3, 2, 2, 1, 1])
    found = pace(plan, 0 if reason == "nothing left" else 4, is_held=reason == "held")
    assert not found.is_known
    assert remaining(found) == ""


def test_gates_ahead_are_part_of_the_estimate(make_plan: MakePlan) -> None:
    waves = [{"size": 8, "soak_seconds": 3600}, {"size": 1, "approval": True}, {"rest": True}]
    plan = begun(make_plan(10, waves=waves), 8)
    ended(plan, [7, 6, 5, 4, 3, 2, 1])
    found = pace(plan, 3)
    assert found.low_seconds is not None
    assert found.low_seconds > 3600
    assert found.approvals == 1
    assert remaining(found).endswith(" left, and 1 approval")


def test_a_plan_at_its_end_says_its_average(make_plan: MakePlan) -> None:
    plan = begun(make_plan(4), 10, state=PlanState.COMPLETED, finished_at=minutes(8))
    ended(plan, [9, 9, 8.5, 8])
    assert pace(plan, 0) == Pace(2.0)


def test_a_single_end_has_no_average(make_plan: MakePlan) -> None:
    plan = begun(make_plan(1), 10, state=PlanState.FAILED, finished_at=minutes(9.97))
    ended(plan, [9.97])
    assert pace(plan, 0) == Pace()


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (3, 9, "at most 10 s left"),
        (31, 44, "30–50 s left"),
        (200, 290, "3–5 min left"),
        (4000, 9000, "1–2.5 h left"),
        (200_000, 300_000, "2–3.5 days left"),
    ],
)
def test_an_estimate_is_rounded_outwards(low: float, high: float, text: str) -> None:
    assert remaining(Pace(1, low, high)) == text


def test_a_rate_has_three_digits_at_most() -> None:
    assert [per_minute(rate) for rate in (0.4211, 12.36, 1240.2)] == ["0.42", "12.4", "1240"]


# --- The plan's timeline -------------------------------------------------------------------------


def test_ends_are_counted_in_the_database_whatever_their_number(make_plan: MakePlan) -> None:
    plan = begun(make_plan(40), 20)
    ended(plan, [10.0] * 20 + [5.0] * 19)
    with CaptureQueriesContext(connection) as seen:
        ends = Ends.of(plan, NOW)
    assert len(seen) == 1
    assert ends.total == 39
    bars = ends.bars(minutes(20), NOW, NOW)
    assert [count for count in bars if count] == [20, 19]
    assert 27 <= bars.index(20) <= 30  # A longer plan's ends are counted by the minute.


def test_waves_and_closed_gates_stand_where_they_were(make_plan: MakePlan) -> None:
    plan = begun(make_plan(4, waves=[{"size": 1, "approval": True}, {"rest": True}]), 10)
    Wave.objects.filter(index=0).update(finished_at=minutes(5), gate_closed_at=minutes(5))
    axis = Axis.of(minutes(10), NOW)
    drawn = timeline.timeline_of(plan, list(plan.waves.all()), Ends.of(plan, NOW), axis)
    assert drawn is not None
    ran, gate = drawn.lines[0].blocks
    assert (ran.look, ran.x, ran.width) == ("run", "0.00", "50.00")
    assert (gate.look, gate.x, gate.width) == ("gate", "50.00", "50.00")
    assert drawn.lines[1].blocks == []


def test_nothing_runs_in_the_timeline_of_a_plan_that_has_ended(make_plan: MakePlan) -> None:
    plan = begun(make_plan(4), 10, state=PlanState.FAILED, finished_at=minutes(2))
    axis = timeline.axis_of(plan)
    drawn = timeline.timeline_of(plan, list(plan.waves.all()), Ends.of(plan, axis.end), axis)
    assert drawn is not None
    (ran,) = drawn.lines[0].blocks
    assert (ran.look, ran.end) == ("run", minutes(2))


def test_a_timeline_stays_as_it_is_while_its_newest_part_fills_up(make_plan: MakePlan) -> None:
    plan = begun(make_plan(40), 5)
    axis = Axis.of_plan(plan, NOW)

    def drawn() -> object:
        return timeline.timeline_of(plan, [], Ends.of(plan, NOW), axis)

    ended(plan, [4.0] * 10)
    before = drawn()
    ended(plan, [4.0] * 10 + [0.0] * 7)
    assert drawn() == before
    ended(plan, [4.0] * 10 + [1.0] * 7)
    assert drawn() != before


def test_an_open_page_is_not_redrawn_for_every_second_that_passes() -> None:
    begin = NOW - timedelta(hours=2)
    shown = {rounded_up(begin, NOW + timedelta(seconds=second)) for second in range(100)}
    assert len(shown) <= 2
    assert all(NOW <= end <= NOW + timedelta(seconds=240) for end in shown)


def test_a_plan_that_has_not_begun_has_no_timeline(operator: Client, make_plan: MakePlan) -> None:
    text = operator.get(f"/plans/{make_plan().pk}/").text
    assert '<section id="plan-timeline" class="card" hidden>' in text


# --- Single tasks --------------------------------------------------------------------------------


def add_run(task: Task, begin: float, end: float | None, **fields: object) -> None:
    values = {
        "stage": "switch_route",
        "index": 3,
        "direction": Direction.FORWARD,
        "attempt": 1,
        "epoch": 1,
        "state": StageRunState.COMPLETED,
        "started_at": minutes(begin),
        "finished_at": None if end is None else minutes(end),
    }
    StageRun.objects.create(task=task, **{**values, **fields})


def note(plan: Plan, task: Task, kind: EventKind, ago: float) -> None:
    """An event as if it had been recorded then; its chain is of no interest here."""
    seq = Event.objects.filter(journal=plan.journal).count() + 1
    Event.objects.create(
        journal=plan.journal, seq=seq, plan=plan, task=task, kind=kind, at=minutes(ago), actor="o"
    )


def test_waits_tries_pauses_and_retries_of_a_task_are_drawn(
    operator: Client, make_plan: MakePlan
) -> None:
    plan = make_plan(1)
    operations.start_plan(plan.pk, OPERATOR)
    task = Task.objects.get()
    stand([task], TaskState.RUNNING, started_at=minutes(20))
    failed = {"state": StageRunState.FAILED, "failure": {"errorCode": "GATEWAY_TIMEOUT"}}
    add_run(task, 20, 18, stage="deliver_config")
    note(plan, task, EventKind.TASK_WAITING, 19)
    add_run(task, 18, 17, **failed)
    add_run(task, 16, 15, attempt=2, **failed)
    note(plan, task, EventKind.TASK_RETRY_STARTED, 12)
    add_run(task, 11, 10, attempt=3)
    note(plan, task, EventKind.TASK_PAUSED, 9)
    note(plan, task, EventKind.TASK_RESUMED, 6)
    add_run(task, 5, None, stage="check_health", state=StageRunState.RUNNING)

    with CaptureQueriesContext(connection) as seen:
        drawn = task_lines.of_tasks(list(Task.objects.all()))
    assert len(seen) == 3
    spans = [each.span for each in drawn.lines[task.pk].drawn]
    waits = [(span.begin, span.end) for span in spans if span.look == "wait"]
    # Between the second try and the operator's retry the task was failed: nothing waited there.
    assert waits == [(minutes(19), minutes(18)), (minutes(17), minutes(16))]
    assert [span.begin for span in spans if span.look == "pause"] == [minutes(9)]
    assert [mark.kind for mark in drawn.lines[task.pk].marks] == ["task.retry_started"]
    words = [span_words(span) for span in spans if span.look == "failed"]
    assert words == ["failed GATEWAY_TIMEOUT, 1 min 0 s", "try 2 failed GATEWAY_TIMEOUT, 1 min 0 s"]
    text = operator.get(f"/plans/{plan.pk}/?view=timeline").text
    assert f'<tr id="line-of-{task.pk}">' in text
    assert "switch route try 2 failed GATEWAY_TIMEOUT, 1 min 0 s" in text


def test_the_timeline_of_a_page_takes_as_many_statements_whatever_it_shows(
    operator: Client, make_plan: MakePlan
) -> None:
    few, many = make_plan(2), None
    operations.cancel_plan(few.pk, OPERATOR)
    many = make_plan(60)
    headers = {"HX-Request": "true", "HX-Target": "task-table"}
    counted = []
    for plan in (few, many):
        with CaptureQueriesContext(connection) as seen:
            operator.get(f"/plans/{plan.pk}/?view=timeline", headers=headers)
        counted.append(len(seen))
    assert counted[0] == counted[1]


def test_round_times_stand_on_an_axis() -> None:
    begin = NOW.replace(hour=10, minute=0, second=30)
    axis = Axis.of(begin, begin + timedelta(minutes=9))
    assert [tick.at.minute for tick in axis.ticks] == [2, 4, 6, 8]
    assert axis.span(begin, begin) == ("0.00", "0.25")
    long = Axis.of(begin, begin + timedelta(days=40))
    assert 2 <= len(long.ticks) <= 6
