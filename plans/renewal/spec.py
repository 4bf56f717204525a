"""What a renewal is to do, checked."""

from typing import Any

from django.utils.translation import gettext_noop
from pydantic import BaseModel, ConfigDict, ValidationError

from plans import conf
from plans.errors import RenewalRefused
from plans.faults import message_of
from plans.message import Message
from plans.renewal.interval import AnyInterval
from plans.renewal.selector import AnySelector
from plans.renewal.stop import StopConditions
from plans.renewal.ttl import AnyTtl, FixedTtl


class RenewalSpec(BaseModel):
    """Which keys of which Redis are kept alive, how, and until when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    redis: str = "tenants"
    selector: AnySelector
    ttl: AnyTtl
    interval: AnyInterval
    stop: StopConditions = StopConditions()

    def outlives_a_takeover(self) -> None:
        """Raise `RenewalRefused` if keys could run out while a process takes over."""
        if not isinstance(self.ttl, FixedTtl):
            return
        longest, margin = self.interval.longest_ms / 1000, margin_seconds()
        if self.ttl.seconds - longest <= margin:
            raise RenewalRefused(
                cause=Message(
                    gettext_noop(
                        "ttl: %(ttl)s s is too short for an interval of up to %(longest)s s: it "
                        "must be longer by more than %(margin)s s, the time that another process "
                        "may need to take over"
                    ),
                    {
                        "ttl": f"{self.ttl.seconds:g}",
                        "longest": f"{longest:g}",
                        "margin": f"{margin:g}",
                    },
                )
            )


def margin_seconds() -> float:
    """By so much a TTL must exceed the interval."""
    return conf.RENEWAL_LEASE_SECONDS + conf.RENEWAL_TAKEOVER_SECONDS


def parse(described: dict[str, Any]) -> RenewalSpec:
    """The checked renewal that JSON describes; raises `RenewalRefused` with every fault."""
    try:
        spec = RenewalSpec.model_validate(described)
    except ValidationError as refused:
        faults = [
            {
                "field": ".".join(map(str, fault["loc"])),
                "message": str(message_of(fault)),
            }
            for fault in refused.errors(include_url=False, include_input=False)
        ]
        cause = "; ".join(f"{each['field']}: {each['message']}" for each in faults)
        raise RenewalRefused(faults=faults, cause=cause) from refused
    spec.outlives_a_takeover()
    return spec
