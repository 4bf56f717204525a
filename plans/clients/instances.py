"""A tenant's instances: their health, and one question to all of them at once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from plans import conf
from plans.clients.address import shown
from plans.clients.fan_out import run_all
from plans.clients.fields import Fields
from plans.clients.http import Call, request
from plans.errors import ServiceTimeout, StageError

SERVICE: Final = "INSTANCE"

Result = TypeVar("Result")


@dataclass(frozen=True)
class InstanceHealth:
    """What an instance says of itself; `status` is `UP` when it is well."""

    status: str
    version: str


def instance_url(endpoint: str) -> str:
    """The base address of the instance at `endpoint` (`conf.INSTANCE_URL_TEMPLATE`)."""
    return conf.INSTANCE_URL_TEMPLATE.replace("{endpoint}", endpoint).rstrip("/")


def health(endpoint: str, call: Call | None = None) -> InstanceHealth:
    """Whether the instance is well, and with which version."""
    url = f"{instance_url(endpoint)}/health"
    fields = Fields(request(SERVICE, "GET", url, call).body, SERVICE, "GET", url)
    return InstanceHealth(status=fields.text("status"), version=fields.label("version"))


def ask_all(
    endpoints: Iterable[str],
    ask: Callable[[str], Result],
    timeout_seconds: float | None = None,
    is_enough: Callable[[Result | StageError], bool] | None = None,
) -> dict[str, Result | StageError]:
    """Ask many instances at once; per endpoint its answer, or the error of its call.

    Takes as long as the slowest one, whatever the others do, and never longer than two calls
    may: who has not answered by then counts as timed out. `timeout_seconds` is how long one call
    of `ask` takes at most (None: `conf.HTTP_TIMEOUT_SECONDS`). `is_enough` hears each answer as it
    comes; once it says so, those that have not answered are left out. Other exceptions, such as
    `Superseded`, come through.
    """
    seconds = 2 * (timeout_seconds or conf.HTTP_TIMEOUT_SECONDS)
    distinct = list(dict.fromkeys(endpoints))
    calls = {each: partial(_answer, ask, each) for each in distinct}
    answers = run_all(calls, seconds, is_enough)
    if is_enough is not None:
        return answers
    return {
        each: answers[each] if each in answers else _too_late(each, seconds) for each in distinct
    }


def _answer(ask: Callable[[str], Result], endpoint: str) -> Result | StageError:
    try:
        return ask(endpoint)
    except StageError as error:
        return error


def _too_late(endpoint: str, seconds: float) -> ServiceTimeout:
    return ServiceTimeout(SERVICE, method="GET", url=shown(instance_url(endpoint)), seconds=seconds)
