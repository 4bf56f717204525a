"""Create a plan, or show what creating it would do."""

from dataclasses import dataclass
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models import Max

from plans import conf, events, pipelines, validation
from plans.actor import Actor, Permission
from plans.errors import TenantConflict, ValidationFailed
from plans.events import Record
from plans.models import EventKind, Journal, Plan, Task, Tenant, Wave
from plans.operations.taken import RELEASED, require_taken
from plans.slices import ROWS_AT_ONCE, slices
from plans.validation import PlannedWave, PlanRequest, Subject, Summary
from plans.validation.text import storable

REFUSALS_MAX = 500
"""So many faults of a refused request are audited, each by an event."""


@dataclass(frozen=True)
class Preview:
    """What a plan would do: the findings, the target, the waves in numbers, the tenants."""

    summary: Summary
    target: str | None
    waves: list[PlannedWave]
    tenants: list[Tenant]


def preview_plan(request: PlanRequest, actor: Actor) -> Preview:
    """Validate and show; stores no plan (S1.3: dry run)."""
    actor.require(Permission.OPERATE)
    subject = Subject(request)
    summary = validation.validate(subject)
    waves = validation.resolve(request.waves, len(request.tenants))
    tenants = [subject.tenants[i] for i in subject.well_formed_ids if i in subject.tenants]
    return Preview(summary, subject.target, waves, tenants)


def create_plan(request: PlanRequest, actor: Actor) -> Plan:
    """Like `create_plan_with_summary`, for who does not show the warnings."""
    plan, _summary = create_plan_with_summary(request, actor)
    return plan


def create_plan_with_summary(request: PlanRequest, actor: Actor) -> tuple[Plan, Summary]:
    """Create the plan that `request` describes, in `CREATED`, with one task per tenant.

    Raises `ValidationFailed` with the whole summary, or `TenantConflict` if another process was
    faster with one of the tenants; either way nothing is stored but the refusal.
    """
    actor.require(Permission.OPERATE)
    subject = Subject(request)
    summary = validation.validate(subject)
    if summary.errors:
        _record_refusal(request, summary, actor)
        raise ValidationFailed(summary)
    try:
        return _store(subject, summary, actor), summary
    except IntegrityError as broken:
        require_taken(broken)
        # Another process created a task for one of the tenants since the chain has looked.
        again = validation.validate(Subject(request))
        _record_refusal(request, again, actor)
        if again.errors:
            raise ValidationFailed(again) from None
        raise TenantConflict(RELEASED) from None


def _store(subject: Subject, summary: Summary, actor: Actor) -> Plan:
    request = subject.request
    plan = Plan(
        name=request.name.strip(),
        executor_type=request.executor_type,
        target=subject.target or "",  # The chain has refused a plan without one.
        max_concurrency=request.max_concurrency,
        failure_policy=request.failure_policy,
        failure_budget=request.failure_budget,
        created_by=actor.name,
    )
    # How much less than the defaults was asked of the stages belongs into the audit.
    parameters = {"parameters": request.parameters} if request.parameters else {}
    with transaction.atomic():
        plan.journal = Journal.objects.create(name=f"new:{uuid4().hex}")
        plan.save(force_insert=True)
        Journal.objects.filter(pk=plan.journal_id).update(name=f"plan:{plan.pk}")
        with events.record(plan, actor) as record:
            record.note(
                EventKind.PLAN_CREATED,
                to_state=plan.state,
                data={"tenants": len(request.tenants), "target": plan.target} | parameters,
            )
            _store_tasks(record, plan, subject, summary)
    return plan


def _store_tasks(record: Record, plan: Plan, subject: Subject, summary: Summary) -> None:
    request = subject.request
    planned = validation.resolve(request.waves, len(request.tenants))
    waves = Wave.objects.bulk_create(
        Wave(
            plan=plan,
            index=index,
            mode=wave.mode,
            size=wave.size,
            soak_seconds=wave.soak_seconds,
            approval=wave.approval,
        )
        for index, wave in enumerate(planned)
    )
    pipeline = pipelines.snapshot(request.executor_type, request.parameters)
    wave_of = [wave for wave in waves for _ in range(wave.size)]
    epochs = _latest_epochs(subject.well_formed_ids)
    # In one order everywhere: two processes that insert tasks of the same tenants wait for each
    # other's unique keys, and must not do so crosswise.
    by_tenant_id = sorted(enumerate(request.tenants), key=lambda each: each[1].tenant_id)
    tasks = Task.objects.bulk_create(
        [
            Task(
                plan=plan,
                wave=wave_of[position],
                tenant_id=tenant.tenant_id,
                position=position,
                pipeline=pipeline,
                lease_epoch=epochs.get(tenant.tenant_id, 0),
                target={
                    "environment": plan.target,
                    "version": tenant.version,
                    "payload": tenant.payload,
                },
            )
            for position, tenant in by_tenant_id
        ],
        batch_size=ROWS_AT_ONCE,
    )
    by_tenant = summary.by_tenant
    for task in sorted(tasks, key=lambda task: task.position):
        known = subject.tenants[task.tenant_id]
        where = {"environment": known.environment}
        record.note(EventKind.TASK_CREATED, task=task, to_state=task.state, data=where)
        warnings = [issue.code for issue in by_tenant.get(task.tenant_id, [])]
        record.note(
            EventKind.TASK_VALIDATED, task=task, data={"warnings": warnings} if warnings else {}
        )


def _latest_epochs(tenant_ids: list[str]) -> dict[str, int]:
    """The fence that each tenant's services have seen last: a new task's epochs go on above it."""
    epochs: dict[str, int] = {}
    for some in slices(tenant_ids):
        tasks = Task.objects.filter(tenant__in=some)
        epochs.update(tasks.values_list("tenant").annotate(Max("lease_epoch")).order_by())
    return epochs


def _record_refusal(request: PlanRequest, summary: Summary, actor: Actor) -> None:
    """The refusal is audited though nothing else is stored."""
    with events.record(None, actor) as record:
        record.note(
            EventKind.PLAN_REFUSED,
            data={
                "name": storable(request.name[: conf.NAME_MAX_CHARS]),
                "errors": summary.error_count,
            },
        )
        for issue in summary.errors[:REFUSALS_MAX]:
            record.note(
                EventKind.TASK_VALIDATION_FAILED,
                tenant_id=storable(issue.tenant_id[:64]),
                data={"code": issue.code, "field": issue.field},
                reason=storable(issue.message.english[: conf.REASON_MAX_CHARS]),
            )
