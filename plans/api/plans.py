"""Create plans and look at them."""

from typing import Any

from django.http import HttpResponse
from ninja import Query, Router
from ninja.responses import Status
from pydantic import Field

from plans import conf, operations
from plans.actor import Permission
from plans.api.auth import ApiRequest, needs
from plans.api.lookups import require_storable
from plans.api.plan_answers import (
    EventAnswer,
    PlanBrief,
    PlanCreated,
    PlanDetail,
    PlannedWaveAnswer,
    PlanPreview,
    SummaryAnswer,
)
from plans.api.plan_requests import PlanDraft
from plans.api.schemas import (
    Detail,
    Filters,
    OptionalText,
    Page,
    Paging,
    PlanId,
    SomeOf,
    answers,
    page_of,
)
from plans.models import PlanState
from plans.queries import lists
from plans.queries.existing import existing_plan

router = Router(tags=["plans"], by_alias=True)


class PlanFilters(Paging):
    """Which plans."""

    search: OptionalText = Field(None, description="Part of the name, or the id")
    state: SomeOf[PlanState] = []


class DryRun(Filters):
    """Whether to store anything."""

    dry_run: bool = False


class EventFilters(Paging):
    """Which events. `limit` is another name for `pageSize`."""

    after: int = Field(0, ge=0, le=lists.ID_MAX, description="Only events with a higher seq")
    limit: int | None = Field(None, ge=1, le=conf.PAGE_SIZE_MAX)


class EventPage(Page[EventAnswer]):
    """Events in order; `lastSeq` is the highest that there is now."""

    last_seq: int


@router.post(
    "/plans",
    response={**answers(PlanCreated, 409, 413, 422, status=201), 200: PlanPreview},
    summary="Create a plan",
    auth=needs(Permission.OPERATE),
)
def create_plan(
    request: ApiRequest, response: HttpResponse, draft: PlanDraft, query: Query[DryRun]
) -> Status[Any]:
    """Validate and store a plan in CREATED, or (dry run, 200) only show what it would be.

    With any error nothing is stored: 422 with every tenant's errors and warnings in `details`.
    """
    asked = draft.as_request()
    if draft.dry_run or query.dry_run:
        preview = operations.preview_plan(asked, request.auth)
        return Status(
            200,
            PlanPreview(
                summary=SummaryAnswer.of(preview.summary),
                target=preview.target,
                task_count=len(asked.tenants),
                waves=PlannedWaveAnswer.of_all(preview.waves),
            ),
        )
    plan, summary = operations.create_plan_with_summary(asked, request.auth)
    response["Location"] = f"/api/plans/{plan.pk}"
    return Status(
        201,
        PlanCreated(
            plan_id=plan.pk,
            state=PlanState(plan.state),
            task_count=len(asked.tenants),
            target=plan.target,
            waves=PlannedWaveAnswer.of_all(plan.waves.order_by("index")),
            warnings=[Detail.of(issue) for issue in summary.warnings],
            revision=plan.revision,
        ),
    )


@router.get("/plans", response=answers(Page[PlanBrief]), summary="List plans")
def list_plans(request: ApiRequest, filters: Query[PlanFilters]) -> Page[PlanBrief]:
    """Newest first."""
    require_storable("search", filters.search)
    found = lists.plans(filters.search or "", filters.state)
    return Page[PlanBrief](**page_of(found, filters, PlanBrief.of_all))


@router.get("/plans/{plan_id}", response=answers(PlanDetail, 404), summary="Look at a plan")
def get_plan(request: ApiRequest, plan_id: PlanId) -> PlanDetail:
    """With its waves and how many tasks are in which state."""
    return PlanDetail.of(existing_plan(plan_id))


@router.get("/plans/{plan_id}/events", response=answers(EventPage, 404), summary="Follow a plan")
def list_events(request: ApiRequest, plan_id: PlanId, filters: Query[EventFilters]) -> EventPage:
    """What happened after a seq, in order. `seq` has no gaps: ask again with the last one."""
    plan = existing_plan(plan_id)
    if filters.limit is not None:
        filters.page_size = filters.limit
    last_seq = plan.journal.last_seq
    found = lists.events(plan, filters.after, last_seq)
    return EventPage(**page_of(found, filters, EventAnswer.of_all), last_seq=last_seq)
