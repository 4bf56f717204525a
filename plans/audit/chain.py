"""The walk along the journals, event by event, from the first to the head."""

from collections.abc import Iterator, Mapping

from django.db.models import F, QuerySet
from django.utils.translation import gettext_noop as _

from plans.audit.findings import Broken, Findings, name_of
from plans.audit.heads import Head
from plans.audit.orphans import orphans
from plans.audit.rows import CHUNK_ROWS, differences
from plans.message import Message
from plans.models import Event, Journal
from plans.models.journal import GENESIS

UNREADABLE = (AttributeError, TypeError, ValueError)
"""What Django raises where a column holds what its type never wrote, as SQLite allows."""
NOT_AS_RECORDED = _("Its content is not what was recorded, or not what followed event %(before)s.")
OTHER = _("It, or one before it, is not what was recorded: its hash was exported as another one.")
GONE = _("It is missing: the journal ends at %(last)s, and was exported up to %(seq)s.")
NO_JOURNAL = _("The journal is missing: it was exported with %(seq)s events.")
CUT = _("It is missing: the journal ends after event %(last)s, its head says %(head)s.")
NO_PLAN = _("The plan of this journal is missing.")
OTHERS = _("This is the journal of plan %(plan)s, which goes by another name.")


class ChainBroken(Exception):
    """Internal: the walk along one journal ends at `broken`."""

    def __init__(self, broken: Broken) -> None:
        self.broken = broken


def verify(plan_id: int | None = None, exported: Mapping[str, Head] | None = None) -> Findings:
    """Walk every journal, or that of one plan, event by event, and look at the rows of its plan.

    `exported` has heads by the names of journals: each must still be a part of its journal. May
    run while events are being recorded: what is added meanwhile is left for the next time.
    """
    findings, due = Findings(broken=list(orphans(plan_id))), dict(exported or {})
    journals = Journal.objects.order_by("pk").annotate(owner=F("plan"))
    if plan_id is not None:
        journals = journals.filter(plan=plan_id)
    for journal in journals.iterator(CHUNK_ROWS):
        findings.walked.add(journal.name)
        head, at, owner = due.pop(journal.name, None), None, journal.owner
        try:
            _require_its_name(journal, owner)
            for event in _walk(journal, owner):
                findings.events += 1
                at = event.at
                if head and event.seq == head.seq and event.hash != head.hash:
                    raise _broken(journal, event.seq, event.pk, OTHER)
            if head and head.seq > journal.last_seq:
                last = journal.last_seq
                raise _broken(journal, last + 1, None, GONE, seq=head.seq, last=last)
        except ChainBroken as found:
            findings.broken.append(found.broken)
        else:
            findings.proven += head is not None
            seq, last_hash = journal.last_seq, journal.last_hash
            findings.heads.append(Head(journal=journal.name, seq=seq, hash=last_hash, at=at))
            # Of a journal that does not hold nobody knows what it said.
            if owner is not None:
                findings.broken += differences(owner, journal.pk)
    if plan_id is None:
        findings.broken += [_no_journal(head) for head in due.values()]
    return findings


def _no_journal(head: Head) -> Broken:
    return Broken(head.journal, head.seq, None, Message(NO_JOURNAL, {"seq": head.seq}))


def _require_its_name(journal: Journal, owner: int | None) -> None:
    if journal.name != name_of(owner):
        why = Message(NO_PLAN) if owner is None else Message(OTHERS, {"plan": owner})
        raise ChainBroken(Broken(journal.name, None, None, why))


def _walk(journal: Journal, owner: int | None) -> Iterator[Event]:
    """Yield the events up to the head as it was read; raises `ChainBroken`."""
    seq, last_hash = 0, GENESIS
    events = Event.objects.filter(journal=journal).order_by("seq")
    for event in _read(journal, events.filter(seq__lte=journal.last_seq)):
        if event.seq != seq + 1:
            raise _broken(journal, seq + 1, None, _("It is missing."))
        seq = event.seq
        if event.plan_id != owner:
            raise _broken(journal, seq, event.pk, _("It belongs to another plan."))
        try:
            last_hash = event.chained_hash(last_hash)
        except UNREADABLE:
            last_hash = ""
        if event.hash != last_hash or not last_hash:
            raise _broken(journal, seq, event.pk, NOT_AS_RECORDED, before=seq - 1)
        yield event
    # A journal is made with its first event.
    if seq < journal.last_seq or seq == 0:
        raise _broken(journal, seq + 1, None, CUT, last=seq, head=journal.last_seq)
    if last_hash != journal.last_hash:
        last = events.filter(seq=seq).values_list("pk", flat=True).first()
        raise _broken(journal, seq, last, _("It is not what the journal's head closes with."))
    _require_nothing_beyond(journal, events.filter(seq__gt=seq))


def _read(journal: Journal, events: QuerySet[Event]) -> Iterator[Event]:
    """Yield `events`; raises `ChainBroken` at a row whose columns cannot even be read."""
    read = 0
    try:
        for event in events.iterator(CHUNK_ROWS):
            yield event
            read = event.seq
        return
    except UNREADABLE:
        rest = events.filter(seq__gt=read).values_list("pk", "seq")
    for pk, seq in rest.iterator(CHUNK_ROWS):
        try:
            event = Event.objects.get(pk=pk)
        except UNREADABLE:
            raise _broken(journal, seq, pk, _("It cannot be read.")) from None
        yield event


def _require_nothing_beyond(journal: Journal, beyond: QuerySet[Event]) -> None:
    row = beyond.values_list("pk", "seq").first()
    # An event and its head are committed together: one that is younger than the head that was
    # read shows with a head that has grown too.
    if row and Journal.objects.get(pk=journal.pk).last_seq < row[1]:
        raise _broken(journal, row[1], row[0], _("It is beyond the end that the head names."))


def _broken(
    journal: Journal, seq: int, event_id: int | None, why: str, /, **values: int
) -> ChainBroken:
    return ChainBroken(Broken(journal.name, seq, event_id, Message(why, values)))
