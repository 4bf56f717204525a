"""Which call a request is: the addresses of the three services."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox import gateway, instances, ob_service
from sandbox.answers import Answer
from sandbox.tenants import Fleet


@dataclass(slots=True)
class Target:
    """One call of a service. `act` does it: it takes the request's body."""

    step: str
    tenant: str | None
    instance: int | None
    act: Callable[[bytes], Answer]


def find(fleet: Fleet, method: str, path: str, query: bytes) -> Target | int:
    """The call, or the status (404, 405) that says why there is none."""
    match path.split("/")[1:]:
        case ["gateway", "routes", tenant] if tenant:
            if method == "GET":
                return Target(
                    "gateway.get_route", tenant, None, lambda _: gateway.get_route(fleet, tenant)
                )
            if method == "PUT":
                return Target(
                    "gateway.put_route",
                    tenant,
                    None,
                    lambda body: gateway.put_route(fleet, tenant, body),
                )
            return 405
        case ["ob", "tenants", tenant] if tenant:
            if method == "GET":
                return Target(
                    "ob.get_tenant", tenant, None, lambda _: ob_service.get_tenant(fleet, tenant)
                )
            return 405
        case ["ob", "tenants", tenant, "status"] if tenant:
            if method == "PUT":
                return Target(
                    "ob.put_status",
                    tenant,
                    None,
                    lambda body: ob_service.put_status(fleet, tenant, body),
                )
            return 405
        case ["ob", "tenants"]:
            if method == "GET":
                return Target(
                    "ob.list", None, None, lambda _: ob_service.list_tenants(fleet, query)
                )
            return 405
        case ["i", tenant, number, action] if number.isascii() and number[:6].isdigit():
            return _instance_call(fleet, method, tenant, int(number[:6]), action)
    return 404


def _instance_call(
    fleet: Fleet, method: str, tenant: str, number: int, action: str
) -> Target | int:
    act: Callable[[bytes], Answer]
    if action == "health":
        wanted, act = "GET", lambda _: instances.health(fleet, tenant, number)
    elif action == "config":
        wanted, act = "GET", lambda _: instances.config(fleet, tenant, number)
    elif action == "notify":
        wanted, act = "POST", lambda body: instances.notify(fleet, tenant, number, body)
    else:
        return 404
    if method != wanted:
        return 405
    return Target(f"instance.{action}", tenant, number, act)
