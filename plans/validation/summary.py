"""What the chain found: errors and warnings, each with code, field and message (S1.3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from plans.message import Message


class Severity(StrEnum):
    """An error stops creation, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Issue:
    """One finding. `tenant_id` is empty where it concerns the plan as a whole."""

    severity: Severity
    code: str
    field: str
    message: Message
    tenant_id: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "tenantId": self.tenant_id or None,
            "severity": self.severity.value,
            "code": self.code,
            "field": self.field,
            "message": str(self.message),
        }


def error(code: str, field: str, template: str, tenant_id: str = "", **values: Any) -> Issue:
    """An issue that stops creation."""
    return Issue(Severity.ERROR, code, field, Message(template, values), tenant_id)


def warning(code: str, field: str, template: str, tenant_id: str = "", **values: Any) -> Issue:
    """An issue that the caller should know of."""
    return Issue(Severity.WARNING, code, field, Message(template, values), tenant_id)


class Summary:
    """All issues of one request."""

    def __init__(self, issues: Iterable[Issue]) -> None:
        self.issues = list(issues)

    @property
    def errors(self) -> list[Issue]:
        return [issue for issue in self.issues if issue.severity is Severity.ERROR]

    @property
    def warnings(self) -> list[Issue]:
        return [issue for issue in self.issues if issue.severity is Severity.WARNING]

    @property
    def error_count(self) -> int:
        return len(self.errors)

    @property
    def failed_subject_count(self) -> int:
        """How many tenants (the plan as a whole counts as one) have an error."""
        return len({issue.tenant_id for issue in self.errors})

    @property
    def by_tenant(self) -> dict[str, list[Issue]]:
        """Issues by tenant id; those of the plan as a whole under the empty one."""
        grouped: dict[str, list[Issue]] = {}
        for issue in self.issues:
            grouped.setdefault(issue.tenant_id, []).append(issue)
        return grouped

    def as_json(self) -> list[dict[str, Any]]:
        return [issue.as_json() for issue in self.issues]
