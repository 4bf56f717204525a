"""The effects ledger of a task: its outgoing calls."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from ninja import Query, Router
from pydantic import Field

from plans.api.auth import ApiRequest
from plans.api.schemas import Answer, Page, Paging, TaskId, answers
from plans.models import Direction
from plans.queries.effects import Call, effects_of
from plans.queries.existing import existing_task
from plans.queries.task_page import stage_runs

router = Router(tags=["tasks"], by_alias=True)


class EffectAnswer(Answer):
    """One outgoing call. Payloads and headers are kept nowhere."""

    stage: str
    direction: Direction
    attempt: int = Field(description="Of the stage")
    at: datetime | None
    service: str = Field(description="OB_SERVICE, GATEWAY, INSTANCE, NOTIFY, REDIS, …")
    method: str
    address: str = Field(description="Without credentials and query; for Redis the key")
    status: int | None = Field(description="HTTP's; null without an answer, and for Redis")
    outcome: str | None = Field(
        description="What Redis answered: FOUND, or of a write WRITTEN, HELD or REFUSED, and the "
        "version that it holds"
    )
    error_code: str | None
    seconds: float | None = Field(description="null: its answer was not waited for any more")
    times_sent: int = Field(description="2 where a connection had gone stale")
    idempotency_key: str | None
    fence: int | None

    @classmethod
    def of_all(cls, calls: Sequence[Call]) -> list[Self]:
        return [cls._of(call) for call in calls]

    @classmethod
    def _of(cls, call: Call) -> Self:
        return cls(
            stage=call.run.stage,
            direction=Direction(call.run.direction),
            attempt=call.run.attempt,
            at=call.at,
            service=call.service,
            method=call.method,
            address=call.address,
            status=call.status,
            outcome=call.outcome or None,
            error_code=call.code or None,
            seconds=call.seconds,
            times_sent=call.sent,
            idempotency_key=call.key or None,
            fence=call.fence,
        )


class EffectPage(Page[EffectAnswer]):
    """Calls, oldest first. `total` are kept; `made` were made, also those in between that are not.

    `takenOver` attempts lack what a worker called that was lost, since its last wait.
    """

    made: int
    taken_over: int


@router.get(
    "/tasks/{task_id}/effects", response=answers(EffectPage, 404), summary="List a task's calls"
)
def list_effects(request: ApiRequest, task_id: TaskId, paging: Query[Paging]) -> EffectPage:
    """What went out for it. The calls of a stage come with its end, or with its next wait."""
    found = effects_of(stage_runs(existing_task(task_id)))
    shown = found.calls[paging.offset : paging.offset + paging.page_size]
    return EffectPage(
        items=EffectAnswer.of_all(shown),
        total=len(found.calls),
        page=paging.page,
        page_size=paging.page_size,
        made=found.made,
        taken_over=len(found.lost),
    )
