"""What the API says of a tenant's configuration."""

from pydantic import Field

from plans.ack.result import Status
from plans.api.schemas import Answer


class HeldAnswer(Answer):
    """What Redis holds."""

    version: str = Field(description="A decimal number")
    epoch: str = Field(description="The fencing token of the worker that wrote it")
    color: str
    updated_at: str


class InstanceAnswer(Answer):
    """What one instance reports: `latest` the expected version, `outdated` another one, or it is
    `silent`: `version` is null then, and `error` says why."""

    endpoint: str
    status: Status
    version: str | None
    error: str | None = Field(description="As INSTANCE_TIMEOUT, or what it reported in its place")


class CountsAnswer(Answer):
    """How many instances are what."""

    latest: int
    outdated: int
    silent: int


class VersionsAnswer(Answer):
    """`agreed`: every instance reports the expected version."""

    tenant_id: str
    redis: HeldAnswer | None = Field(description="null: Redis holds nothing for the tenant")
    expected: str = Field(description="What Redis holds, else what the OB service last named")
    agreed: bool
    counts: CountsAnswer
    instances: list[InstanceAnswer]
