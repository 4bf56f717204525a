"""What the events of all journals add up to, in groups, as the metrics count them."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.db.models import (
    Case,
    CharField,
    Count,
    F,
    FloatField,
    IntegerField,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast

from plans.models import Event, EventKind, Journal

STAGE_ENDS = (EventKind.STAGE_COMPLETED, EventKind.STAGE_FAILED, EventKind.STAGE_SKIPPED)
BOUNDS_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
"""The upper bounds of the stage durations' buckets; one more bucket has what took longer."""

HEAD = "a journal's head"
IS_STAGE_END = Q(kind__in=STAGE_ENDS)
SECONDS = Cast(KeyTextTransform("seconds", "data"), FloatField())


class Group(NamedTuple):
    """Events that are counted together; only a stage's end has more than its kind.

    `code` is the error code of a failed stage, `is_tried_again` whether it was tried again by
    itself, `bucket` the place of its duration in `BOUNDS_SECONDS`.
    """

    kind: str
    stage: str
    direction: str
    code: str
    is_tried_again: bool
    bucket: int


class Sums(NamedTuple):
    """How many events a group has, and the seconds that its stages took together."""

    events: int
    seconds: float


def of_all() -> tuple[dict[Group, Sums], dict[int, int]]:
    """The sums of every event that there is, and where each journal stood then (`seq` by id).

    Reads the whole table. One statement sees one moment, on any database.
    """
    heads = Journal.objects.order_by().values_list(
        Value(HEAD),
        Cast("pk", CharField()),
        Value(""),
        Value(""),
        Value(0),
        Value(0),
        F("last_seq"),
        Value(0.0),
    )
    rows = list(_grouped(Q()).union(heads, all=True))
    sums = _sums(row for row in rows if row[0] != HEAD)
    return sums, {int(row[1]): row[6] for row in rows if row[0] == HEAD}


def between(spans: Mapping[int, tuple[int, int]]) -> dict[Group, Sums]:
    """The sums of the events `after < seq <= last`, given as `(after, last)` by journal."""
    wanted = Q(pk__in=[])
    for journal, (after, last) in spans.items():
        wanted |= Q(journal=journal, seq__gt=after, seq__lte=last)
    return _sums(_grouped(wanted))


def _grouped(wanted: Q) -> QuerySet[Event, Any]:
    # The first bound that holds ends the search: most stages are quick.
    bounds = [When(IS_STAGE_END & Q(seconds__lte=b), then=n) for n, b in enumerate(BOUNDS_SECONDS)]
    again = IS_STAGE_END & Q(data__has_key="nextTryInSeconds")
    return (
        Event.objects.filter(wanted)
        .order_by()
        .annotate(
            stage=_of_stage_end(KeyTextTransform("stage", "data")),
            direction=_of_stage_end(KeyTextTransform("direction", "data")),
            code=_of_stage_end(KeyTextTransform("errorCode", KeyTransform("failure", "data"))),
            again=Case(When(again, then=1), default=0, output_field=IntegerField()),
            seconds=Case(When(IS_STAGE_END, then=SECONDS), output_field=FloatField()),
            bucket=Case(*bounds, default=len(BOUNDS_SECONDS), output_field=IntegerField()),
        )
        .values_list("kind", "stage", "direction", "code", "again", "bucket")
        .annotate(count=Count("pk"), took=Sum("seconds"))
    )


def _sums(rows: Iterable[Any]) -> dict[Group, Sums]:
    return {
        Group(kind, stage or "", direction or "", code or "", bool(again), bucket): Sums(
            count, took or 0.0
        )
        for kind, stage, direction, code, again, bucket, count, took in rows
    }


def _of_stage_end(value: KeyTextTransform) -> Case:
    return Case(When(IS_STAGE_END, then=value))
