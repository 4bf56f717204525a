"""The pipelines: each a list of stages that reads like a runbook.

A plan's `executorType` names one. Another package adds one through the entry point
`bluegreen.pipelines`, whose object is a tuple of stage names.
"""

from importlib.metadata import entry_points
from typing import Any

from plans.stages import registry

Parameters = dict[str, dict[str, Any]]
"""Per stage name, the parameters that differ from the stage's defaults."""

PIPELINES: dict[str, tuple[str, ...]] = {
    "BLUE_GREEN_SWITCH": (
        "read_tenant",
        "deliver_config",
        "notify_services",
        "switch_route",
        "check_health",
        "update_status",
    ),
    "BLUE_GREEN_SWITCH_WITH_SOAK": (
        "read_tenant",
        "deliver_config",
        "notify_services",
        "switch_route",
        "soak",
        "check_health",
        "update_status",
    ),
}


def load_entry_points() -> None:
    """Add what installed packages offer."""
    for entry in entry_points(group="bluegreen.pipelines"):
        PIPELINES.setdefault(entry.name, tuple(entry.load()))


def snapshot(executor_type: str, parameters: Parameters) -> list[dict[str, Any]]:
    """The pipeline as a task keeps it: `[{"name", "params"}]`.

    Raises `KeyError` for an unknown type and pydantic's `ValidationError` for bad parameters.
    """
    specs = [
        {"name": name, "params": parameters.get(name, {})} for name in PIPELINES[executor_type]
    ]
    for spec in specs:
        registry.build(spec)
    return specs
