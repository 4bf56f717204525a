"""Plans and events whose journal is not there: who walks the journals never meets them."""

from collections.abc import Iterator

from django.db.models import Exists, Min, OuterRef
from django.utils.translation import gettext_noop as _

from plans.audit.findings import Broken, name_of
from plans.message import Message
from plans.models import Event, Journal, Plan


def orphans(plan_id: int | None) -> Iterator[Broken]:
    """Yield each plan without a journal, and the first event of each journal that is missing.

    Of one plan, or (None) of all.
    """
    has_none = ~Exists(Journal.objects.filter(pk=OuterRef("journal_id")))
    plans, events = Plan.objects.filter(has_none), Event.objects.filter(has_none)
    if plan_id is not None:
        plans, events = plans.filter(pk=plan_id), events.filter(plan=plan_id)
    for pk in plans.order_by("pk").values_list("pk", flat=True):
        yield Broken(name_of(pk), None, None, Message(_("The journal of this plan is missing.")))
    lost = events.order_by("journal_id").values_list("journal_id", "plan_id")
    for journal_id, owner, seq in lost.annotate(Min("seq")):
        first = Event.objects.filter(journal=journal_id, seq=seq).values_list("pk", flat=True)
        yield Broken(name_of(owner), seq, first[0], Message(_("Its journal is missing.")))
