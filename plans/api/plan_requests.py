"""The body that creates a plan, as it becomes a `PlanRequest` for the validation chain."""

from typing import Annotated, Any

from django.utils.translation import gettext_noop as _
from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from plans import conf
from plans.api.schemas import Request, Whole, WithoutFraction
from plans.faults import Invalid
from plans.models import FailurePolicy, WaveMode
from plans.queries.lists import ID_MAX
from plans.validation import PlanRequest, TenantRequest, WaveRequest


def _version(given: int | str) -> int:
    version = int(given)
    if not 1 <= version <= ID_MAX:
        raise Invalid(_("A version is a whole number from 1 to %(limit)s."), limit=ID_MAX)
    return version


Version = Annotated[
    Annotated[int, Field(ge=1, le=ID_MAX)]
    | Annotated[str, Field(pattern=r"^[1-9][0-9]{0,18}$", max_length=19)],
    AfterValidator(_version),
    WithoutFraction,
]
"""A configuration version, as a number or (as the OB service says it) as digits."""


class TenantDraft(Request):
    """One tenant, with its new configuration. Without one it keeps the present payload."""

    tenant_id: str
    config_version: Version | None = None
    config: dict[str, Any] | None = None

    def as_request(self) -> TenantRequest:
        return TenantRequest(self.tenant_id, self._version, self.config)

    @property
    def _version(self) -> int | None:
        return None if self.config_version is None else int(self.config_version)


class WaveDraft(Request):
    """One wave: exactly one of `size`, `percent` (of all tenants, rounded up) and `rest`.

    `soakSeconds` and `approval` make a gate after it.
    """

    size: Whole | None = None
    percent: float | None = None
    rest: bool = False
    mode: str = Field(WaveMode.CONCURRENT.value, description="CONCURRENT or FIFO")
    soak_seconds: Whole = Field(0, description="The next wave begins so many seconds after its end")
    approval: bool = Field(
        False, description="The next wave begins when a second person has approved"
    )

    def as_request(self) -> WaveRequest:
        return WaveRequest(
            self.size, self.percent, self.rest, self.mode, self.soak_seconds, self.approval
        )


NOT_BOTH: JsonDict = {
    "not": {
        "required": ["tenantIds", "tenants"],
        "properties": {"tenantIds": {"type": "array"}, "tenants": {"type": "array"}},
    }
}


class PlanDraft(Request):
    """A plan to create. Give `tenantIds`, or `tenants` with their configurations."""

    model_config = ConfigDict(json_schema_extra=NOT_BOTH)

    name: str = Field(description=f"1 to {conf.NAME_MAX_CHARS} characters")
    executor_type: str = Field(description="The pipeline, as BLUE_GREEN_SWITCH")
    tenant_ids: list[str] | None = None
    tenants: list[TenantDraft] | None = None
    target: str | None = Field(
        None, description="blue or green; without it, where none of the tenants is now"
    )
    waves: list[WaveDraft] = Field(default=[], description="Without waves there is one with all")
    max_concurrency: Whole = conf.CONCURRENCY_DEFAULT
    failure_policy: str = Field(FailurePolicy.HALT.value, description="halt, continue or rollback")
    failure_budget: Whole | None = Field(
        None, description="With the policy continue: how many failed tasks are tolerated"
    )
    parameters: dict[str, dict[str, Any]] = Field(
        default={}, description="Parameters of stages that differ from the defaults, by stage"
    )
    dry_run: bool = Field(False, description="Only validate and show; the same as ?dryRun=true")

    @model_validator(mode="after")
    def _names_tenants_once(self) -> "PlanDraft":
        if self.tenant_ids is not None and self.tenants is not None:
            raise Invalid(_("Give tenantIds or tenants, not both."))
        return self

    def as_request(self) -> PlanRequest:
        named = [TenantRequest(tenant_id) for tenant_id in self.tenant_ids or ()]
        return PlanRequest(
            name=self.name,
            tenants=tuple(named or [tenant.as_request() for tenant in self.tenants or ()]),
            executor_type=self.executor_type,
            target=self.target,
            waves=tuple(wave.as_request() for wave in self.waves),
            max_concurrency=self.max_concurrency,
            failure_policy=self.failure_policy,
            failure_budget=self.failure_budget,
            parameters=self.parameters,
        )
