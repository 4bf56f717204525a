"""Plans as the API shows them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Self

from pydantic import Field

from plans.api.schemas import Answer, Detail
from plans.message import Message
from plans.models import Event, FailurePolicy, Plan, PlanState, Wave, WaveMode
from plans.queries import counts
from plans.queries.counts import Counts
from plans.queries.plan_page import why_still
from plans.queries.tally import Tally
from plans.validation import PlannedWave, Summary


class PlanBrief(Answer):
    """A plan in a list. `counts` has the number of tasks in each state."""

    plan_id: int
    name: str
    state: PlanState
    executor_type: str
    target: str
    task_count: int
    counts: Counts
    max_concurrency: int
    failure_policy: FailurePolicy
    failure_budget: int | None
    halt: str | None = Field(description="Why nothing more is handed out")
    current_wave: int = Field(description="Counted from 0")
    created_by: str
    created_at: datetime
    started_by: str | None
    started_at: datetime | None
    finished_at: datetime | None
    revision: int = Field(description="Changes with every change; may be sent back as `seen`")

    @classmethod
    def fields_of(cls, plan: Plan, by_state: Counts) -> dict[str, Any]:
        halt = Message.from_json(plan.halt)
        return {
            "plan_id": plan.pk,
            "name": plan.name,
            "state": plan.state,
            "executor_type": plan.executor_type,
            "target": plan.target,
            "task_count": sum(by_state.values()),
            "counts": by_state,
            "max_concurrency": plan.max_concurrency,
            "failure_policy": plan.failure_policy,
            "failure_budget": plan.failure_budget,
            "halt": str(halt) if halt else None,
            "current_wave": plan.current_wave,
            "created_by": plan.created_by,
            "created_at": plan.created_at,
            "started_by": plan.started_by or None,
            "started_at": plan.started_at,
            "finished_at": plan.finished_at,
            "revision": plan.revision,
        }

    @classmethod
    def of_all(cls, plans: Sequence[Plan]) -> list[Self]:
        by_plan = counts.of_plans(plans)
        return [cls.model_validate(cls.fields_of(plan, by_plan[plan.pk])) for plan in plans]


class GateAnswer(Answer):
    """The gate after a wave: closed once the wave has ended, open once nothing holds it."""

    closed_at: datetime | None
    soak_until: datetime | None
    decision: str | None = Field(description="approved or rejected")
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None = Field(description="Why it was approved or rejected")
    opened_at: datetime | None

    @classmethod
    def of(cls, wave: Wave) -> Self | None:
        """None where the wave has no gate."""
        if not wave.has_gate:
            return None
        return cls(
            closed_at=wave.gate_closed_at,
            soak_until=wave.soak_until,
            decision=wave.decision or None,
            decided_by=wave.decided_by or None,
            decided_at=wave.decided_at,
            reason=wave.decision_reason or None,
            opened_at=wave.gate_opened_at,
        )


class WaveAnswer(Answer):
    """A wave of a plan; `index` counts from 0."""

    index: int
    mode: WaveMode
    size: int
    counts: Counts
    started_at: datetime | None
    finished_at: datetime | None
    soak_seconds: int
    approval: bool
    gate: GateAnswer | None

    @classmethod
    def of(cls, wave: Wave, by_state: Counts) -> Self:
        return cls(
            index=wave.index,
            mode=WaveMode(wave.mode),
            size=wave.size,
            counts=by_state,
            started_at=wave.started_at,
            finished_at=wave.finished_at,
            soak_seconds=wave.soak_seconds,
            approval=wave.approval,
            gate=GateAnswer.of(wave),
        )


class PlanDetail(PlanBrief):
    """A plan with its waves; `lastSeq` is the cursor of its events."""

    waves: list[WaveAnswer]
    waits_for: list[str] = Field(description="Why it does not move, or not further, in words")
    last_seq: int

    @classmethod
    def of(cls, plan: Plan) -> Self:
        by_wave = counts.of_waves(plan)
        total = counts.none()
        for of_wave in by_wave.values():
            for state, number in of_wave.items():
                total[state] += number
        waves = [
            WaveAnswer.of(wave, by_wave.get(wave.pk) or counts.none())
            for wave in plan.waves.order_by("index")
        ]
        fields = cls.fields_of(plan, total)
        waits_for = [hold.text for hold in why_still(plan, Tally.of(plan))]
        more = {"waves": waves, "waits_for": waits_for, "last_seq": plan.journal.last_seq}
        return cls.model_validate({**fields, **more})


class PlannedWaveAnswer(Answer):
    """A wave in numbers."""

    size: int
    mode: str
    soak_seconds: int
    approval: bool

    @classmethod
    def of_all(cls, waves: Iterable[PlannedWave | Wave]) -> list[Self]:
        return [
            cls(
                size=wave.size,
                mode=wave.mode,
                soak_seconds=wave.soak_seconds,
                approval=wave.approval,
            )
            for wave in waves
        ]


class PlanCreated(Answer):
    """A new plan; `warnings` did not stand in its way."""

    plan_id: int
    state: PlanState
    task_count: int
    target: str
    waves: list[PlannedWaveAnswer]
    warnings: list[Detail]
    revision: int


class SummaryAnswer(Answer):
    """What the validation chain found."""

    errors: int
    warnings: int
    issues: list[Detail]

    @classmethod
    def of(cls, summary: Summary) -> Self:
        return cls(
            errors=summary.error_count,
            warnings=len(summary.warnings),
            issues=[Detail.of(issue) for issue in summary.issues],
        )


class PlanPreview(Answer):
    """What a dry run shows; nothing was stored. With errors the plan would be refused."""

    summary: SummaryAnswer
    target: str | None
    task_count: int
    waves: list[PlannedWaveAnswer]


class EventAnswer(Answer):
    """One recorded fact. `hash` chains it to the one before."""

    seq: int
    kind: str
    at: datetime
    actor: str
    task_id: int | None
    tenant_id: str | None
    from_state: str | None
    to_state: str | None
    reason: str | None
    epoch: int | None
    data: dict[str, Any]
    hash: str

    @classmethod
    def of(cls, event: Event) -> Self:
        return cls(
            seq=event.seq,
            kind=event.kind,
            at=event.at,
            actor=event.actor,
            task_id=event.task_id,
            tenant_id=event.tenant_id or None,
            from_state=event.from_state or None,
            to_state=event.to_state or None,
            reason=event.reason or None,
            epoch=event.epoch,
            data=event.data,
            hash=event.hash,
        )

    @classmethod
    def of_all(cls, events: Sequence[Event]) -> list[Self]:
        return [cls.of(event) for event in events]
