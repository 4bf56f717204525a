"""A plan's whole event log: by kind, tenant and who; a page of it, or all of it row by row."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from plans.actor import SYSTEM
from plans.models import Event, EventKind, Plan
from plans.queries import feed
from plans.queries.feed import QUIET_KINDS, FeedItem

EVENTS_PER_PAGE = 100
CHUNK_ROWS = 1000
GROUPS: Mapping[str, Promise] = {
    "plan": _("the plan, its waves and gates"),
    "decisions": _("what people asked for"),
    "failures": _("failures"),
    "stages": _("stages"),
    "waits": _("waits"),
}
"""Kinds of events that one looks for together."""
FAILURES = Q(kind__endswith="failed") | Q(kind=EventKind.PLAN_HALTED)
_KINDS: Mapping[str, Q] = {
    "plan": Q(task=None),
    "decisions": Q(epoch=None) & ~Q(actor=SYSTEM.name) & ~Q(kind__in=QUIET_KINDS),
    "failures": FAILURES,
    "stages": Q(kind__startswith="stage."),
    "waits": Q(kind__in=(EventKind.TASK_WAITING, EventKind.TASK_PROGRESS)),
}
FIELDS = (
    "seq",
    "at",
    "kind",
    "tenantId",
    "taskId",
    "actor",
    "epoch",
    "fromState",
    "toState",
    "reason",
    "data",
    "hash",
)
"""What a row of a download has, under the names that the API uses."""


@dataclass(frozen=True)
class EventFilter:
    """Which events: `kind` is one of `GROUPS` or of the kinds; empty texts leave nothing out."""

    kind: str = ""
    tenant: str = ""
    who: str = ""

    @property
    def is_on(self) -> bool:
        """Whether any event may be left out."""
        return bool(self.kind or self.tenant or self.who)

    def apply(self, plan: Plan) -> QuerySet[Event]:
        """The events of `plan` that match, unordered."""
        events = Event.objects.filter(plan=plan).order_by()
        if self.kind in _KINDS:
            events = events.filter(_KINDS[self.kind])
        elif self.kind:
            events = events.filter(kind=self.kind)
        if self.tenant:
            events = events.filter(tenant_id__icontains=self.tenant)
        if self.who:
            events = events.filter(actor__icontains=self.who)
        return events


@dataclass(frozen=True)
class EventLog:
    """One page of the log, newest first."""

    filter: EventFilter
    page: Page
    items: list[FeedItem]


def read(plan: Plan, asked: EventFilter, page: Any) -> EventLog:
    """The page `page` of what matches; the nearest one if there is no such page."""
    found = Paginator(asked.apply(plan).order_by("-seq"), EVENTS_PER_PAGE)
    shown = found.get_page(page)
    return EventLog(asked, shown, feed.items_of(shown.object_list))


def chunks(plan: Plan, asked: EventFilter) -> Iterator[list[dict[str, Any]]]:
    """Everything that matches up to now, in order, in lists of at most `CHUNK_ROWS` rows.

    Each list is one statement, so that a slow reader holds no transaction and little memory.
    Events are never changed: what is read later is what it would have been now.
    """
    after, last = 0, plan.journal.last_seq
    while after < last:
        events = asked.apply(plan).filter(seq__gt=after, seq__lte=last).order_by("seq")
        rows = _rows(events[:CHUNK_ROWS])
        if not rows:
            return
        yield rows
        after = rows[-1]["seq"]


def _rows(events: Iterable[Event]) -> list[dict[str, Any]]:
    return [
        {
            "seq": event.seq,
            "at": event.at.isoformat(),
            "kind": event.kind,
            "tenantId": event.tenant_id or None,
            "taskId": event.task_id,
            "actor": event.actor,
            "epoch": event.epoch,
            "fromState": event.from_state or None,
            "toState": event.to_state or None,
            "reason": event.reason or None,
            "data": event.data,
            "hash": event.hash,
        }
        for event in events
    ]
