"""Requests for plans, and what one validator alone says of them."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from plans.validation import PlanRequest, Subject, TenantRequest
from plans.validation.summary import Issue

REQUEST = PlanRequest("Friday", (TenantRequest("tenant-001"),), "BLUE_GREEN_SWITCH")


def tenants(*ids: str) -> tuple[TenantRequest, ...]:
    return tuple(TenantRequest(each) for each in ids)


def found(
    validator: Callable[[Subject], Iterable[Issue]], **changes: Any
) -> list[tuple[str, str, str]]:
    """What one validator alone says of the request with `changes`: severity, code, tenant."""
    issues = list(validator(Subject(replace(REQUEST, **changes))))
    assert all(str(issue.message) and issue.field for issue in issues)
    return [(issue.severity.value, issue.code, issue.tenant_id) for issue in issues]
