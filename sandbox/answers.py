"""What a service of the sandbox answers to one call."""

import json
from dataclasses import dataclass
from typing import Any

from sandbox.tenants import COLORS


@dataclass(slots=True)
class Answer:
    """`applied` says that the call had an effect (a write that was taken)."""

    status: int
    payload: dict[str, Any]
    applied: bool = False


def refusal(status: int, message: str) -> Answer:
    return Answer(status, {"error": message})


def unknown_tenant(tenant_id: str) -> Answer:
    return refusal(404, f"There is no tenant {tenant_id!r}.")


def json_object(body: bytes) -> dict[str, Any] | None:
    """The object in `body`, or None if it holds anything else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def color_in(body: bytes, field: str, upper: bool) -> str | None:
    """The colour (in lower case) that `body` names in `field`, or None if it is not one."""
    value = (json_object(body) or {}).get(field)
    if not isinstance(value, str) or value != (value.upper() if upper else value.lower()):
        return None
    color = value.lower()
    return color if color in COLORS else None
