"""The global stop: hold everything still at once, in the whole installation, until it is lifted."""

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_noop

from plans import events
from plans.actor import Actor, Permission
from plans.engine import conductor
from plans.errors import ChangedSinceYouLooked, IllegalTransition
from plans.message import Message
from plans.models import EventKind, Stop
from plans.queries.stop import active_stop


def stop_everything(actor: Actor, *, reason: str = "") -> Stop:
    """Hand out nothing more, whatever the plan; what runs stops at its next stage boundary.

    Raises `PermissionRefused`; `IllegalTransition` where somebody was faster.
    """
    actor.require(Permission.OPERATE)
    try:
        with events.record(None, actor) as record:
            with transaction.atomic():
                stop = Stop.objects.create(reason=reason, stopped_by=actor.name, stopped_at=Now())
            record.note(EventKind.STOP_CALLED, reason=reason, data={"stop": stop.pk})
    except IntegrityError:
        raise IllegalTransition(gettext_noop("Everything is stopped already.")) from None
    return Stop.objects.get(pk=stop.pk)


def lift_stop(actor: Actor, *, seen: int | None = None, reason: str = "") -> Stop:
    """Let everything go on from where it stands. `seen` is the number of the stop one looked at.

    Raises `PermissionRefused`; `IllegalTransition` where nothing is stopped;
    `ChangedSinceYouLooked` where it is another stop by now.
    """
    actor.require(Permission.OPERATE)
    with events.record(None, actor) as record:
        stop = active_stop(lock=True)
        if stop is None:
            raise IllegalTransition(gettext_noop("Nothing is stopped."))
        if seen is not None and seen != stop.pk:
            values = {"id": stop.pk, "who": stop.stopped_by}
            raise ChangedSinceYouLooked(
                what=Message.of(Stop._meta.verbose_name),
                state=Message(gettext_noop("stop %(id)s by %(who)s"), values),
            )
        Stop.objects.filter(pk=stop.pk).update(active=False, lifted_by=actor.name, lifted_at=Now())
        record.note(EventKind.STOP_LIFTED, reason=reason, data={"stop": stop.pk})
    conductor.settle_active()
    conductor.ring_due()
    return Stop.objects.get(pk=stop.pk)
