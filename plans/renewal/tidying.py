"""Removing what nobody asks for any more."""

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from plans import conf
from plans.models import Renewal, RenewalProcess
from plans.renewal.database import in_seconds

EARLIER = "earlier processes"
ENDED_KEPT_SECONDS = 3600.0
COUNTS = ("renewed", "failed", "skipped", "late")


def tidy() -> None:
    """Remove renewals that stopped long ago; add up the figures of processes that ended."""
    long_ago = in_seconds(-conf.RENEWALS_KEPT_SECONDS)
    Renewal.objects.filter(stopped_at__lte=long_ago).delete()
    with transaction.atomic():
        old = RenewalProcess.objects.filter(ended_at__lte=in_seconds(-ENDED_KEPT_SECONDS))
        ended = list(old.exclude(name=EARLIER).select_for_update())
        if not ended:
            return
        sums = {name: sum(getattr(each, name) for each in ended) for name in COUNTS}
        earlier = RenewalProcess.objects.filter(name=EARLIER).first()
        if earlier is None:
            times = dict.fromkeys(("started_at", "seen_at", "expires_at", "ended_at"), Now())
            RenewalProcess.objects.create(name=EARLIER, **times, **sums)
        else:
            changes = {name: F(name) + count for name, count in sums.items()}
            RenewalProcess.objects.filter(pk=earlier.pk).update(**changes)
        RenewalProcess.objects.filter(pk__in=[each.pk for each in ended]).delete()
