"""The API as a whole: its description, its routers, who may come in."""

from django.utils.translation import gettext_noop as _
from ninja import NinjaAPI
from ninja.openapi.docs import Swagger
from ninja.operation import Operation

from plans.actor import Permission
from plans.api import effects, errors, plan_commands, plans, stop, tasks, tenants
from plans.api.auth import needs
from plans.api.bodies import BodyParser

DESCRIPTION = _(
    "Switch tenants between blue and green. Every command is refused with 409 when the object's "
    "state does not allow it, or when `seen` (the state or the revision that you saw) is not what "
    "it is now. `manage.py token create USER` makes a token. This description is open to all."
)


class Api(NinjaAPI):
    """Operations are known by the names of their functions."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__


api = Api(
    title="Bluegreen",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    auth=needs(Permission.VIEW),
    parser=BodyParser(),
    # Nothing is asked of a validator on the internet.
    docs=Swagger({"validatorUrl": None, "persistAuthorization": False}),
)
errors.install(api)
for router in (
    plans.router,
    plan_commands.router,
    tasks.router,
    effects.router,
    tenants.router,
    stop.router,
):
    api.add_router("", router)
