"""Putting back the configuration that was before, for stages that are undone."""

from plans.stages.base import StageContext
from plans.stages.config_version import version_back, write
from plans.stores import tenant_config


def put_back(context: StageContext) -> int:
    """Write the tenant's previous configuration under a new version; returns the version.

    It is above all that Redis and the task know, so that instances never see it go down. Raises
    RedisUnavailable, `Superseded`, and StaleVersion where another writer was faster.
    """
    version = version_back(context, tenant_config.read(context.tenant_id))
    write(context, version, unless_held=True)
    return version
