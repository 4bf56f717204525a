"""The parameters of the delivery: whom to ask how, how long, and how many must agree."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, field_validator

from plans import conf
from plans.ack.question import VERSION_FIELD, Question
from plans.ack.quorum import Quorum
from plans.ack.readers import Header, JsonPath, Pattern
from plans.ack.strategies import Exponential, Fixed, Strategy
from plans.ack.tags import Digest, JsonField
from plans.stores import tenant_config


class DeliverConfigParams(BaseModel):
    """How the configuration is acknowledged; every default is that of the contract.

    - `ack_timeout_seconds`: how long to wait for the instances altogether.
    - `instance_timeout_seconds`: how long one question may take; None: `HTTP_TIMEOUT_SECONDS`.
    - `retry`: what comes between two rounds: `exponential` from `poll_seconds` (None: 0.25) up to
      `poll_max_seconds`, the same with `full_jitter`, or `fixed`, always `poll_seconds`.
    - `required_instances`: how many must agree: `"all"`, a number, `"9 of 10"` or `"90%"`.
    - `status_path` and `actual`: where an instance is asked, and how its version is read:
      `{"json_path": …}`, `{"pattern": …}` or `{"header": …}`.
    - `expected`: what it must report: `"version"` of the delivery, or, from the payload,
      `{"field": "$.revision"}` or `{"digest": "sha256"}` (of its text as it stands in Redis).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ack_timeout_seconds: float = Field(conf.ACK_TIMEOUT_SECONDS, gt=0, le=86_400)
    instance_timeout_seconds: float | None = Field(None, gt=0, le=60)
    retry: Literal["exponential", "full_jitter", "fixed"] = "exponential"
    poll_seconds: float | None = Field(None, ge=0.01, le=600)
    poll_max_seconds: float = Field(3.0, gt=0, le=600)
    required_instances: StrictInt | str = "all"
    # No query, fragment or backslash: the address would be refused when it is called.
    status_path: str = Field("/config", pattern=r'^/[!"$->@-\[\]-~]{0,500}$')
    actual: JsonPath | Pattern | Header = VERSION_FIELD
    expected: Literal["version"] | JsonField | Digest = "version"

    @field_validator("required_instances")
    @classmethod
    def _can_be_read(cls, given: int | str) -> int | str:
        Quorum.parse(given)
        return given

    @property
    def quorum(self) -> Quorum:
        return Quorum.parse(self.required_instances)

    @property
    def question(self) -> Question:
        return Question(self.status_path, self.actual, self.instance_timeout_seconds)

    @property
    def strategy(self) -> Strategy:
        first = self.poll_seconds or conf.ACK_POLL_SECONDS
        if self.retry == "fixed":
            return Fixed(first)
        return Exponential(first, self.poll_max_seconds, self.retry == "full_jitter")

    def expected_tag(self, version: int, payload: Any) -> str:
        """What instances must report. Raises Unreadable where the payload does not say it."""
        if isinstance(self.expected, str):
            return str(version)
        return self.expected(tenant_config.text_of(payload))
