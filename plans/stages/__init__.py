"""The stages. Importing the package registers the built-in ones."""

from plans.stages import (
    check_health,
    deliver_config,
    notify_services,
    read_tenant,
    registry,
    soak,
    switch_route,
    update_status,
)

__all__ = [
    "check_health",
    "deliver_config",
    "notify_services",
    "read_tenant",
    "registry",
    "soak",
    "switch_route",
    "update_status",
]
