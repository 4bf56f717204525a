"""A plan's event log: a page that filters it, and all of it as CSV or JSON."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from plans.models import EventKind
from plans.queries import event_log
from plans.queries.existing import existing_plan
from plans.rendering import cursors
from plans.web.access import HtmxRequest, page
from plans.web.forms import event_filter

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""Spreadsheets take a text that begins so for a formula, and run it."""

Chunks = Iterator[list[dict[str, Any]]]


@page
@require_safe
def events(request: HtmxRequest, plan_id: int) -> HttpResponse:
    """`?kind=`, `?tenant=`, `?who=`, `?page=`; newest first."""
    plan = existing_plan(plan_id)
    cursor = cursors.plan_cursor(plan)
    log = event_log.read(plan, event_filter(request.GET), request.GET.get("page"))
    context = {
        "plan": plan,
        "log": log,
        "cursor": cursor,
        # What a filter or a page leaves out must not be put in by the live feed.
        "is_live": not log.filter.is_on and log.page.number == 1,
        "now": timezone.now(),
        "groups": event_log.GROUPS.items(),
        "kinds": EventKind.choices,
    }
    return render(request, "plans/plan_events.html", context)


@page
@require_safe
def download(request: HtmxRequest, plan_id: int, ending: str) -> StreamingHttpResponse:
    """Every event that matches the same filters, oldest first, as it is read."""
    plan = existing_plan(plan_id)
    write, kind = WRITERS[ending]
    parts = write(event_log.chunks(plan, event_filter(request.GET)))
    name = f"plan-{plan.pk}-events.{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(_read_on(parts), content_type=kind, headers=headers)


async def _read_on(parts: Iterator[str]) -> AsyncIterator[str]:
    """Each part as it is wanted: a plain iterator would be read whole before the first byte."""
    while (part := await sync_to_async(_following)(parts)) is not None:
        yield part


def _following(parts: Iterator[str]) -> str | None:
    # An iterator's end is an exception that no awaited call may raise.
    return next(parts, None)


def _csv(chunks: Chunks) -> Iterator[str]:
    yield _lines([list(event_log.FIELDS)])
    for rows in chunks:
        yield _lines([[_cell(row[name]) for name in event_log.FIELDS] for row in rows])


def _lines(rows: list[list[Any]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


def _json(chunks: Chunks) -> Iterator[str]:
    """An array with one event a line."""
    before = "[\n"
    for rows in chunks:
        yield before + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        before = ",\n"
    yield "\n]\n" if before != "[\n" else "[]\n"


WRITERS: dict[str, tuple[Callable[[Chunks], Iterator[str]], str]] = {
    "csv": (_csv, "text/csv; charset=utf-8"),
    "json": (_json, "application/json"),
}
