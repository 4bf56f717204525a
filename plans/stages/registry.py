"""Which stages there are. Another package adds one through the entry point `bluegreen.stages`."""

import json
from importlib.metadata import entry_points
from typing import Any

from plans.stages.base import Stage

NAME_MAX_CHARS = 64
"""What the rows of tasks and stage runs can hold."""

_stages: dict[str, type[Stage]] = {}


def register(stage: type[Stage]) -> type[Stage]:
    """Make `stage` known by its name; also usable as a class decorator."""
    if len(stage.name) > NAME_MAX_CHARS:
        raise ValueError(
            f"The name of stage {stage} is longer than {NAME_MAX_CHARS} characters: {stage.name!r}."
        )
    known = _stages.setdefault(stage.name, stage)
    if known is not stage:
        raise ValueError(f"Two stages are named {stage.name!r}: {known} and {stage}.")
    return stage


def load_entry_points() -> None:
    """Register what installed packages offer."""
    for entry in entry_points(group="bluegreen.stages"):
        register(entry.load())


def get(name: str) -> type[Stage]:
    """The stage class of that name; raises `KeyError` when there is none."""
    return _stages[name]


def build(spec: dict[str, Any]) -> Stage:
    """Make the stage that one entry of a task's pipeline snapshot describes.

    `spec` is `{"name", "params"}`; raises `KeyError` or pydantic's `ValidationError`.
    """
    stage = _stages[spec["name"]]
    # As JSON, strictly: true is no number of seconds, and "10" neither.
    given = json.dumps(spec.get("params") or {})
    return stage(stage.Params.model_validate_json(given, strict=True))
