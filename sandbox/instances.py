"""A tenant's instances: health, configuration in effect, notification, taking up configuration."""

import asyncio

from sandbox.answers import Answer, json_object, refusal
from sandbox.faults import Faults
from sandbox.tenants import Fleet, Instance, Tenant


def find(fleet: Fleet, tenant_id: str, number: int) -> Instance | None:
    tenant = fleet.get(tenant_id)
    return tenant.instance(number) if tenant else None


def unknown_instance(tenant_id: str, number: int) -> Answer:
    return refusal(404, f"Tenant {tenant_id!r} has no instance {number}.")


def health(fleet: Fleet, tenant_id: str, number: int) -> Answer:
    instance = find(fleet, tenant_id, number)
    if instance is None:
        return unknown_instance(tenant_id, number)
    return Answer(200, {"status": "UP", "version": str(instance.version)})


def config(fleet: Fleet, tenant_id: str, number: int) -> Answer:
    instance = find(fleet, tenant_id, number)
    if instance is None:
        return unknown_instance(tenant_id, number)
    return Answer(200, {"version": str(instance.version)})


def notify(fleet: Fleet, tenant_id: str, number: int, body: bytes) -> Answer:
    """Takes `{"tenantId", "version", "color"}` and keeps the version as `notified`."""
    instance = find(fleet, tenant_id, number)
    if instance is None:
        return unknown_instance(tenant_id, number)
    notice = json_object(body)
    if notice is None or notice.get("tenantId") != tenant_id or "version" not in notice:
        return refusal(400, 'The body must be {"tenantId", "version", "color"} for this tenant.')
    instance.notified = str(notice["version"])
    return Answer(200, {"tenantId": tenant_id, "version": instance.notified}, applied=True)


def take_up(tenant: Tenant, faults: Faults, version: int, color: str | None) -> None:
    """Let each instance of `tenant` take up a configuration, if it is newer than its own.

    A fault at `instance.apply` keeps an instance from it (until the next notice or poll) or
    delays it. Call it inside the running event loop.
    """
    for number, instance in enumerate(tenant.instances, start=1):
        if version <= instance.coming:
            continue
        delay, fault = faults.take(tenant.tenant_id, "instance.apply", number)
        if fault is not None:
            continue
        instance.coming = version
        if delay:
            loop = asyncio.get_running_loop()
            loop.call_later(delay, set_config, instance, version, color)
        else:
            set_config(instance, version, color)


def set_config(instance: Instance, version: int, color: str | None) -> None:
    # A delayed take-up may come after a newer one: an instance's version never goes down.
    if version > instance.version:
        instance.version = version
        instance.color = color or instance.color
