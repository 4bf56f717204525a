"""A stage of another package that misbehaves: a failed stage, never a lost task (S3.6)."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import (
    DatabaseError,
    IntegrityError,
    InternalError,
    OperationalError,
    ProgrammingError,
)
from django.utils import timezone

from plans import operations, pipelines
from plans.errors import NotFound, StageError
from plans.message import Message
from plans.models import Event, EventKind, Plan, PlanState, StageRun, Task, TaskState, Tenant
from plans.stages import registry
from plans.stages.base import Done, Skipped, Stage, StageContext, Wait
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


class Guest(Stage):
    """Does what the test says, and well otherwise."""

    name = "guest"
    title = "guest"
    checkpoint = "VISITED"
    act: Callable[[StageContext], Any] | None = None

    def run(self, context: StageContext) -> Any:
        act = type(self).act
        return act(context) if act else Done()

    def undo(self, context: StageContext) -> Any:
        return self.run(context)


@pytest.fixture(autouse=True)
def guest(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Guest]]:
    monkeypatch.setitem(registry._stages, "guest", Guest)
    monkeypatch.setitem(pipelines.PIPELINES, "VISIT", ("read_tenant", "guest", "update_status"))
    yield Guest
    Guest.act = None


def acting(act: Callable[[StageContext], Any]) -> None:
    Guest.act = staticmethod(act)  # type: ignore[assignment]


def visit(**options: Any) -> Task:
    plan = make_plan(["tenant-001"], executor_type="VISIT", **options)
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    return Task.objects.get()


def raising(error: BaseException) -> Callable[[StageContext], Any]:
    def act(context: StageContext) -> Any:
        raise error

    return act


def endless(context: StageContext) -> Any:
    return endless(context)


def duplicate_tenant(context: StageContext) -> Any:
    tenant = Tenant.objects.get(pk=context.tenant_id)
    return Done(result={"made": Tenant.objects.bulk_create([tenant])[0].pk})


MISDEEDS: dict[str, Callable[[StageContext], Any]] = {
    "an error": raising(RuntimeError("out of order")),
    "an error with NUL": raising(RuntimeError("out of \x00 order")),
    "an error with half a character": raising(RuntimeError("out of \ud800 order")),
    "an error with a percent sign": raising(KeyError("100 %s")),
    "an error of ours that is no stage error": raising(NotFound(what="key", id=1)),
    "an exit": raising(SystemExit(3)),
    "no end": endless,
    "a wrong query": raising(ProgrammingError("no such column")),
    "a refused row": duplicate_tenant,
    "an integrity error": raising(IntegrityError("no")),
    "nothing": lambda _: None,
    "a text": lambda _: "done",
    "an error returned": lambda _: RuntimeError("returned"),
    "an object in the data": lambda _: Done(data={"x": object()}),
    "an object in the result": lambda _: Done(result={"x": {1, 2}}),
    "NUL in the data": lambda _: Done(data={"x": "a\x00b"}),
    "NUL in a key": lambda _: Done(result={"a\x00b": 1}),
    "half a character": lambda _: Done(result={"x": ["\udfff"]}),
    "not a number": lambda _: Done(result={"x": float("nan")}),
    "infinity": lambda _: Done(data={"x": float("inf")}),
    "data that is no object": lambda _: Done(data=[1, 2]),  # type: ignore[arg-type]
    "a negative wait": lambda _: Wait(-1, Message("for yesterday")),
    "an endless wait": lambda _: Wait(float("inf"), Message("for ever")),
    "a wait of ages": lambda _: Wait(2e13, Message("until no database can say when")),
    "a wait for nothing that is a number": lambda _: Wait(float("nan"), Message("for ever")),
    "an object in the memo": lambda _: Wait(5, Message("soon"), memo={"x": object()}),
    "a note that cannot be shown": lambda _: Wait(5, Message("50 % done")),
    "a skip that cannot be shown": lambda _: Skipped(Message("%(missing)s")),
}


def test_a_misbehaving_stage_is_a_failed_stage(sandbox: Sandbox) -> None:
    tenants = {f"tenant-{n:03}": misdeed for n, misdeed in enumerate(MISDEEDS, 1)}
    plan = make_plan([*tenants, "tenant-060"], executor_type="VISIT", failure_policy="continue")
    acts = {tenant: MISDEEDS[misdeed] for tenant, misdeed in tenants.items()}
    acting(lambda context: acts.get(context.tenant_id, lambda _: Done())(context))
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    assert Task.objects.get(tenant="tenant-060").state == TaskState.COMPLETED
    for task in Task.objects.exclude(tenant="tenant-060"):
        misdeed = tenants[task.tenant_id]
        assert task.state == TaskState.FAILED, misdeed
        failure = task.failure
        assert (failure["errorCode"], failure["kind"]) == ("UNEXPECTED_ERROR", "SYSTEM"), misdeed
        assert str(Message.from_json(failure["message"])) == failure["reason"], misdeed
        finished = {"completedSteps": ["read_tenant"], "failedStep": "guest"}
        assert task.checkpoint["data"] == finished, misdeed
        runs = [("read_tenant", "COMPLETED"), ("guest", "FAILED")]
        assert list(task.stage_runs.values_list("stage", "state")) == runs, misdeed
    assert not Event.objects.filter(kind=EventKind.TASK_TAKEN_OVER).exists()
    assert Plan.objects.get().state == PlanState.FAILED
    Guest.act = None
    operations.retry_plan(plan.pk, OPERATOR)
    work_off()
    assert Plan.objects.get().state == PlanState.COMPLETED


def test_what_an_error_says_is_recorded_without_its_secrets(sandbox: Sandbox) -> None:
    def break_down(context: StageContext) -> Any:
        raise ConnectionError("postgres://olga:s3cret@db/x did not answer, password=s3cret")

    plan = make_plan(["tenant-001"], executor_type="VISIT")
    acting(break_down)
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    task = Task.objects.get()
    assert "ConnectionError: postgres://•••@db/x did not answer" in task.failure["reason"]
    recorded = [
        str(list(rows.values())) for rows in (Event.objects, Task.objects, StageRun.objects)
    ]
    assert "s3cret" not in " ".join(recorded)


@pytest.mark.parametrize(
    ("template", "values"),
    [
        ("It is %(x)s.", {"x": object()}),
        ("It is %(x)s.", {"x": "a\x00b\ud800"}),
        ("It is %(x).1f.", {"x": float("nan")}),
        ("NUL \x00 in the template: %(x)s.", {"x": 1}),
        ("It is %(x)d.", {"x": True, "y": {1: {2}}}),
    ],
)
def test_a_stage_error_that_no_database_can_hold_is_stored_as_its_text(
    sandbox: Sandbox, template: str, values: dict[str, Any]
) -> None:
    acting(raising(StageError(template, code="GUEST_UNWELL", **values)))
    task = visit()
    assert (task.state, task.failure["errorCode"]) == (TaskState.FAILED, "GUEST_UNWELL")
    assert str(Message.from_json(task.failure["message"]))
    assert not StageRun.objects.filter(state="RUNNING").exists()


def test_a_stage_that_fails_unexpectedly_while_rolling_back_can_be_tried_again(
    sandbox: Sandbox,
) -> None:
    task = visit()
    acting(MISDEEDS["an error"])
    operations.roll_back_task(task.pk, OPERATOR)
    work_off()
    task = Task.objects.get()
    assert task.state == TaskState.ROLLBACK_FAILED
    assert task.failure["errorCode"] == "UNEXPECTED_ERROR"
    Guest.act = None
    operations.roll_back_task(task.pk, OPERATOR)
    work_off()
    assert Task.objects.get().state == TaskState.ROLLED_BACK


@pytest.mark.parametrize("error", [OperationalError, InternalError])
def test_a_stage_during_which_the_database_was_away_is_run_again(
    sandbox: Sandbox, error: type[DatabaseError]
) -> None:
    calls = []

    def act(context: StageContext) -> Any:
        calls.append(context.call.fence)
        if len(calls) == 1:
            raise error("the server ended the session")
        return Done()

    acting(act)
    task = visit()
    assert task.state == TaskState.COMPLETED
    assert calls == [1, 2]
    assert not Event.objects.filter(kind=EventKind.STAGE_FAILED).exists()


def test_what_the_database_refuses_each_time_fails_the_task_and_calls_nobody_again(
    sandbox: Sandbox,
) -> None:
    calls = []
    at_once = dict.fromkeys(("started_at", "finished_at"), timezone.now())

    def stand_in_the_way(context: StageContext) -> Any:
        calls.append(context.call.fence)
        StageRun.objects.get_or_create(
            task_id=context.task_id,
            stage="update_status",
            direction="forward",
            attempt=1,
            defaults={"index": 2, "epoch": 1, "state": "FAILED"} | at_once,
        )
        return Done()

    acting(stand_in_the_way)
    task = visit(failure_policy="continue")
    assert (task.state, task.admitted, task.lease_owner) == (TaskState.FAILED, False, "")
    assert calls == [1]
    assert (task.failure["errorCode"], task.failure["stage"]) == ("UNEXPECTED_ERROR", "guest")
    assert task.failure["reason"].startswith("An unexpected error: IntegrityError: ")
    assert task.checkpoint["data"] == {"completedSteps": ["read_tenant"], "failedStep": "guest"}
    assert task.stage_runs.get(stage="guest").state == "FAILED"
    assert Plan.objects.get().state == PlanState.FAILED

    task.stage_runs.filter(stage="update_status").delete()
    Guest.act = None
    operations.retry_plan(task.plan_id, OPERATOR)
    work_off()
    assert Task.objects.get().state == TaskState.COMPLETED


def test_a_stage_whose_name_no_row_can_hold_is_refused_when_it_is_registered() -> None:
    class Endless(Guest):
        name = "n" * 65

    with pytest.raises(ValueError, match="longer than 64 characters: 'nnn"):
        registry.register(Endless)
    assert Endless.name not in registry._stages


def test_a_stage_that_is_not_installed_any_more_fails_its_task(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan(["tenant-001"], executor_type="VISIT")
    monkeypatch.delitem(registry._stages, "guest")
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    task = Task.objects.get()
    assert (task.state, task.failure["errorCode"]) == (TaskState.FAILED, "UNEXPECTED_ERROR")
    assert task.failure["stage"] == "guest"


def test_what_a_stage_leaves_reaches_the_later_ones_and_survives_a_wait(sandbox: Sandbox) -> None:
    seen: list[tuple[Any, Any]] = []

    def act(context: StageContext) -> Any:
        seen.append((context.data.get("version"), context.memo))
        if not context.memo:
            return Wait(1.0, Message("a %(what)s", {"what": "moment"}), memo={"polls": 1})
        return Done(data={"guest": "🟦 and \u202e"}, result={"big": 1e300, "tuple": (1, -0.0)})

    acting(act)
    task = visit()
    assert task.state == TaskState.COMPLETED
    assert seen == [(20, {}), (20, {"polls": 1})]
    assert task.context["guest"] == "🟦 and \u202e"
