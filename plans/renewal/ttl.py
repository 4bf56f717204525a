"""TTL strategies: where a renewal puts the end of a key."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from plans import conf


class Ttl(BaseModel):
    """Where the end of a key belongs. All times: milliseconds since 1970."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def end_ms(self, due_ms: int) -> int:
        """The end that the round which is due at `due_ms` gives a key."""
        raise NotImplementedError

    def is_over(self, now: datetime) -> bool:
        """Whether no renewal can do any good any more."""
        return False


class FixedTtl(Ttl):
    """So long from when the renewal was due."""

    kind: Literal["fixed"] = "fixed"
    seconds: float = Field(gt=0, le=conf.TTL_MAX_SECONDS)

    def end_ms(self, due_ms: int) -> int:
        return due_ms + round(self.seconds * 1000)


class UntilTtl(Ttl):
    """Up to a time: the first round sets it, later ones again for keys that were written anew."""

    kind: Literal["until"]
    at: AwareDatetime

    def end_ms(self, due_ms: int) -> int:
        return round(self.at.timestamp() * 1000)

    def is_over(self, now: datetime) -> bool:
        return now >= self.at


AnyTtl = Annotated[FixedTtl | UntilTtl, Field(discriminator="kind")]
