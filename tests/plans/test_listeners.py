"""Who is told of committed events (S9.5), and how operators learn of a failure (S4.1)."""

import logging
from collections.abc import Iterator

import pytest

from plans import listeners, operations
from plans.models import Event, Plan, PlanState
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def told() -> Iterator[list[Event]]:
    """What a listener is told that raises each time, after another one of its kind."""
    heard: list[Event] = []

    def listen(event: Event) -> None:
        heard.append(event)
        raise RuntimeError("this listener is broken")

    listeners.register(listen)
    yield heard
    listeners.unregister(listen)


def test_operators_are_told_of_a_failure_once(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.add_fault("tenant-001", "gateway.put_route", "status", code=400)
    plan = make_plan(["tenant-001", "tenant-002"], max_concurrency=1)
    operations.start_plan(plan.pk, OPERATOR)
    with caplog.at_level(logging.WARNING, "plans.operators"):
        work_off()
    said = [r.getMessage() for r in caplog.records if r.name == "plans.operators"]
    assert len(said) == 2
    assert said[0].startswith(
        f"failed needs a decision: plan {plan.pk}, tenant tenant-001: GATEWAY"
    )
    assert said[1].startswith(f"plan halted needs a decision: plan {plan.pk}")


def test_a_listener_is_told_every_committed_event_and_may_break(
    sandbox: Sandbox, told: list[Event]
) -> None:
    plan = make_plan(["tenant-001"])
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    assert Plan.objects.get().state == PlanState.COMPLETED
    stored = Event.objects.filter(plan=plan)
    assert sorted(event.seq for event in told) == sorted(stored.values_list("seq", flat=True))
