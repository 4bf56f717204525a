"""How estimates and times on an axis are written."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from plans.queries.pace import Pace
from plans.queries.task_lines import Span
from plans.templatetags.bluegreen import duration

register = template.Library()

MINUTE, HOUR, DAY = 60, 3600, 86_400
SPANS = {
    "run": gettext_lazy("done"),
    "running": gettext_lazy("running"),
    "failed": gettext_lazy("failed"),
    "skipped": gettext_lazy("skipped"),
    "back": gettext_lazy("undone"),
    "wait": gettext_lazy("waits"),
    "pause": gettext_lazy("paused"),
}
"""The looks of a task's timeline, in words."""


@register.filter
def remaining(pace: Pace) -> str:
    """`3–5 min left`, and the approvals that it also takes; nothing where nothing is known."""
    if pace.low_seconds is None or pace.high_seconds is None:
        return ""
    text = _("%(time)s left") % {"time": _between(pace.low_seconds, pace.high_seconds)}
    if not pace.approvals:
        return text
    also = ngettext("%(count)s approval", "%(count)s approvals", pace.approvals)
    return _("%(time)s, and %(approvals)s") % {
        "time": text,
        "approvals": also % {"count": pace.approvals},
    }


@register.filter
def per_minute(rate: float) -> str:
    """Three digits of a rate at most: `0.42`, `12.4`, `1240`."""
    digits = 2 if rate < 1 else 1 if rate < 100 else 0
    return f"{rate:.{digits}f}"


@register.filter
def clock(at: datetime, shows_days: bool = False) -> str:
    """The time of day, and the day where the axis is longer than one."""
    local = timezone.localtime(at)
    if shows_days:
        return local.strftime("%m-%d %H:%M")
    return local.strftime("%H:%M:%S" if local.second else "%H:%M")


@register.simple_tag
def span_words(span: Span) -> str:
    """A span of a task's timeline: `try 2 failed GATEWAY_TIMEOUT, 340 ms`."""
    words = [_("try %(count)s") % {"count": span.attempt}] if span.attempt > 1 else []
    words.append(str(SPANS[span.look]))
    if span.code:
        words.append(span.code)
    text = " ".join(words)
    if span.end is None:
        return _("%(what)s since %(time)s") % {"what": text, "time": clock(span.begin)}
    return f"{text}, {duration((span.end - span.begin).total_seconds())}"


def _between(low: float, high: float) -> str:
    if high < 1.5 * MINUTE:
        return _spoken(_("%(time)s s"), low, high, 10)
    if high < 1.5 * HOUR:
        return _spoken(_("%(time)s min"), low / MINUTE, high / MINUTE, 1)
    if high < 2 * DAY:
        return _spoken(_("%(time)s h"), low / HOUR, high / HOUR, 0.5)
    return _spoken(_("%(time)s days"), low / DAY, high / DAY, 0.5)


def _spoken(unit: str, low: float, high: float, step: float) -> str:
    """Rounded outwards to whole steps: a range must not promise more than it knows."""
    first, last = low // step * step, -(-high // step) * step
    if not first or first == last:
        return _("at most %(time)s") % {"time": unit % {"time": f"{last:g}"}}
    return unit % {"time": f"{first:g}–{last:g}"}
