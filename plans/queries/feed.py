"""Recorded events as the feeds show them."""

from collections.abc import Iterable
from dataclasses import dataclass

from plans import conf
from plans.message import Message
from plans.models import Event, Plan, Task, Tenant

QUIET_KINDS = ("task.created", "task.validated")
"""One each for every tenant; the plan's own line says it for all."""


@dataclass(frozen=True)
class FeedItem:
    """One event; `tenant_name` is empty where the tenant has none. `text`: the failure or wait."""

    event: Event
    tenant_name: str
    text: str

    @property
    def shape(self) -> str:
        """The name of the look: what became of the task or plan, else the kind's last word."""
        return (self.event.to_state or self.event.kind.rpartition(".")[2]).lower()

    @property
    def element_id(self) -> str:
        return f"event-{self.event.journal_id}-{self.event.seq}"

    @property
    def stage(self) -> str:
        return str(self.event.data.get("stage") or "")

    @property
    def wave(self) -> int | None:
        """Counted from 1."""
        index = self.event.data.get("wave")
        return index + 1 if isinstance(index, int) else None


def plan_feed(plan: Plan, limit: int = conf.FEED_EVENTS) -> list[FeedItem]:
    """The latest events of a plan, newest first; two statements."""
    events = Event.objects.filter(plan=plan).exclude(kind__in=QUIET_KINDS)
    return items_of(events.order_by("-seq")[:limit])


def task_feed(task: Task, limit: int = conf.FEED_EVENTS) -> list[FeedItem]:
    """The latest events of a task, newest first."""
    return items_of(Event.objects.filter(task=task).order_by("-seq")[:limit])


def items_of(events: Iterable[Event]) -> list[FeedItem]:
    """The items of `events` in their order; one statement for the tenants' names."""
    found = list(events)
    ids = {event.tenant_id for event in found if event.tenant_id}
    names = dict(Tenant.objects.filter(pk__in=ids).values_list("pk", "name"))
    return [FeedItem(event, names.get(event.tenant_id, ""), text_of(event)) for event in found]


def text_of(event: Event) -> str:
    """Why it happened: a failure, a wait or a reason, in the reader's language."""
    for stored in (
        event.data.get("message"),
        (event.data.get("failure") or {}).get("message"),
        event.data.get("for"),
        event.data.get("why"),
        (event.data.get("result") or {}).get("why"),
    ):
        if isinstance(stored, dict) and "template" in stored:
            return str(Message.from_json(stored))
    return event.reason
