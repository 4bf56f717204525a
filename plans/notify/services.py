"""Which services a tenant has: named in the settings, or by the plan in their place."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Self

from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from plans import conf
from plans.clients.address import ADDRESS_MAX_CHARS
from plans.clients.instances import instance_url
from plans.message import Message
from plans.notify import registry
from plans.notify.base import Recipient

NOBODY = "none"
SERVICES_MAX = 100
_ENTRY = re.compile(r"(?P<name>[^=@:/]+)=(?P<strategy>[^=@:/]+)(?:@(?P<address>.+))?")


class BadServices(ValueError):
    """NOTIFY_SERVICES cannot be read; the message names the entry and the fault.

    It shows no address: one that is written wrongly may hold a password anywhere.
    """


class Service(BaseModel):
    """One service. Without an `address` of its own it is the tenant's instances."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    strategy: str = Field("direct_rpc", max_length=64)
    address: str | None = Field(None, min_length=1, max_length=ADDRESS_MAX_CHARS)

    @model_validator(mode="after")
    def _can_be_told(self) -> Self:
        try:
            strategy = registry.get(self.strategy)
        except KeyError:
            raise _invalid(
                _("There is no strategy %(given)s: choose one of %(known)s.")
                % {"given": self.strategy, "known": ", ".join(registry.names())}
            ) from None
        if self.address is not None:
            for problem in strategy.address_problems(self.address, look_up=False):
                raise _invalid(str(problem))
        return self

    def problems(self) -> Sequence[Message]:
        """What speaks against calling its own address; looks names up."""
        if self.address is None:
            return []
        return registry.get(self.strategy).address_problems(self.address, look_up=True)

    def recipients(self, endpoints: Iterable[str]) -> list[Recipient]:
        """Whom to call: the service's address, or every one of the tenant's `endpoints`."""
        if self.address is not None:
            return [Recipient(self.name, self.strategy, self.address)]
        urls = dict.fromkeys(instance_url(endpoint) for endpoint in endpoints)
        return [Recipient(self.name, self.strategy, url) for url in urls]


def _invalid(text: str) -> PydanticCustomError:
    # A ValueError's text would be shown with that name before it; braces are no placeholders.
    return PydanticCustomError("service", "{text}", {"text": text})


def configured() -> tuple[Service, ...]:
    """The services that `NOTIFY_SERVICES` names. Raises `BadServices`."""
    return _parsed(conf.NOTIFY_SERVICES)


@lru_cache(maxsize=8)
def _parsed(text: str) -> tuple[Service, ...]:
    if text.strip() == NOBODY:
        return ()
    entries = text.replace(",", " ").split()
    services = tuple(_service(entry, place) for place, entry in enumerate(entries, start=1))
    if repeated := repeated_name(services):
        raise BadServices(f"{repeated!r} stands there twice.")
    return services


def repeated_name(services: Iterable[Service]) -> str:
    """A name that two of them have, else ""."""
    seen: set[str] = set()
    for service in services:
        if service.name in seen:
            return service.name
        seen.add(service.name)
    return ""


def _service(entry: str, place: int) -> Service:
    parts = _ENTRY.fullmatch(entry)
    if parts is None:
        raise BadServices(
            f"entry {place} is not of the form name=strategy or name=strategy@address."
        )
    try:
        return Service(**parts.groupdict())
    except ValidationError as invalid:
        fault = invalid.errors()[0]
        where = "".join(f" {part}" for part in fault["loc"])
        told = f"{parts['name']}={parts['strategy']}"
        raise BadServices(f"entry {place}, {told!r}:{where} {fault['msg']}") from None
