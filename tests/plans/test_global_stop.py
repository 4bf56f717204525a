"""The global stop: nothing is handed out anywhere until it is lifted."""

import pytest

from plans import conf, operations, registry_sync
from plans.actor import Actor, Permission
from plans.engine import conductor, executor, global_stop
from plans.errors import ChangedSinceYouLooked, IllegalTransition, PermissionRefused
from plans.models import INSTALLATION, Event, EventKind, PlanState, Stop, Task, Wave
from plans.queries.stop import active_stop
from tests.plans.interrupting import Interruptions
from tests.plans.switching import switched_plan
from tests.support.driving import OPERATOR, WORKER, make_plan, rung, work_off
from tests.support.sandbox import Sandbox, calls_of

pytestmark = pytest.mark.django_db(transaction=True)

VIEWER = Actor("vera", frozenset({Permission.VIEW}))


def states() -> str:
    return " ".join(Task.objects.order_by("position").values_list("state", flat=True))


def test_a_stop_and_its_end_are_recorded_in_the_installations_journal() -> None:
    stop = operations.stop_everything(OPERATOR, reason="the gateway burns")
    assert active_stop() == stop
    assert (stop.stopped_by, stop.reason) == ("olga", "the gateway burns")
    operations.lift_stop(OPERATOR, seen=stop.pk, reason="it is out")
    assert active_stop() is None
    assert Stop.objects.get().lifted_by == "olga"
    events = Event.objects.filter(journal__name=INSTALLATION).order_by("seq")
    assert [(e.kind, e.actor, e.reason, e.data) for e in events] == [
        (EventKind.STOP_CALLED, "olga", "the gateway burns", {"stop": stop.pk}),
        (EventKind.STOP_LIFTED, "olga", "it is out", {"stop": stop.pk}),
    ]


def test_a_stop_is_refused_without_a_trace() -> None:
    with pytest.raises(PermissionRefused):
        operations.stop_everything(VIEWER)
    with pytest.raises(IllegalTransition):
        operations.lift_stop(OPERATOR)
    assert not Stop.objects.exists()
    assert not Event.objects.exists()
    stop = operations.stop_everything(OPERATOR)
    with pytest.raises(PermissionRefused):
        operations.lift_stop(VIEWER)
    with pytest.raises(IllegalTransition):
        operations.stop_everything(OPERATOR)
    with pytest.raises(ChangedSinceYouLooked):
        operations.lift_stop(OPERATOR, seen=stop.pk + 1)
    assert active_stop() == stop
    assert Event.objects.count() == 1


def test_no_task_of_any_plan_begins_until_it_is_lifted(sandbox: Sandbox) -> None:
    operations.stop_everything(OPERATOR)
    plan = switched_plan(2)
    assert plan.state == PlanState.RUNNING
    other = make_plan(["tenant-010"])
    operations.start_plan(other.pk, OPERATOR)
    conductor.settle_active()
    assert set(states().split()) == {"PENDING"}
    assert rung() == set()
    operations.lift_stop(OPERATOR)
    assert set(states().split()) == {"RUNNING"}
    assert len(rung()) == 3
    work_off()
    assert set(states().split()) == {"COMPLETED"}


def test_what_was_handed_out_before_is_not_taken(sandbox: Sandbox) -> None:
    switched_plan(1)
    operations.stop_everything(OPERATOR)
    before = Task.objects.values().get()
    executor.run(before["id"], WORKER)
    assert calls_of(sandbox.calls(), "tenant-001") == []
    assert Task.objects.values().get() == before
    operations.lift_stop(OPERATOR)
    work_off()
    assert states() == "COMPLETED"


def test_what_runs_ends_its_stage_and_goes_on_from_there_afterwards(
    sandbox: Sandbox, interruptions: Interruptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(global_stop, "LOOK_SECONDS", 0.0)
    switched_plan(1)
    interruptions.at(EventKind.STAGE_COMPLETED, lambda _: operations.stop_everything(OPERATOR))
    executor.run(Task.objects.get().pk, WORKER)
    task = Task.objects.get()
    assert (task.state, task.cursor, task.lease_owner, task.admitted) == ("RUNNING", 1, "", True)
    before = len(sandbox.calls())
    operations.lift_stop(OPERATOR)
    work_off()
    assert states() == "COMPLETED"
    assert "ob.get_tenant" not in {call["step"] for call in sandbox.calls()[before:]}
    taken = calls_of(sandbox.calls(), "tenant-001")
    assert [call["step"] for call in taken].count("ob.get_tenant") == 1


def test_rollbacks_are_held_too(sandbox: Sandbox) -> None:
    plan = switched_plan(1)
    work_off()
    operations.stop_everything(OPERATOR)
    operations.roll_back_plan(plan.pk, OPERATOR)
    conductor.settle_active()
    assert states() == "ROLLING_BACK"
    assert not Task.objects.get().admitted
    operations.lift_stop(OPERATOR)
    work_off()
    assert states() == "ROLLED_BACK"


def test_a_gate_stays_closed_until_it_is_lifted(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    switched_plan(2, waves=[{"size": 1, "soak_seconds": 3600}, {"rest": True}])
    # It is done in a thread that would outlive the test, and write into the next one's database.
    monkeypatch.setattr(registry_sync, "sync_tenants", lambda: 0)
    work_off()
    operations.stop_everything(OPERATOR)
    Wave.objects.update(soak_until="2026-01-01T00:00:00Z")
    conductor.Conductor().conduct()
    assert states() == "COMPLETED PENDING"
    operations.lift_stop(OPERATOR)
    assert states() == "COMPLETED RUNNING"


def test_a_process_looks_once_a_second_at_most(
    db: None, django_assert_num_queries: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(global_stop, "LOOK_SECONDS", conf.LEASE_SECONDS)
    global_stop.was_not_active()
    with django_assert_num_queries(0):  # type: ignore[operator]
        for _ in range(10):
            assert not global_stop.is_noticed()
