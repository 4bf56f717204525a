"""The checker finds nothing where nothing is wrong, and each kind of wrong where it is."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from django.db import connection, transaction

from plans import conf, operations
from plans.models import Event, EventKind, Plan, PlanState, StageRun, Task, TaskState
from plans.stores import tenant_config
from tests.chaos.checker import INVARIANTS, check
from tests.chaos.evidence import Call, Evidence
from tests.plans.switching import break_stage
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

FLEET = [f"tenant-{n:03}" for n in range(1, 5)]
GOOD, BACK, FAILED = FLEET[:3]


@dataclass
class Shown:
    """A page that differs in `wrong`."""

    name: str
    wrong: tuple[str, ...] = ()

    def differences(self) -> list[str]:
        return list(self.wrong)


@dataclass
class Lived:
    """A plan that is over, with completed tasks, a rolled back and a failed one."""

    plan: Plan
    sandbox: Sandbox

    def gather(self) -> Evidence:
        return Evidence.gather(
            Plan.objects.values_list("pk", flat=True),
            self.sandbox.calls(),
            self.sandbox.state()["tenants"],
            crashes=0,
            configs={tenant: tenant_config.read(tenant) for tenant in FLEET},
            pages=[Shown("overview"), Shown("plan")],
        )


@pytest.fixture
def lived(sandbox: Sandbox) -> Lived:
    sandbox.enforce_fences()
    break_stage(sandbox, "switch_route", FAILED)
    plan = make_plan(FLEET, max_concurrency=3, failure_policy="continue", failure_budget=5)
    operations.start_plan(plan.pk, OPERATOR)
    operations.pause_task(Task.objects.get(tenant=GOOD).pk, OPERATOR)
    operations.resume_task(Task.objects.get(tenant=GOOD).pk, OPERATOR)
    work_off()
    operations.roll_back_task(Task.objects.get(tenant=BACK).pk, OPERATOR)
    work_off()
    return Lived(plan, sandbox)


def broken(evidence: Evidence) -> dict[int, str]:
    return {each.number: str(each) for each in check(evidence) if not each.holds}


def test_all_seven_hold_after_a_plan_with_a_failure_and_a_rollback(lived: Lived) -> None:
    evidence = lived.gather()
    assert broken(evidence) == {}
    assert [verdict.number for verdict in check(evidence)] == list(range(1, len(INVARIANTS) + 1))
    states = set(Task.objects.values_list("state", flat=True))
    assert states == {TaskState.COMPLETED, TaskState.FAILED, TaskState.ROLLED_BACK}


# --- Damage to the rows, and which invariants say so --------------------------------------------


def sql(statement: str, *values: Any) -> None:
    """Past every guard of the ORM."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def change(tenant: str, **fields: Any) -> None:
    Task.objects.filter(tenant=tenant).update(**fields)


def change_last_run(tenant: str, stage: str, **fields: Any) -> None:
    run = StageRun.objects.filter(task__tenant=tenant, stage=stage).latest("pk")
    StageRun.objects.filter(pk=run.pk).update(**fields)


def store_an_event_of_an_older_epoch() -> None:
    latest = Event.objects.filter(tenant_id=GOOD, epoch__isnull=False).latest("pk")
    sql("UPDATE plans_event SET epoch = 0 WHERE id = %s", latest.pk)


ROWS: dict[str, tuple[Callable[[], Any], set[int]]] = {
    "a task is left running": (lambda: change(FAILED, state="RUNNING", admitted=True), {1, 6}),
    "a lease is left behind": (lambda: change(FAILED, lease_owner="a dead worker"), {1}),
    "a plan goes on for ever": (lambda: Plan.objects.update(state="RUNNING"), {1, 6}),
    "a plan is back, and one of its tenants is not": (
        lambda: (change(FAILED, state="ROLLBACK_FAILED"), Plan.objects.update(state="ROLLED_BACK")),
        {1, 6},
    ),
    "a stage run stays open": (
        lambda: change_last_run(BACK, "read_tenant", finished_at=None),
        {1},
    ),
    "a failed task got nowhere": (lambda: change(FAILED, reached=2, cursor=4), {2, 6}),
    "a later worker stores as an earlier one": (store_an_event_of_an_older_epoch, {3, 6}),
    "a stage begins again in an older epoch": (
        lambda: change_last_run(GOOD, "update_status", epoch=0),
        {3},
    ),
    "nobody was asked for what stands completed": (
        lambda: change_last_run(GOOD, "update_status", attempt=7),
        {4},
    ),
    "too many were in flight": (lambda: Plan.objects.update(max_concurrency=2), {5}),
    "a FIFO wave ran all at once": (lambda: Plan.objects.get().waves.update(mode="FIFO"), {5}),
    "an event is gone": (lambda: sql("DELETE FROM plans_event WHERE seq = 9"), {6}),
    "a reason is changed": (lambda: sql("UPDATE plans_event SET reason = 'x' WHERE seq = 9"), {6}),
    "a state is changed": (lambda: change(GOOD, state="CANCELLED"), {6}),
}


