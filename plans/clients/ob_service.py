"""The OB service: the record of each tenant."""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from django.utils.translation import gettext_noop as _

from plans import conf
from plans.clients.fan_out import run_all
from plans.clients.fields import Fields
from plans.clients.http import Call, request, segment
from plans.errors import (
    ServiceBadAnswer,
    ServiceError,
    ServiceRejected,
    StageError,
    TenantUnknown,
)
from plans.message import Message
from plans.slices import slices

logger = logging.getLogger(__name__)

SERVICE: Final = "OB_SERVICE"
NAME_MAX_CHARS = 200
NO_LIST_STATUSES = (404, 501)


@dataclass(frozen=True)
class TenantRecord:
    """A tenant as the OB service knows it; `environment` is `blue` or `green`."""

    tenant_id: str
    name: str
    environment: str
    config_version: int
    endpoints: tuple[str, ...]


def get_tenant(tenant_id: str, call: Call | None = None) -> TenantRecord:
    """One tenant. Raises TenantUnknown and the other errors of a call."""
    url = _tenant_url(tenant_id)
    try:
        answer = request(SERVICE, "GET", url, call)
    except ServiceRejected as rejected:
        if _status(rejected) != 404:
            raise
        raise TenantUnknown(SERVICE, tenant=tenant_id, status=404) from rejected
    fields = Fields(answer.body, SERVICE, "GET", url)
    fields.tenant(tenant_id)
    return _record(answer.body, fields)


def get_tenants(tenant_ids: Sequence[str]) -> dict[str, TenantRecord | StageError]:
    """Many tenants; by id the record, or the error of its call.

    As many are asked for at once as the process keeps threads. Those of which nothing was heard
    within `conf.OB_QUESTIONS_SECONDS` are left out.
    """
    deadline = time.monotonic() + conf.OB_QUESTIONS_SECONDS
    answers: dict[str, TenantRecord | StageError] = {}
    for some in slices(tenant_ids, conf.HTTP_FANOUT_THREADS):
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            break
        answers |= run_all({each: partial(_answer, each) for each in some}, seconds)
    return answers


def _answer(tenant_id: str) -> TenantRecord | StageError:
    try:
        return get_tenant(tenant_id)
    except StageError as error:
        return error


def list_tenants(
    after: str = "", limit: int = conf.OB_LIST_LIMIT
) -> tuple[list[TenantRecord], str | None]:
    """One page of tenants in order of id, and after which id the next one begins (None: none).

    An entry that cannot be read is left out and logged: it must not hide the others.
    """
    query = {"limit": limit, **({"after": after} if after else {})}
    url = f"{conf.OB_SERVICE_URL}/tenants?{urlencode(query)}"
    body = request(SERVICE, "GET", url).body
    fields = Fields(body, SERVICE, "GET", url)
    items = body.get("items")
    if not isinstance(items, list):
        raise fields.bad(_("%(name)s is missing or not a list"), name="items")
    records = []
    for item in items:
        if not isinstance(item, dict):
            raise fields.bad(_("%(name)s has an entry that is not an object"), name="items")
        try:
            records.append(_record(item, Fields(item, SERVICE, "GET", url)))
        except ServiceBadAnswer as error:
            logger.warning("Tenant %.80r left out of the list: %s", item.get("tenantId"), error)
    return records, None if body.get("next") is None else fields.text("next")


def tenant_pages() -> Iterator[list[TenantRecord]]:
    """Every tenant, page by page. A service without a list (404, 501) has no page; no error."""
    after = ""
    passed = set()
    while True:
        try:
            records, following = list_tenants(after)
        except ServiceError as error:
            if _status(error) in NO_LIST_STATUSES and not after:
                return
            raise
        yield records
        if following is None:
            return
        if following in passed:
            raise ServiceBadAnswer(
                SERVICE,
                method="GET",
                url=f"{conf.OB_SERVICE_URL}/tenants",
                cause=Message(_("its pages go in a circle")),
            )
        passed.add(following)
        after = following


def put_status(tenant_id: str, environment: str, call: Call) -> None:
    """Say to which environment the tenant belongs now."""
    url = f"{_tenant_url(tenant_id)}/status"
    request(SERVICE, "PUT", url, call, json={"status": environment.upper()})


def _tenant_url(tenant_id: str) -> str:
    return f"{conf.OB_SERVICE_URL}/tenants/{segment(tenant_id)}"


def _status(error: ServiceError) -> Any:
    return error.message.values.get("status")


def _record(item: dict[str, Any], fields: Fields) -> TenantRecord:
    tenant_id = fields.text("tenantId")
    return TenantRecord(
        tenant_id=tenant_id,
        # Only shown to people: a tenant without one is called by its id.
        name=(fields.text("name") if item.get("name") else tenant_id)[:NAME_MAX_CHARS],
        environment=fields.environment("status"),
        config_version=fields.version("configVersion"),
        endpoints=fields.texts("endpoints", conf.ENDPOINTS_PER_TENANT_MAX),
    )
