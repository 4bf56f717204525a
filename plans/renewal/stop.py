"""Stop conditions: when a renewal has done its work. The signal of a person is always one."""

from datetime import datetime
from typing import Annotated, Any

from django.utils.translation import gettext_noop as _
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from plans.faults import Invalid
from plans.renewal import functions


class DoneFunction(BaseModel):
    """A registered function that says whether the business is done."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)

    @field_validator("name")
    @classmethod
    def _is_registered(cls, name: str) -> str:
        if name not in functions.done:
            raise Invalid(_("No function of done business is named %(name)s."), name=name)
        return name

    def __call__(self) -> bool:
        return functions.done[self.name](**self.arguments)


class StopConditions(BaseModel):
    """Any of these ends a renewal; without any, only a signal does.

    `count`: no key is renewed in more rounds than that, whoever makes them. `gone`: a listed key
    that is gone is let go, and the renewal ends when no key is left.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    done: DoneFunction | None = None
    deadline: AwareDatetime | None = None
    count: Annotated[int, Field(ge=1)] | None = None
    gone: bool = False

    def is_past(self, now: datetime) -> bool:
        """Whether the deadline is over."""
        return self.deadline is not None and now >= self.deadline
