"""The job that other engines were measured with: four steps a tenant, each one HTTP call.

It is a pipeline of another package, as docs/extending.md shows: four stages, each with its
checkpoint, its events and its commit.
"""

from plans.clients import gateway, ob_service
from plans.stages.base import Done, Outcome, Stage, StageContext


class GetTenant(Stage):
    """The first call."""

    name, title, checkpoint = "get_tenant", "get tenant", "ONE"

    def run(self, context: StageContext) -> Outcome:
        tenant = ob_service.get_tenant(context.tenant_id, context.call)
        return Done(data={"environment": tenant.environment})


class GetRoute(Stage):
    """The second call."""

    name, title, checkpoint = "get_route", "get route", "TWO"

    def run(self, context: StageContext) -> Outcome:
        return Done(data={"route": gateway.get_route(context.tenant_id, context.call)})


class PutRoute(Stage):
    """The third call."""

    name, title, checkpoint = "put_route", "put route", "THREE"

    def run(self, context: StageContext) -> Outcome:
        environment = context.target.environment
        gateway.put_route(context.tenant_id, environment, context.call)
        return Done()


class PutStatus(Stage):
    """The fourth call."""

    name, title, checkpoint = "put_status", "put status", "FOUR"

    def run(self, context: StageContext) -> Outcome:
        environment = context.target.environment
        ob_service.put_status(context.tenant_id, environment, context.call)
        return Done()


PIPELINE = ("get_tenant", "get_route", "put_route", "put_status")
