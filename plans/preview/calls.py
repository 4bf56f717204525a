"""What a switch will call, before it begins: in the words of the protocols."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from plans import conf, notify
from plans.clients.address import shown
from plans.clients.http import segment
from plans.clients.instances import instance_url
from plans.clients.services import notify_url
from plans.notify import Service
from plans.stages import registry
from plans.stores import tenant_config

LINES_MAX = 4


@dataclass(frozen=True)
class Switch:
    """One tenant on its way; `version` is the one that its configuration gets."""

    tenant_id: str
    target: str
    version: int
    endpoints: Sequence[str]


@dataclass(frozen=True)
class StageCalls:
    """A stage's calls; `more` are left out. None at all: the stage does not say."""

    stage: str
    lines: Sequence[str]
    more: int


def calls_of(switch: Switch, pipeline: Sequence[dict[str, Any]]) -> list[StageCalls]:
    """By stage of `pipeline` (a task's snapshot), in order."""
    found = []
    for spec in pipeline:
        say = _SAID.get(spec["name"])
        lines = list(say(switch, registry.build(spec).params)) if say else []
        found.append(StageCalls(spec["name"], lines[:LINES_MAX], max(0, len(lines) - LINES_MAX)))
    return found


def _read(switch: Switch, params: Any) -> list[str]:
    key = tenant_config.key_of(switch.tenant_id)
    return [f"GET {_tenant(switch)}", f"GET {_route(switch)}", f"Redis HMGET {key}"]


def _deliver(switch: Switch, params: Any) -> list[str]:
    key = tenant_config.key_of(switch.tenant_id)
    asked = [f"GET {shown(instance_url(each))}{params.question.path}" for each in switch.endpoints]
    wrote = f"Redis HSET {key} version={switch.version} color={switch.target}"
    return [wrote, f"Redis PUBLISH {tenant_config.CHANNEL}", *asked]


def _notify(switch: Switch, params: Any) -> list[str]:
    services: Sequence[Service] = params.services
    recipients = [
        recipient
        for service in (notify.configured() if services is None else services)
        for recipient in service.recipients(switch.endpoints)
    ]
    return [
        f"POST {shown(notify_url(each.address))}"
        if each.address.startswith("http")
        else f"{each.strategy} {each.address}"
        for each in recipients
    ]


def _switch(switch: Switch, params: Any) -> list[str]:
    return [f'PUT {_route(switch)} {{"color": "{switch.target}"}}']


def _health(switch: Switch, params: Any) -> list[str]:
    return [f"GET {shown(instance_url(each))}/health" for each in switch.endpoints]


def _status(switch: Switch, params: Any) -> list[str]:
    return [f'PUT {_tenant(switch)}/status {{"status": "{switch.target.upper()}"}}']


def _tenant(switch: Switch) -> str:
    return shown(f"{conf.OB_SERVICE_URL}/tenants/{segment(switch.tenant_id)}")


def _route(switch: Switch) -> str:
    return shown(f"{conf.GATEWAY_URL}/routes/{segment(switch.tenant_id)}")


_SAID: dict[str, Callable[[Switch, Any], list[str]]] = {
    "read_tenant": _read,
    "deliver_config": _deliver,
    "notify_services": _notify,
    "switch_route": _switch,
    "check_health": _health,
    "update_status": _status,
}
