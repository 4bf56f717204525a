"""Putting back the configuration that was before, for stages that are undone."""

from plans.errors import StaleVersion
from plans.stages.base import StageContext
from plans.stores import tenant_config


def put_back(context: StageContext) -> int:
    """Write the tenant's previous configuration under a new version; returns the version.

    It is above all that Redis and the task know, so that instances never see it go down. Raises
    RedisUnavailable, `Superseded`, and StaleVersion where another writer was faster.
    """
    held = tenant_config.read(context.tenant_id)
    version = 1 + max(held.version if held else 0, int(context.data.get("version", 0)))
    context.call.before()  # Not one byte once the lease is lost.
    written = tenant_config.write(
        context.tenant_id,
        version=version,
        epoch=context.call.fence,
        color=context.target.environment,
        payload=context.target.payload or {},
    )
    if not written.written:
        raise StaleVersion(
            tenant=context.tenant_id,
            version=version,
            epoch=context.call.fence,
            held_version=written.held_version,
            held_epoch=written.held_epoch,
        )
    return version
