"""What a caller asks for when creating a plan, as it arrives at the validation chain."""

from dataclasses import dataclass, field
from typing import Any

from plans import conf


@dataclass(frozen=True)
class TenantRequest:
    """One tenant of the request; `version` and `payload` name its new configuration, if given."""

    tenant_id: str
    version: int | None = None
    payload: dict[str, Any] | None = None


@dataclass(frozen=True)
class WaveRequest:
    """One wave: `size` tasks, `percent` of all tasks (rounded up), or the `rest`.

    The next one begins `soak_seconds` after its end and, with `approval`, when a second person
    has approved.
    """

    size: int | None = None
    percent: float | None = None
    rest: bool = False
    mode: str = "CONCURRENT"
    soak_seconds: int = 0
    approval: bool = False


@dataclass(frozen=True)
class PlanRequest:
    """A plan as asked for. Types are right; whether the values make sense is for the chain.

    `target` None means: the environment in which none of the tenants is now. `parameters` are
    stage parameters by stage name.
    """

    name: str
    tenants: tuple[TenantRequest, ...]
    executor_type: str
    target: str | None = None
    waves: tuple[WaveRequest, ...] = ()
    max_concurrency: int = conf.CONCURRENCY_DEFAULT
    failure_policy: str = "halt"
    failure_budget: int | None = None
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
