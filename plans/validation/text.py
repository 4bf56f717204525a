"""Text and JSON that the database can keep: the same rules for forms, the API and commands.

PostgreSQL refuses NUL in text and in JSON, a lone surrogate has no UTF-8, and NaN and Infinity
are no JSON. SQLite would take some of it; one answer everywhere is worth more.
"""

import math
import re
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_noop as _

from plans import conf
from plans.message import Message
from plans.validation.chain import register
from plans.validation.subject import Subject
from plans.validation.summary import Issue, Severity

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Invisible characters that turn the direction of all that follows."""
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
CHARACTERS = _("It contains a NUL character or half of a character: remove it.")
DIRECTION = _("It contains an invisible character that turns the direction of text: remove it.")
NUMBERS = _("It contains a number that is not finite: give a finite one.")


def storable(text: str) -> str:
    """`text` with what cannot be stored replaced, for records of what was refused."""
    return _UNSTORABLE.sub(REPLACEMENT, text)


def problem_of(value: Any) -> Message | None:
    """Why `value`, a text or anything of JSON, cannot be stored; None when it can."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            if _UNSTORABLE.search(part):
                return Message(CHARACTERS)
        elif isinstance(part, float):
            if not math.isfinite(part):
                return Message(NUMBERS)
        elif isinstance(part, dict):
            waiting += part.keys()
            waiting += part.values()
        elif isinstance(part, list | tuple):
            waiting += part
    return None


def problem_of_words(text: str) -> Message | None:
    """Why `text`, which stands among our own words on pages, cannot be kept."""
    return Message(DIRECTION) if _TURNING.search(text) else problem_of(text)


def problem_of_reason(reason: str) -> Message | None:
    """Why `reason`, which an operator gives for an action, cannot be kept."""
    if len(reason) > conf.REASON_MAX_CHARS:
        return Message(
            _("The reason has %(count)s characters: at most %(limit)s."),
            {"count": len(reason), "limit": conf.REASON_MAX_CHARS},
        )
    return problem_of_words(reason)


@register
def validate_text(subject: Subject) -> Iterable[Issue]:
    """Everything that is stored can be. Tenant ids have a shape of their own."""
    request = subject.request
    if problem := problem_of_words(request.name):
        yield Issue(Severity.ERROR, "UNSTORABLE", "name", problem)
    asked: dict[str, Any] = {
        "executorType": request.executor_type,
        "target": request.target,
        "failurePolicy": request.failure_policy,
        "waves": [wave.mode for wave in request.waves],
        "parameters": request.parameters,
    }
    for field, value in asked.items():
        if problem := problem_of(value):
            yield Issue(Severity.ERROR, "UNSTORABLE", field, problem)
    for tenant in request.tenants:
        if problem := problem_of(tenant.payload):
            yield Issue(
                Severity.ERROR, "UNSTORABLE", "config", problem, storable(tenant.tenant_id[:64])
            )