def test_damage_to_the_rows_is_found(lived: Lived) -> None:
    found = {}
    for name, (damage, _numbers) in ROWS.items():
        with transaction.atomic():
            damage()
            found[name] = set(broken(lived.gather()))
            transaction.set_rollback(True)
    missed = {name: numbers - found[name] for name, (_damage, numbers) in ROWS.items()}
    assert not any(missed.values()), missed


# --- What the outside saw -----------------------------------------------------------------------


def outside(evidence: Evidence, tenant: str, **fields: Any) -> Evidence:
    """The same with another state of a tenant."""
    return replace(
        evidence, tenants={**evidence.tenants, tenant: {**evidence.tenants[tenant], **fields}}
    )


def again(
    evidence: Evidence, step: str, key: tuple[str, str] = ("", ""), **fields: Any
) -> Evidence:
    """The same with one more call, made from GOOD's of this step."""
    call: Call = next(c for c in evidence.calls if (c["tenant"], c["step"]) == (GOOD, step))
    asked = call["idempotencyKey"].replace(*key)
    return replace(evidence, calls=[*evidence.calls, {**call, "idempotencyKey": asked, **fields}])


def twin(evidence: Evidence) -> Evidence:
    """The same with a second task of a tenant, created while the first was unfinished."""
    first, *_, last = (fact for fact in evidence.facts if fact.kind == EventKind.TASK_CREATED)
    other = first._replace(pk=last.pk + 1, task_id=last.task_id)
    return replace(evidence, facts=sorted([*evidence.facts, other]))


OUTSIDE: dict[str, tuple[Callable[[Evidence], Evidence], set[int]]] = {
    "a route is elsewhere": (lambda e: outside(e, GOOD, route="blue"), {2}),
    "a status is elsewhere": (lambda e: outside(e, BACK, status="GREEN"), {2}),
    "an instance is behind": (lambda e: outside(e, GOOD, instances=[{"color": "blue"}]), {2}),
    "Redis holds another configuration": (
        lambda e: replace(e, configs={GOOD: e.configs[BACK]}),
        {2},
    ),
    "a worker asks twice": (lambda e: again(e, "gateway.put_route"), {4}),
    "two workers ask without a crash": (lambda e: again(e, "gateway.put_route", fence=9), {4}),
    "services are told for ever": (
        lambda e: replace(e, calls=e.calls + [c for c in e.calls if c["tenant"] == GOOD] * 5),
        {4},
    ),
    "somebody asks before it is written down": (
        lambda e: again(e, "ob.put_status", ("-1", "-2")),
        {4},
    ),
    "nobody ever asked": (lambda e: replace(e, calls=[]), {4}),
    "a tenant was in two tasks": (twin, {5}),
    "a page is behind": (lambda e: replace(e, pages=[Shown("plan", ("cell-1",))]), {7}),
    "no page was open": (lambda e: replace(e, pages=[]), {7}),
}


def test_what_the_outside_saw_wrong_is_found(lived: Lived) -> None:
    evidence = lived.gather()
    found = {name: set(broken(damage(evidence))) for name, (damage, _) in OUTSIDE.items()}
    assert found == {name: numbers for name, (_damage, numbers) in OUTSIDE.items()}


def test_a_plan_stays_as_it_ended_though_the_rollback_of_one_task_fails_later(lived: Lived) -> None:
    plan = make_plan([GOOD], target="blue")
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    break_stage(lived.sandbox, "update_status", GOOD)
    operations.roll_back_task(Task.objects.get(plan=plan).pk, OPERATOR)
    work_off()
    assert Task.objects.get(plan=plan).state == TaskState.ROLLBACK_FAILED
    assert Plan.objects.get(pk=plan.pk).state == PlanState.COMPLETED
    assert broken(lived.gather()) == {}


def test_a_crash_allows_another_worker_to_ask_again_and_no_more(lived: Lived) -> None:
    asked = again(lived.gather(), "gateway.put_route", fence=9)
    assert 4 in broken(asked)
    assert 4 not in broken(replace(asked, crashes=1))
    assert 4 in broken(again(replace(asked, crashes=1), "gateway.put_route", fence=10))


def test_a_live_worker_that_is_refused_for_its_fence_is_found(lived: Lived) -> None:
    lived.sandbox.clear_faults()
    httpx.put(
        f"{conf.GATEWAY_URL}/routes/{FAILED}",
        json={"color": "blue"},
        headers={"Bluegreen-Fence": "1000"},
        trust_env=False,
    )
    operations.retry_task(Task.objects.get(tenant=FAILED).pk, OPERATOR)
    work_off()
    assert set(broken(lived.gather())) == {3}


def test_a_tenants_next_task_that_begins_below_the_epochs_of_its_last_is_found(
    lived: Lived,
) -> None:
    lived.sandbox.enforce_fences(False)
    plan = make_plan([GOOD], target="blue")
    Task.objects.filter(plan=plan).update(lease_epoch=0)
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    assert set(broken(lived.gather())) == {3}
