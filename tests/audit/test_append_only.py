"""Recorded events can be neither changed nor deleted through the ORM."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction

from plans import events
from plans.errors import AppendOnly
from plans.models import Event, EventKind
from tests.support.driving import OPERATOR

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "attempt",
    [
        lambda event: event.save(),
        lambda event: event.save(update_fields=["actor"]),
        lambda event: event.delete(),
        lambda event: Event.objects.update(actor="x"),
        lambda event: Event.objects.filter(pk=event.pk).delete(),
        lambda event: Event.objects.bulk_update([event], ["actor"]),
        lambda event: event.journal.events.update(actor="x"),
        lambda event: event.journal.events.all().delete(),
    ],
)
def test_no_way_of_the_orm_changes_an_event(attempt: Callable[[Event], object]) -> None:
    with events.record(None, OPERATOR) as record:
        record.note(EventKind.PLAN_REFUSED, reason="the only one")
    event = Event.objects.get()
    event.actor = "somebody else"
    with pytest.raises(AppendOnly), transaction.atomic():
        attempt(event)
    assert Event.objects.get().actor == OPERATOR.name


def test_an_event_cannot_take_the_place_of_another() -> None:
    with events.record(None, OPERATOR) as record:
        record.note(EventKind.PLAN_REFUSED)
    stored = Event.objects.get()
    twin = Event(pk=stored.pk, journal=stored.journal, seq=2, at=stored.at, kind=stored.kind)
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save()
    assert Event.objects.get().seq == 1
