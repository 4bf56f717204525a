"""A hold: one thing for which a plan or a task waits, in words."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from plans.models import Stop


@dataclass(frozen=True)
class Hold:
    """`since` and `until` where they are known."""

    text: str
    since: datetime | None = None
    until: datetime | None = None


def of_stop(stop: Stop) -> Hold:
    """The global stop, which comes before all else."""
    values = {"who": stop.stopped_by, "why": stop.reason or _("no reason was given")}
    text = _("Everything is stopped by %(who)s (%(why)s): nothing is handed out.") % values
    return Hold(text, since=stop.stopped_at)
