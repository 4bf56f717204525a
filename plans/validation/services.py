"""Services that the plan names in place of the settings' ones."""

from collections.abc import Iterable

from pydantic import ValidationError

from plans.stages import registry
from plans.stages.notify_services import NotifyServices
from plans.validation.chain import register
from plans.validation.subject import Subject
from plans.validation.summary import Issue, Severity


@register
def validate_services(subject: Subject) -> Iterable[Issue]:
    """Every service with an address of its own may be called there."""
    given = subject.request.parameters.get(NotifyServices.name)
    if not given:
        return
    try:
        params = registry.build({"name": NotifyServices.name, "params": given}).params
    except ValidationError:
        return  # What is malformed is told with the parameters of all stages.
    for service in params.services or ():
        for problem in service.problems():
            yield Issue(Severity.ERROR, "ENDPOINT_FORBIDDEN", "parameters", problem)
