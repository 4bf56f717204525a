"""Network endpoints: scheme, host, port, allowed networks."""

from collections.abc import Iterable

from django.utils.translation import gettext_noop as _

from plans.clients import instances, network
from plans.message import Message
from plans.validation.chain import register
from plans.validation.subject import Subject
from plans.validation.summary import Issue, Severity, error


@register
def validate_endpoints(subject: Subject) -> Iterable[Issue]:
    """Every instance of every tenant may be called; each distinct address is looked at once."""
    problems: dict[str, Message | None] = {}
    for tenant in subject.tenants.values():
        if not tenant.endpoints:
            yield error(
                "NO_ENDPOINTS",
                "endpoints",
                _("The OB service names no instances of the tenant."),
                tenant_id=tenant.pk,
            )
        for endpoint in tenant.endpoints:
            url = instances.instance_url(endpoint)
            if url not in problems:
                problems[url] = network.address_problem(url)
            problem = problems[url]
            if problem:
                yield Issue(
                    Severity.ERROR, "ENDPOINT_FORBIDDEN", "endpoints", problem, tenant_id=tenant.pk
                )
