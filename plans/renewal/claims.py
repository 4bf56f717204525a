"""Winning and giving back rows, so that each is renewed by one process, and all share the work."""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from plans.models import Renewal, StopReason
from plans.renewal.database import active, alive, free
from plans.renewal.figures import Tally

CLAIM_MAX = 500
"""So many rows are won at once at most, so that no transaction takes long."""
ERROR_MAX_CHARS = 1000


@dataclass(frozen=True)
class Claim:
    """A row that this process has won: its key, and how often it has been won by anybody."""

    renewal_id: int
    epoch: int


@dataclass(frozen=True)
class News:
    """What became of a row's keys since it was last written down."""

    claimed: Claim
    key_count: int
    tally: Tally
    last_error: str


def fair_share() -> int:
    """How many rows each of the living processes should have."""
    return math.ceil(active().count() / max(1, alive().count()))


def claim(process_id: int, count: int, without: Collection[int] = ()) -> int:
    """Win up to `count` free rows, but none of `without`; how many."""
    with transaction.atomic():
        # Skipping what another is about to win, two processes never wait for each other.
        wanted = free().exclude(pk__in=without).order_by("pk")
        found = wanted.select_for_update(skip_locked=True, no_key=True)
        won = list(found.values_list("pk", flat=True)[: min(count, CLAIM_MAX)])
        changes = {"owner": process_id, "epoch": F("epoch") + 1}
        return Renewal.objects.filter(pk__in=won).update(**changes) if won else 0


def release(process_id: int, renewal_ids: Collection[int]) -> None:
    """Give rows back that are held by this process."""
    mine = Renewal.objects.filter(pk__in=renewal_ids, owner=process_id)
    mine.update(owner=None)


def held_by(process_id: int) -> dict[int, int]:
    """The epochs of the active rows that are this process's."""
    return dict(active().filter(owner=process_id).values_list("pk", "epoch"))


def read(claimed: Claim, process_id: int) -> Renewal | None:
    """The row, if it is still held."""
    return active().filter(pk=claimed.renewal_id, owner=process_id, epoch=claimed.epoch).first()


def anchor(claimed: Claim, process_id: int, now_ms: int) -> int | None:
    """From when the row's rounds count: `now_ms`, if it has none yet; None if it was lost."""
    mine = active().filter(pk=claimed.renewal_id, owner=process_id, epoch=claimed.epoch)
    mine.filter(anchor_ms__isnull=True).update(anchor_ms=now_ms)
    return mine.values_list("anchor_ms", flat=True).first()


def stop(claimed: Claim, process_id: int, reason: StopReason) -> None:
    """Write down that a row has come to its end."""
    active().filter(pk=claimed.renewal_id, owner=process_id, epoch=claimed.epoch).update(
        stopped_at=Now(), stop_reason=reason, stopped_by="system"
    )


def write_down(news: Iterable[News]) -> None:
    """Add the news to their rows."""
    found = list(news)
    if not found:
        return
    with transaction.atomic():
        for each in found:
            Renewal.objects.filter(pk=each.claimed.renewal_id, epoch=each.claimed.epoch).update(
                key_count=each.key_count,
                last_error=each.last_error[:ERROR_MAX_CHARS],
                **{name: F(name) + count for name, count in vars(each.tally).items()},
            )
