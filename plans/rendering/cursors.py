"""Cursors: up to where a page knows the truth. A page reads its cursor before its data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from plans.models import INSTALLATION, UNFINISHED_PLAN_STATES, Journal, Plan
from plans.queries import tenants

LISTED_MAX = 50
"""Plans whose seq a fleet cursor carries; if others moved on, a page gets the whole."""


def plan_cursor(plan: Plan) -> str:
    """The cursor of pages that show `plan` or one of its tasks: its last seq, read now."""
    return str(Journal.objects.values_list("last_seq", flat=True).get(pk=plan.journal_id))


def fleet_cursor() -> str:
    """The cursor of pages that show all plans or all tenants."""
    return FleetHead.read().cursor


@dataclass(frozen=True)
class FleetCursor:
    """What a page of the fleet says it knows.

    `total` is the sum of all plans' last seqs, `newest` the highest journal, `registry` when a
    tenant last changed outside (microseconds), `seqs` the last seq by journal of the plans
    that were moving. If the listed and the newer journals explain the growth of the total, then
    no other one has moved.
    """

    total: int
    newest: int
    registry: int
    seqs: Mapping[int, int]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `total.newest.registry[.journal:seq]…`; raises ValueError."""
        total, newest, registry, *listed = text.split(".")
        if len(listed) > LISTED_MAX:
            raise ValueError("too many journals")
        pairs = (entry.split(":") for entry in listed)
        return cls(int(total), int(newest), int(registry), {int(j): int(seq) for j, seq in pairs})

    def __str__(self) -> str:
        listed = (f"{journal}:{seq}" for journal, seq in self.seqs.items())
        return ".".join((str(self.total), str(self.newest), str(self.registry), *listed))


@dataclass(frozen=True)
class FleetHead:
    """Where every plan's journal stands, as one statement saw it, and its cursor."""

    seqs: Mapping[int, int]
    registry: int
    cursor: str

    @classmethod
    def read(cls) -> Self:
        """Two statements, whatever the number of plans."""
        # Before the journals: a registry that changes in between is then sent once too often.
        registry = tenants.last_read()
        rows = list(
            Journal.objects.exclude(name=INSTALLATION)
            .order_by("pk")
            .values_list("pk", "last_seq", "plan__state")
        )
        seqs = {pk: seq for pk, seq, _state in rows}
        moving = [(pk, seq) for pk, seq, state in rows if state in UNFINISHED_PLAN_STATES]
        newest = max(seqs, default=0)
        cursor = FleetCursor(sum(seqs.values()), newest, registry, dict(moving[-LISTED_MAX:]))
        return cls(seqs, registry, str(cursor))

    def moved_since(self, before: FleetCursor) -> dict[int, int] | None:
        """The journals that moved since, with the seq they had then; None where that is unknown."""
        then = {journal: 0 for journal in self.seqs if journal > before.newest} | dict(before.seqs)
        grown = {j: self.seqs.get(j, -1) - seq for j, seq in then.items()}
        explained = sum(grown.values()) == sum(self.seqs.values()) - before.total
        if not explained or min(grown.values(), default=0) < 0:
            return None
        return {journal: then[journal] for journal, more in grown.items() if more}
