"""Who refused every notice of a switch, and so needs not hear that it is undone."""

from typing import Any

from plans.errors import ServiceRejected
from plans.models import Direction, StageRun
from plans.notify import NotifyResult

REFUSED = {"told": False, "tries": 1, "code": "NOTIFY_REJECTED"}
"""After several tries an earlier one may have been heard."""


def without_never_told(task_id: int, stage: str, failed: list[NotifyResult]) -> list[NotifyResult]:
    """Those of `failed` that may believe in the switch of the task.

    Left out are those that refuse now and whose only word in each forward run of `stage` was a
    refusal: a wrong address must not keep a tenant from coming back.
    """
    refusing = [each for each in failed if isinstance(each.error, ServiceRejected)]
    if not refusing:
        return failed
    runs = StageRun.objects.filter(task=task_id, stage=stage, direction=Direction.FORWARD)
    words = [_words_of(run) for run in runs]
    never = [
        each
        for each in refusing
        if words and all(of_run.get(_name(each.as_json())) == REFUSED for of_run in words)
    ]
    return [each for each in failed if each not in never]


def _words_of(run: StageRun) -> dict[tuple[str, str], dict[str, Any]]:
    values = ((run.failure or {}).get("message") or {}).get("values") or {}
    services = (run.result or {}).get("services") or values.get("services") or []
    return {_name(each): {word: each[word] for word in REFUSED} for each in services}


def _name(service: dict[str, Any]) -> tuple[str, str]:
    return service["service"], service["address"]
