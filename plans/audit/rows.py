"""Whether the rows of a plan are what its events say of them.

A row and its event are written by one transaction, and each question here is one statement,
which sees one moment: plans may run meanwhile.
"""

from collections.abc import Iterator
from typing import Any

from django.db.models import CharField, Exists, F, Model, OuterRef, QuerySet, Subquery
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, JSONObject
from django.utils.translation import gettext_noop as _

from plans.audit.findings import Broken, name_of
from plans.message import Message
from plans.models import Decision, Event, EventKind, Plan, Task, Wave

CHUNK_ROWS = 2000
DECISIONS = {
    EventKind.GATE_APPROVED: Decision.APPROVED,
    EventKind.GATE_REJECTED: Decision.REJECTED,
}
DIFFERS = _("The events say “%(told)s”; %(column)s of row %(row)s is “%(now)s”.")
NO_TASK = _("It created task %(task)s, and this plan has no such task of tenant %(tenant)s.")

Told = dict[str, Any] | None
"""What an event says, by its fields' names; None where there is none."""


def differences(plan_id: int, journal_id: int) -> Iterator[Broken]:
    """Yield what of the rows of a plan is not as the events of its journal say.

    Looked at are: the plan's state, who created and who started it; what was decided of its
    gates, and by whom; that each task is there, of its tenant, and its state.
    """
    yield from _of_plan(plan_id)
    yield from _of_waves(plan_id)
    yield from _of_lost_tasks(plan_id, journal_id)
    yield from _of_tasks(plan_id)


def _of_plan(plan_id: int) -> Iterator[Broken]:
    said = Event.objects.filter(plan=OuterRef("pk"), task=None)
    row = Plan.objects.values_list(
        "state",
        "created_by",
        "started_by",
        _last(said.exclude(to_state="")),
        _last(said.filter(kind=EventKind.PLAN_CREATED)),
        _last(said.filter(kind=EventKind.PLAN_STARTED)),
    ).get(pk=plan_id)
    state, created_by, started_by, moved, created, started = row
    for column, now, told, says in (
        ("state", state, moved, "to_state"),
        ("created_by", created_by, created, "actor"),
        ("started_by", started_by, started, "actor"),
    ):
        yield from _differing(plan_id, Plan, plan_id, column, now, told, says)


def _of_waves(plan_id: int) -> Iterator[Broken]:
    said = Event.objects.filter(plan=plan_id, task=None)
    of_wave = said.filter(kind__in=DECISIONS).annotate(wave=Cast(KT("data__wave"), CharField()))
    rows = Wave.objects.filter(plan=plan_id).values_list(
        "pk",
        "decision",
        "decided_by",
        _last(of_wave.filter(wave=Cast(OuterRef("index"), CharField()))),
        _last(said.filter(kind=EventKind.PLAN_RESUMED)),
    )
    for pk, decision, decided_by, told, resumed in rows:
        was_rejected = told is not None and told["kind"] == EventKind.GATE_REJECTED
        if was_rejected and resumed and resumed["seq"] > told["seq"]:
            # Going on after a rejection asks for approval anew.
            told = resumed | {"kind": "", "actor": ""}
        if told:
            told["decision"] = DECISIONS.get(told["kind"], Decision.NONE)
        yield from _differing(plan_id, Wave, pk, "decision", decision, told, "decision")
        yield from _differing(plan_id, Wave, pk, "decided_by", decided_by, told, "actor")


def _of_lost_tasks(plan_id: int, journal_id: int) -> Iterator[Broken]:
    there = Task.objects.filter(pk=OuterRef("task"), plan=plan_id, tenant=OuterRef("tenant_id"))
    created = Event.objects.filter(journal=journal_id, kind=EventKind.TASK_CREATED)
    lost = created.exclude(Exists(there)).order_by("seq")
    for seq, pk, task, tenant in lost.values_list("seq", "pk", "task_id", "tenant_id"):
        why = Message(NO_TASK, {"task": task, "tenant": tenant})
        yield Broken(name_of(plan_id), seq, pk, why)


def _of_tasks(plan_id: int) -> Iterator[Broken]:
    moved = Event.objects.filter(task=OuterRef("pk")).exclude(to_state="")
    rows = Task.objects.filter(plan=plan_id).order_by("position")
    for pk, state, told in rows.values_list("pk", "state", _last(moved)).iterator(CHUNK_ROWS):
        yield from _differing(plan_id, Task, pk, "state", state, told, "to_state")


def _last(events: QuerySet[Event]) -> Subquery:
    """What the last of `events` says."""
    what = JSONObject(**{name: F(name) for name in ("pk", "seq", "kind", "actor", "to_state")})
    return Subquery(events.order_by("-seq").values_list(what)[:1])


def _differing(
    plan_id: int, model: type[Model], pk: int, column: str, now: str, told: Told, says: str
) -> Iterator[Broken]:
    """Yield one where `now`, which the row has, is not what `told` says as `says`."""
    told = told or {says: ""}
    if now != told[says]:
        name = f"{model._meta.db_table}.{column}"
        values = {"column": name, "row": pk, "now": now, "told": told[says]}
        yield Broken(name_of(plan_id), told.get("seq"), told.get("pk"), Message(DIFFERS, values))
