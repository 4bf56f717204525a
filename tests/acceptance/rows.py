"""One row of every model that has addresses, for tests that call them all."""

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from plans import events, pipelines
from plans.models import (
    ApiToken,
    Direction,
    Environment,
    Event,
    EventKind,
    FailurePolicy,
    Journal,
    Plan,
    Renewal,
    RenewalProcess,
    StageRun,
    Task,
    Tenant,
    Wave,
)
from tests.support.driving import OPERATOR

TYPE = "BLUE_GREEN_SWITCH"


def make_rows() -> dict[str, object]:
    """What stands in the place of each `{name}` in the addresses of the matrix."""
    now = timezone.now()
    endpoint = ["http://127.0.0.1:9"]
    tenant, _ = (
        Tenant.objects.create(
            tenant_id=name, environment=Environment.BLUE, endpoints=endpoint, synced_at=now
        )
        for name in ("tenant-001", "tenant-002")
    )
    journal = Journal.objects.create(name="plan:1")
    plan = Plan.objects.create(
        name="A plan",
        target="green",
        max_concurrency=1,
        failure_policy=FailurePolicy.HALT,
        executor_type=TYPE,
        journal=journal,
        created_by="olga",
    )
    wave = Wave.objects.create(plan=plan, index=0, size=1)
    task = Task.objects.create(
        plan=plan,
        wave=wave,
        tenant=tenant,
        position=0,
        pipeline=pipelines.snapshot(TYPE, {}),
        target={"environment": "green", "version": None, "payload": None},
    )
    run = StageRun.objects.create(
        task=task,
        stage="read_tenant",
        index=0,
        direction=Direction.FORWARD,
        attempt=1,
        epoch=1,
        started_at=now,
    )
    with events.record(plan, OPERATOR) as record:
        record.note(EventKind.TASK_CREATED, task=task)
    person = User.objects.create(username="paula")
    ApiToken.issue(person)
    own_role = Group.objects.create(name="night shift")
    log = LogEntry.objects.create(user=person, action_flag=CHANGE, object_repr="paula")
    rows = [plan, wave, task, run, Event.objects.get(), tenant, journal, person, own_role, log]
    rows.append(ApiToken.objects.get())
    selector = {"kind": "list", "keys": ["a"]}
    rows.append(Renewal.objects.create(name="a", selector=selector, ttl={}, interval={}))
    rows.append(
        RenewalProcess.objects.create(name="p", started_at=now, seen_at=now, expires_at=now)
    )
    return {
        "plan": plan.pk,
        "task": task.pk,
        "contenttype": ContentType.objects.get_for_model(Tenant).pk,
        **{row._meta.label_lower: row.pk for row in rows},
    }
