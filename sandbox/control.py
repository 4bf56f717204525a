"""JSON control endpoints under /control: faults, tenants, fences, state, record."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

from sandbox.answers import json_object
from sandbox.faults import parse_fault
from sandbox.tenants import COLORS, Tenant
from sandbox.world import World

MAX_TENANTS = 1_000_000
MAX_INSTANCES = 1_000
CALLS_PAGE = 2_000


class BadRequest(ValueError):
    """The request is not usable; the message says what to mend."""


class NotFound(LookupError):
    """There is no such thing under /control."""


@dataclass(slots=True)
class Request:
    method: str
    path: list[str]
    query: dict[str, str]
    body: bytes

    @classmethod
    def of(cls, method: str, path: str, query: bytes, body: bytes) -> "Request":
        """`path` is what follows `/control/`."""
        return cls(method, path.split("/"), dict(parse_qsl(query.decode("latin-1"))), body)

    def json(self) -> dict[str, Any]:
        value = json_object(self.body) if self.body else {}
        if value is None:
            raise BadRequest("The body must be a JSON object.")
        return value


def answer(world: World, request: Request) -> object:
    """The JSON value to answer with. Raises BadRequest, BadFault, NotFound."""
    match (request.method, *request.path):
        case ("GET", "faults"):
            return {"items": [fault.as_json() for fault in world.faults]}
        case ("POST", "faults"):
            return world.faults.add(parse_fault(request.json())).as_json()
        case ("DELETE", "faults"):
            return _remove_faults(world, request.query.get("id"))
        case ("DELETE", "faults", fault_id):
            return _remove_faults(world, fault_id)
        case ("POST", "reset"):
            wanted = request.json()
            world.reset(**_fleet_options(world, wanted, count_field="tenants"))
            return {"tenants": len(world.fleet)}
        case ("POST", "tenants"):
            world.fill(**_fleet_options(world, request.json(), count_field="count"))
            return {"tenants": len(world.fleet)}
        case ("PUT", "tenants", tenant_id) if tenant_id:
            return describe(world, _change_tenant(world, tenant_id, request.json()))
        case ("POST", "fences"):
            return _set_fences(world, request.json())
        case ("GET", "fences"):
            return describe_fences(world)
        case ("GET", "state"):
            return describe_all(world, request.query.get("tenant"))
        case ("GET", "calls"):
            return _calls(world, request.query)
    raise NotFound(f"There is no {request.method} /control/{'/'.join(request.path)}.")


def describe(world: World, tenant: Tenant) -> dict[str, Any]:
    return {
        "name": tenant.name,
        "status": tenant.status.upper(),
        "route": tenant.route,
        "configVersion": str(tenant.config_version),
        "fence": world.fences.highest(tenant.tenant_id),
        "endpoints": tenant.endpoints,
        "instances": [
            {"version": str(each.version), "color": each.color, "notified": each.notified}
            for each in tenant.instances
        ],
    }


def describe_fences(world: World) -> dict[str, Any]:
    return {"enforced": world.fences.enforced, "refused": world.fences.refused}


def describe_all(world: World, tenant_id: str | None) -> dict[str, Any]:
    """Everything, or with `tenant_id` that tenant alone among the tenants."""
    tenants = iter(world.fleet)
    if tenant_id is not None:
        tenant = world.fleet.get(tenant_id)
        if tenant is None:
            raise NotFound(f"There is no tenant {tenant_id!r}.")
        tenants = iter([tenant])
    watch = world.watch
    return {
        "tenants": {tenant.tenant_id: describe(world, tenant) for tenant in tenants},
        "fences": describe_fences(world),
        "faults": len(world.faults),
        "lastCall": world.record.last,
        "redis": watch
        and {"connected": watch.connected, "notices": watch.notices, "polls": watch.polls},
    }


def _remove_faults(world: World, fault_id: str | None) -> dict[str, int]:
    before = len(world.faults)
    if fault_id is None:
        world.faults.clear()
    elif not (fault_id.isascii() and fault_id.isdigit() and len(fault_id) < 19):
        raise BadRequest("The id of a fault is a whole number.")
    elif not world.faults.remove(int(fault_id)):
        raise NotFound(f"There is no fault {fault_id}; it may be used up.")
    return {"removed": before - len(world.faults)}


def _fleet_options(world: World, wanted: Mapping[str, Any], count_field: str) -> dict[str, Any]:
    return {
        "tenants": _whole(wanted, count_field, world.tenants, MAX_TENANTS),
        "instances": _whole(wanted, "instances", world.instances, MAX_INSTANCES),
        "start": _color(wanted, "start", world.start),
    }


def _change_tenant(world: World, tenant_id: str, wanted: Mapping[str, Any]) -> Tenant:
    """Make or change one tenant behind everybody's back: name, status, route, endpoints, …"""
    instances = _whole(wanted, "instances", world.instances, MAX_INSTANCES)
    version = _whole(wanted, "configVersion", 0, 10**15)
    endpoints = wanted.get("endpoints")
    if endpoints is not None and not (
        isinstance(endpoints, list) and all(isinstance(each, str) for each in endpoints)
    ):
        raise BadRequest("endpoints must be a list of addresses.")
    route = _color(wanted, "route", "blue")
    status = _color({"status": str(wanted.get("status", "blue")).lower()}, "status", "blue")
    tenant = world.fleet.ensure(tenant_id, instances, world.start)
    tenant.name = str(wanted.get("name", tenant.name))
    if "status" in wanted:
        tenant.status = status
    if "route" in wanted:
        tenant.route = route
    if "configVersion" in wanted:
        tenant.config_version = version
    if endpoints is not None:
        tenant.replace_endpoints(endpoints)
    return tenant


def _set_fences(world: World, wanted: Mapping[str, Any]) -> dict[str, Any]:
    enforced = wanted.get("enforced")
    if not isinstance(enforced, bool):
        raise BadRequest('The body must be {"enforced": true} or {"enforced": false}.')
    world.fences.enforced = enforced
    return describe_fences(world)


def _calls(world: World, query: Mapping[str, str]) -> dict[str, Any]:
    """A page of the record; `next` is the `after` of the following page, or None."""
    after = query.get("after", "0")
    if not (after.isascii() and after.isdigit() and len(after) < 19):
        raise BadRequest("after must be the number of a call.")
    found = world.record.after(int(after), query.get("tenant"))
    items = [call.as_json() for call in islice(found, CALLS_PAGE)]
    following = items[-1]["n"] if len(items) == CALLS_PAGE else None
    return {"items": items, "next": following, "last": world.record.last}


def _whole(wanted: Mapping[str, Any], name: str, default: int, high: int) -> int:
    value = wanted.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= high:
        raise BadRequest(f"{name} must be a whole number from 0 to {high}.")
    return value


def _color(wanted: Mapping[str, Any], name: str, default: str) -> str:
    value = wanted.get(name, default)
    if value not in COLORS:
        raise BadRequest(f'{name} must be "blue" or "green".')
    return str(value)
