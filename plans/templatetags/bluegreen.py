"""How times, durations, stages and states are written on the pages."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from plans.errors import FailureKind
from plans.models import Environment, TaskState
from plans.queries.condition import Condition
from plans.stages import registry

register = template.Library()

MINUTE, HOUR, DAY = 60, 3600, 86_400
KINDS: dict[str, str] = {
    FailureKind.VALIDATION: gettext_noop("validation"),
    FailureKind.EXECUTION: gettext_noop("execution"),
    FailureKind.TIMEOUT: gettext_noop("time-out"),
    FailureKind.NETWORK: gettext_noop("network"),
    FailureKind.STATE: gettext_noop("state"),
    FailureKind.CHECKPOINT: gettext_noop("checkpoint"),
    FailureKind.SYSTEM: gettext_noop("system"),
}


@register.filter
def when(at: datetime | None) -> SafeString:
    """A time, absolute and relative, that a script keeps fresh; nothing for None."""
    if at is None:
        return SafeString("")
    local = timezone.localtime(at)
    is_today = local.date() == timezone.localdate()
    shown = date_format(local, "TIME_FORMAT" if is_today else "SHORT_DATETIME_FORMAT")
    return format_html(
        '<time datetime="{}" title="{}">{} <span class="ago">{}</span></time>',
        at.isoformat(timespec="seconds"),
        _exact(local),
        shown,
        _relative((timezone.now() - at).total_seconds()),
    )


@register.filter
def exactly(at: datetime | None) -> str:
    """A time, absolute alone; nothing for None."""
    return _exact(timezone.localtime(at)) if at else ""


@register.filter
def ago(at: datetime | None) -> SafeString:
    """A time, relative alone; absolute as its title."""
    if at is None:
        return SafeString("")
    return format_html(
        '<time datetime="{}" title="{}"><span class="ago">{}</span></time>',
        at.isoformat(timespec="seconds"),
        _exact(timezone.localtime(at)),
        _relative((timezone.now() - at).total_seconds()),
    )


@register.filter
def duration(seconds: float | None) -> str:
    """`340 ms`, `4.2 s`, `3 min 5 s`, `2 h 4 min`; nothing for None."""
    if seconds is None:
        return ""
    if seconds < 1:
        return _("%(count)s ms") % {"count": round(seconds * 1000)}
    if seconds < MINUTE:
        return _("%(count)s s") % {"count": f"{seconds:.1f}"}
    if seconds < HOUR:
        minutes, rest = divmod(round(seconds), MINUTE)
        return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}
    hours, rest = divmod(round(seconds), HOUR)
    return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": rest // MINUTE}


@register.filter
def took(row: object) -> str:
    """How long something with `started_at` and `finished_at` took; nothing before its end."""
    started, finished = getattr(row, "started_at", None), getattr(row, "finished_at", None)
    return duration((finished - started).total_seconds()) if started and finished else ""


@register.filter
def stage_title(name: str) -> str:
    """The title of a stage in the reader's language; its name where it is not known here."""
    try:
        return str(registry.get(name).title)
    except KeyError:
        return name.replace("_", " ")


@register.filter
def stage_titles(names: list[str]) -> str:
    """Titles of several stages, with arrows."""
    return " → ".join(stage_title(name) for name in names)


@register.filter
def state_words(state: str) -> str:
    """The label of a task's state."""
    return str(TaskState(state).label) if state in TaskState.values else state


@register.filter
def place(environment: str) -> str:
    """The name of an environment."""
    return Environment.name_of(environment)


@register.filter
def kind_words(kind: str) -> str:
    """What sort of trouble a failure is."""
    return _(KINDS[kind]) if kind in KINDS else kind.lower()


@register.filter
def shape(state: str) -> str:
    """The name of a state's or condition's look."""
    return str(state).lower()


@register.simple_tag
def badge(state: str, label: str = "") -> SafeString:
    """A state as a shape and a word."""
    name = str(state).lower()
    words = label or (str(Condition(name).label) if name in Condition.values else name)
    return format_html('<span class="badge {}"><i class="glyph"></i>{}</span>', name, words)


@register.simple_tag
def env(environment: str, label: str = "") -> SafeString:
    """An environment as its shape and name."""
    return format_html(
        '<span class="env {}"><i class="dot"></i>{}</span>',
        environment,
        label or place(environment),
    )


def _exact(local: datetime) -> str:
    return f"{date_format(local, 'DATETIME_FORMAT')} {local:%Z}"


def _relative(seconds: float) -> str:
    # In the words of a browser's Intl.RelativeTimeFormat, in which ages.js counts on.
    past = seconds >= 0
    size = abs(seconds)
    if size < MINUTE:
        text = _("%(count)s sec.") % {"count": int(size)}
    elif size < HOUR:
        text = _("%(count)s min.") % {"count": int(size // MINUTE)}
    elif size < 2 * DAY:
        text = _("%(count)s hr.") % {"count": int(size // HOUR)}
    else:
        text = _("%(count)s days") % {"count": int(size // DAY)}
    return _("%(time)s ago") % {"time": text} if past else _("in %(time)s") % {"time": text}
