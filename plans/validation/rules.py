"""Business rules: what the plan as a whole must and should be."""

from collections.abc import Iterable

from django.utils.translation import gettext_noop as _
from pydantic import ValidationError

from plans import conf, pipelines
from plans.faults import message_of
from plans.message import Message
from plans.models import Environment, FailurePolicy
from plans.validation.chain import register
from plans.validation.subject import Subject
from plans.validation.summary import Issue, error, warning


@register
def validate_name(subject: Subject) -> Iterable[Issue]:
    """A name that people can read in a list."""
    name = subject.request.name
    if not name.strip():
        yield error("NAME_MISSING", "name", _("Give the plan a name."))
    if len(name) > conf.NAME_MAX_CHARS:
        yield error(
            "NAME_TOO_LONG",
            "name",
            _("The name has %(count)s characters: at most %(limit)s."),
            count=len(name),
            limit=conf.NAME_MAX_CHARS,
        )


@register
def validate_pipeline(subject: Subject) -> Iterable[Issue]:
    """The executor type exists, and the parameters fit its stages."""
    request = subject.request
    if request.executor_type not in pipelines.PIPELINES:
        yield error(
            "EXECUTOR_TYPE_UNKNOWN",
            "executorType",
            _("There is no pipeline %(given)s: choose one of %(known)s."),
            given=request.executor_type[:80],
            known=", ".join(sorted(pipelines.PIPELINES)),
        )
        return
    unknown = set(request.parameters) - set(pipelines.PIPELINES[request.executor_type])
    for stage in sorted(unknown):
        yield error(
            "STAGE_UNKNOWN",
            "parameters",
            _("The pipeline has no stage %(stage)s."),
            stage=stage[:80],
        )
    try:
        pipelines.snapshot(request.executor_type, request.parameters)
    except ValidationError as invalid:
        for fault in invalid.errors():
            yield error(
                "PARAMETER_INVALID",
                "parameters",
                _("%(where)s: %(what)s"),
                where=".".join(str(part) for part in fault["loc"]),
                what=message_of(fault),
            )


@register
def validate_limits(subject: Subject) -> Iterable[Issue]:
    """Concurrency and failure policy make sense together."""
    request = subject.request
    if not 1 <= request.max_concurrency <= conf.CONCURRENCY_MAX:
        yield error(
            "MAX_CONCURRENCY",
            "maxConcurrency",
            _("maxConcurrency is a number from 1 to %(limit)s."),
            limit=conf.CONCURRENCY_MAX,
        )
    if request.failure_policy not in FailurePolicy.values:
        yield error(
            "FAILURE_POLICY",
            "failurePolicy",
            _("failurePolicy is one of %(known)s."),
            known=", ".join(FailurePolicy.values),
        )
    if request.failure_budget is not None:
        if not 0 <= request.failure_budget <= conf.TENANTS_PER_PLAN_MAX:
            yield error(
                "FAILURE_BUDGET",
                "failureBudget",
                _("failureBudget is a number from 0 to %(limit)s."),
                limit=conf.TENANTS_PER_PLAN_MAX,
            )
        elif request.failure_policy != FailurePolicy.CONTINUE:
            yield warning(
                "FAILURE_BUDGET_UNUSED",
                "failureBudget",
                _("failureBudget counts only with the failure policy continue."),
            )


@register
def validate_target(subject: Subject) -> Iterable[Issue]:
    """There is one target environment; tenants that are already there are pointed out."""
    target = subject.target
    if target is None and subject.tenants:
        yield error(
            "TARGET_AMBIGUOUS",
            "target",
            _("The tenants are in both environments: say which is the target."),
        )
    elif target is not None and target not in Environment.values:
        yield error("TARGET_UNKNOWN", "target", _("The target is blue or green."))
    for tenant in subject.tenants.values():
        if tenant.environment == target:
            yield warning(
                "ALREADY_THERE",
                "target",
                _("The tenant is already %(environment)s."),
                tenant_id=tenant.pk,
                environment=Message(tenant.environment),
            )
