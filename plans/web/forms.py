"""What browsers send, made into what the facade takes."""

import re
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_noop

from plans import conf
from plans.actor import Actor, Permission
from plans.errors import MalformedRequest
from plans.models import EventKind, Plan, Task, TaskState
from plans.queries import blast
from plans.queries.event_log import GROUPS, EventFilter
from plans.queries.tally import Tally
from plans.queries.task_table import PAGE_SIZES, SORTS, VIEWS, TaskFilter
from plans.validation.text import problem_of_reason

ID = re.compile(r"[0-9]{1,18}")
PINNED = re.compile(r"(?:([A-Z_]{1,20}):)?([0-9]{1,18}(?:,[0-9]{1,18})*)")


def task_filter(data: QueryDict) -> TaskFilter:
    """The filter of the task table that an address names; nonsense is left out."""
    states = [state.upper() for state in data.getlist("state")]
    wave, sort, size = data.get("wave", ""), data.get("sort", ""), data.get("size", "")
    return TaskFilter(
        states=tuple(state for state in states if state in TaskState.values),
        text=data.get("q", "").replace("\x00", "").strip()[:100],
        wave=int(wave) if re.fullmatch(r"[0-9]{1,6}", wave) else None,
        stage=data.get("stage", "").replace("\x00", "")[:64],
        code=data.get("code", "").replace("\x00", "")[:64],
        at=data.get("at", "").replace("\x00", "")[:64],
        sort=sort.removeprefix("-") if sort.removeprefix("-") in SORTS else "position",
        descending=sort.startswith("-"),
        size=next((each for each in PAGE_SIZES if str(each) == size), conf.PAGE_SIZE),
        view=data.get("view", "") if data.get("view", "") in VIEWS else "list",
    )


def event_filter(data: QueryDict) -> EventFilter:
    """The filter of the event log that an address names; nonsense is left out."""
    kind = data.get("kind", "")
    return EventFilter(
        kind=kind if kind in GROUPS or kind in EventKind.values else "",
        tenant=data.get("tenant", "").replace("\x00", "").strip()[:100],
        who=data.get("who", "").replace("\x00", "").strip()[:100],
    )


def command_of(data: QueryDict, verb: str) -> dict[str, Any]:
    """`seen` (a state, or a revision as a number), `reason`, and for a retry where from.

    Raises `MalformedRequest`.
    """
    seen, reason = data.get("seen", "").strip(), data.get("reason", "").strip()
    if "\x00" in seen:
        raise MalformedRequest
    if problem := problem_of_reason(reason):
        raise MalformedRequest(problem.template, **problem.values)
    command: dict[str, Any] = {"seen": _seen(seen), "reason": reason}
    if verb == "retry":
        command["from_checkpoint"] = data.get("from_checkpoint", "1") != "0"
    return command


def _seen(text: str) -> str | int | None:
    if ID.fullmatch(text):
        return int(text)
    return text or None


def require_typed_name(data: QueryDict, plan: Plan, verb: str, actor: Actor) -> None:
    """Above a threshold the plan's name is typed. Raises `MalformedRequest`."""
    if not actor.may(Permission.OPERATE) or data.get("typed_name", "").strip() == plan.name:
        return
    if blast.needs_typed_name(Tally.of(plan), verb):
        raise MalformedRequest(
            gettext_noop("Type the plan's name, “%(name)s”, to confirm: it concerns many tenants."),
            name=plan.name,
        )


def selected_tasks(data: QueryDict, plan: Plan) -> QuerySet[Task]:
    """The tasks that a form of the task table means. `scope` is one of `selected` (the ticked
    ones: `task`), `page` (the ones listed: `listed`) and `all` (all that match the filter).
    """
    scope = data.get("scope", "selected")
    if scope == "all":
        return task_filter(data).apply(plan)
    ids = data.get("listed", "").split(",") if scope == "page" else data.getlist("task")
    known = [int(each) for each in ids if ID.fullmatch(each)][: conf.PAGE_SIZE_MAX]
    if not known:
        raise MalformedRequest(gettext_noop("No task is selected: tick some, then try again."))
    return Task.objects.filter(plan=plan, pk__in=known).order_by("position")


def pinned_tasks(data: QueryDict, plan: Plan) -> dict[str, list[int]]:
    """The task ids that were confirmed, by the state in which they were then (`selection`:
    `STATE:1,2 STATE:3`); those of another plan are left out. Raises `MalformedRequest`.
    """
    words = data.get("selection", "").split() or [",".join(data.getlist("task"))]
    own = set(Task.objects.filter(plan=plan).values_list("pk", flat=True))
    found: dict[str, list[int]] = {}
    for word in words:
        match = PINNED.fullmatch(word)
        if match is None:
            raise MalformedRequest(gettext_noop("The selection cannot be read: select again."))
        ids = [int(each) for each in match[2].split(",")]
        found.setdefault(match[1] or "", []).extend(pk for pk in ids if pk in own)
    return found
