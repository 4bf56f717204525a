"""What failed last, in all plans."""

from django.db.models import Max

from plans.models import Event
from plans.queries import feed
from plans.queries.event_log import FAILURES
from plans.queries.feed import FeedItem

SHOWN = 10
EVENTS_LOOKED_AT = 20_000
"""So many of the newest: no index finds failures alone, and years without one must not be read."""


def last_errors() -> list[FeedItem]:
    """The newest failures of stages, tasks and plans, newest first; three statements."""
    newest = Event.objects.aggregate(pk=Max("pk"))["pk"] or 0
    failures = Event.objects.filter(FAILURES, plan__isnull=False, pk__gt=newest - EVENTS_LOOKED_AT)
    return feed.items_of(failures.select_related("plan").order_by("-pk")[:SHOWN])
