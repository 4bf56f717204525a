"""Key selectors: which keys a renewal keeps alive."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

from django.utils.translation import gettext_noop as _
from pydantic import BaseModel, ConfigDict, Field, field_validator
from redis import Redis

from plans import conf
from plans.faults import Invalid
from plans.renewal import functions

SCAN_COUNT = 1000
KEYS_MAX = 1_000_000

Key = Annotated[str, Field(min_length=1, max_length=1024)]
Refresh = Annotated[float, Field(ge=0.1, le=86_400)]


class Selector(BaseModel):
    """Which keys; asked again every `refresh_seconds`, unless that is None."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    refresh_seconds: float | None = None

    def select(self, client: Redis) -> Iterator[bytes]:
        """The keys as they are now. May wait; raises whatever Redis or a function raises."""
        raise NotImplementedError


class KeyList(Selector):
    """These keys."""

    kind: Literal["list"] = "list"
    keys: tuple[Key, ...] = Field(min_length=1, max_length=KEYS_MAX)
    refresh_seconds: None = None

    def select(self, client: Redis) -> Iterator[bytes]:
        return _as_bytes(self.keys)


class KeyPattern(Selector):
    """The keys that match a pattern of `SCAN`."""

    kind: Literal["pattern"]
    pattern: Key
    refresh_seconds: Refresh = conf.RENEWAL_REFRESH_SECONDS

    def select(self, client: Redis) -> Iterator[bytes]:
        found: Iterator[bytes] = client.scan_iter(match=self.pattern, count=SCAN_COUNT)
        return found


class KeyFunction(Selector):
    """The keys that a registered function names."""

    kind: Literal["function"]
    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    refresh_seconds: Refresh = conf.RENEWAL_REFRESH_SECONDS

    @field_validator("name")
    @classmethod
    def _is_registered(cls, name: str) -> str:
        if name not in functions.keys:
            raise Invalid(_("No function of keys is named %(name)s."), name=name)
        return name

    def select(self, client: Redis) -> Iterator[bytes]:
        return _as_bytes(functions.keys[self.name](**self.arguments))


def _as_bytes(keys: Iterable[str]) -> Iterator[bytes]:
    return (key.encode() for key in keys)


AnySelector = Annotated[KeyList | KeyPattern | KeyFunction, Field(discriminator="kind")]
