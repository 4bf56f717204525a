"""What all requests and answers share: camelCase names, strict types, pages, errors."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar, cast

from django.db.models import QuerySet
from ninja import Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict

from plans import conf
from plans.api.bodies import INTEGER_MAX
from plans.queries.lists import ID_MAX
from plans.validation import Issue

Item = TypeVar("Item")

PAGE_MAX = 1_000_000_000
FLOAT_WHOLE_MAX = 2**53
"""Up to here a float says exactly which whole number it means."""

PlanId = Annotated[int, Path(ge=1, le=ID_MAX)]
TaskId = Annotated[int, Path(ge=1, le=ID_MAX)]


class Request(BaseModel):
    """A body. Its types are exact, and a field that there is not is a mistake to point out."""

    model_config = ConfigDict(alias_generator=to_camel, strict=True, extra="forbid")


class Filters(BaseModel):
    """What stands behind the question mark; an empty value is none."""

    model_config = ConfigDict(alias_generator=to_camel)


class Answer(BaseModel):
    """What is said back."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


def none_if_empty(given: Any) -> Any:
    return None if given == "" else given


def _without_empty(given: Any) -> Any:
    return [each for each in given if each != ""] if isinstance(given, list) else given


def _without_fraction(given: Any) -> Any:
    if isinstance(given, float) and given.is_integer() and abs(given) <= FLOAT_WHOLE_MAX:
        return int(given)
    return given


WithoutFraction = BeforeValidator(_without_fraction)
"""For bodies: 5.0 is a whole number in JSON Schema, and so for whoever reads ours."""
INTEGER = {"minimum": -INTEGER_MAX, "maximum": INTEGER_MAX}
Whole = Annotated[int, Field(json_schema_extra=INTEGER), WithoutFraction]
Id = Annotated[int, Field(ge=1, le=ID_MAX), WithoutFraction]
NO_NUL = {"pattern": r"^[^\u0000]*$"}
EMPTY: JsonDict = {"const": ""}


def or_empty(schema: JsonDict) -> None:
    """Let the document say that an empty value is none."""
    cast(list[Any], schema["anyOf"]).append(EMPTY)


def _or_empty_ones(schema: JsonDict) -> None:
    schema["items"] = {"anyOf": [schema["items"], EMPTY]}


OptionalText = Annotated[
    Annotated[str, Field(json_schema_extra=NO_NUL)] | None, BeforeValidator(none_if_empty)
]
OptionalId = Annotated[
    Annotated[int, Field(ge=1, le=ID_MAX)] | None,
    BeforeValidator(none_if_empty),
    Field(json_schema_extra=or_empty),
]
SomeOf = Annotated[
    list[Item], BeforeValidator(_without_empty), Field(json_schema_extra=_or_empty_ones)
]


class Paging(Filters):
    """Which page of a list."""

    page: int = Field(1, ge=1, le=PAGE_MAX)
    page_size: int = Field(conf.PAGE_SIZE, ge=1, le=conf.PAGE_SIZE_MAX)

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.page_size


class Page(Answer, Generic[Item]):
    """One page of a list; `total` counts all that match."""

    items: list[Item]
    total: int
    page: int
    page_size: int


def page_of(
    rows: QuerySet[Any], paging: Paging, show: Callable[[Sequence[Any]], list[Item]]
) -> dict[str, Any]:
    """The fields of a `Page` of `rows`; `show` makes the items of the page's rows."""
    total = rows.count()
    found = list(rows[paging.offset : paging.offset + paging.page_size])
    return {
        "items": show(found),
        "total": total,
        "page": paging.page,
        "page_size": paging.page_size,
    }


class Detail(Answer):
    """One thing to mend, or (severity `warning`) to know. `tenantId` null: the whole request."""

    tenant_id: str | None
    severity: str
    code: str
    field: str
    message: str

    @classmethod
    def of(cls, issue: Issue) -> "Detail":
        return cls.model_validate(issue.as_json())


class Error(Answer):
    """`code` is for programs, `message` for people."""

    code: str
    message: str
    details: list[Detail]


class ErrorAnswer(Answer):
    """Every answer that is no success."""

    error: Error


def answers(success: Any, *more: int, status: int = 200) -> dict[Any, Any]:
    """The answers of an operation: `success`, the refusals that all have, and `more`."""
    return {status: success, frozenset({400, 401, 403, 429, 503, *more}): ErrorAnswer}
