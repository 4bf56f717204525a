"""The validation chain. Importing the package puts the built-in validators into it, in order."""

from plans.validation import rules, text, tenant_ids, waves, endpoints, services, conflicts  # noqa: I001
from plans.validation.chain import validate
from plans.validation.request import PlanRequest, TenantRequest, WaveRequest
from plans.validation.subject import Subject
from plans.validation.summary import Issue, Severity, Summary
from plans.validation.waves import PlannedWave, resolve

__all__ = [
    "Issue",
    "PlanRequest",
    "PlannedWave",
    "Severity",
    "Subject",
    "Summary",
    "TenantRequest",
    "WaveRequest",
    "conflicts",
    "endpoints",
    "resolve",
    "rules",
    "services",
    "tenant_ids",
    "text",
    "validate",
    "waves",
]
