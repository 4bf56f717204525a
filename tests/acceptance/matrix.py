"""The permission matrix: for every address, from which role on it may be read and acted upon.

Who adds an address says here who may use it; `test_permissions` fails for one that is not here.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any


class Who(IntEnum):
    """Each may all that the ones before may."""

    ANONYMOUS = 0
    STRANGER = 1
    VIEWER = 2
    OPERATOR = 3
    APPROVER = 4
    ADMIN = 5
    NOBODY = 6


EVERYBODY = Who.ANONYMOUS
ROLES = [who for who in Who if who is not Who.NOBODY]


@dataclass(frozen=True)
class Rule:
    """From whom on GET and POST are allowed; `post` is sent as JSON to the API, else as a form."""

    get: Who = Who.NOBODY
    post: Who = Who.NOBODY
    query: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    leads_nowhere: bool = False
    """404 is what those get who may come in."""


PAGE = Rule(get=Who.VIEWER)
ACT = Rule(get=Who.VIEWER, post=Who.OPERATOR)
COMMAND = Rule(post=Who.OPERATOR)
OPEN = Rule(get=EVERYBODY, post=EVERYBODY)
READ = Rule(get=Who.VIEWER, post=Who.VIEWER)
"""Django admin takes a POST to what it only shows as a GET."""
ADMINISTER = Rule(get=Who.ADMIN, post=Who.ADMIN)
ADMINISTER_READ_ONLY = Rule(get=Who.ADMIN)
NEVER = Rule()
DECIDE = Rule(get=Who.VIEWER, post=Who.APPROVER)

PLAN_VERBS = ("start", "pause", "resume", "cancel", "retry", "rollback")
GATE_VERBS = ("approve", "reject")
TASK_VERBS = ("pause", "resume", "cancel", "retry", "rollback")
DRAFT = {"name": "Autumn", "executorType": "BLUE_GREEN_SWITCH", "tenantIds": ["tenant-002"]}

WEB = {
    "/login/": OPEN,
    "/logout/": Rule(post=EVERYBODY),
    "/language/": OPEN,
    "/": PAGE,
    "/plans/": PAGE,
    "/plans/new/": ACT,
    "/plans/new/preview/": COMMAND,
    "/plans/new/table/": COMMAND,
    "/plans/new/tenants/": READ,
    "/plans/{plan}/": PAGE,
    "/plans/{plan}/events/": PAGE,
    "/plans/{plan}/events.csv": PAGE,
    "/plans/{plan}/events.json": PAGE,
    "/plans/{plan}/replay/": PAGE,
    **{f"/plans/{{plan}}/{verb}/": ACT for verb in PLAN_VERBS},
    **{f"/plans/{{plan}}/{verb}/": DECIDE for verb in GATE_VERBS},
    **{
        f"/plans/{{plan}}/tasks/{verb}/": Rule(
            Who.VIEWER, Who.OPERATOR, {"scope": "all"}, {"selection": "{task}"}
        )
        for verb in TASK_VERBS
    },
    "/tasks/{task}/": PAGE,
    **{f"/tasks/{{task}}/{verb}/": ACT for verb in TASK_VERBS},
    "/stop/": ACT,
    "/stop/lift/": ACT,
    "/system/": PAGE,
    "/metrics": PAGE,
}

API = {
    "/api/": Rule(EVERYBODY, EVERYBODY, leads_nowhere=True),
    "/api/docs": OPEN,
    "/api/openapi.json": OPEN,
    "/api/plans": Rule(Who.VIEWER, Who.OPERATOR, body=DRAFT),
    "/api/plans/{plan}": PAGE,
    "/api/plans/{plan}/events": PAGE,
    **{f"/api/plans/{{plan}}/{verb}": COMMAND for verb in PLAN_VERBS},
    **{f"/api/plans/{{plan}}/{verb}": Rule(post=Who.APPROVER) for verb in GATE_VERBS},
    **{
        f"/api/plans/{{plan}}/tasks/{verb}": Rule(post=Who.OPERATOR, body={"taskIds": [1]})
        for verb in TASK_VERBS
    },
    "/api/tasks": PAGE,
    "/api/tasks/{task}": PAGE,
    "/api/tasks/{task}/effects": PAGE,
    **{f"/api/tasks/{{task}}/{verb}": COMMAND for verb in TASK_VERBS},
    "/api/stop": ACT,
    "/api/stop/lift": COMMAND,
    "/api/tenants": PAGE,
    "/api/tenants/{plans.tenant}/versions": PAGE,
}


def _model(name: str, show: Rule, *, add: Rule, change: Rule, delete: Rule) -> dict[str, Rule]:
    """The pages of Django admin for a model; `show` is for those that change nothing."""
    here = f"/admin/{name.replace('.', '/')}/"
    row = f"{here}{{{name}}}/"
    return {
        here: show,
        f"{here}add/": add,
        # It only leads on to the row's page, which decides.
        row: READ,
        f"{row}change/": change,
        f"{row}delete/": delete,
        f"{row}history/": show,
    }


AUDITED = (
    "plan",
    "wave",
    "task",
    "stagerun",
    "event",
    "tenant",
    "journal",
    "renewal",
    "renewalprocess",
)
AUTOCOMPLETE = {"app_label": "plans", "model_name": "task", "field_name": "tenant"}
ADMIN = {
    "/admin/": READ,
    "/admin/login/": OPEN,
    "/admin/logout/": Rule(post=Who.VIEWER),
    "/admin/password_change/": READ,
    "/admin/password_change/done/": PAGE,
    "/admin/autocomplete/": Rule(Who.VIEWER, query=AUTOCOMPLETE),
    "/admin/jsi18n/": PAGE,
    "/admin/r/{contenttype}/{plans.tenant}/": Rule(Who.VIEWER, Who.VIEWER, leads_nowhere=True),
    "/admin/plans/": READ,
    "/admin/auth/": ADMINISTER,
    "/admin/nowhere": Rule(Who.VIEWER, Who.VIEWER, leads_nowhere=True),
    **{
        address: rule
        for name in AUDITED
        for address, rule in _model(
            f"plans.{name}", READ, add=NEVER, change=PAGE, delete=NEVER
        ).items()
    },
    **_model("auth.user", ADMINISTER, add=ADMINISTER, change=ADMINISTER, delete=NEVER),
    "/admin/auth/user/{auth.user}/password/": ADMINISTER,
    **_model("auth.group", ADMINISTER, add=ADMINISTER, change=ADMINISTER, delete=ADMINISTER),
    **_model(
        "plans.apitoken", ADMINISTER, add=NEVER, change=ADMINISTER_READ_ONLY, delete=ADMINISTER
    ),
    **_model("admin.logentry", ADMINISTER, add=NEVER, change=ADMINISTER_READ_ONLY, delete=NEVER),
}

DOORS = {"web": WEB, "api": API, "admin": ADMIN}

SOCKETS = {
    "/ws/overview/": Who.VIEWER,
    "/ws/plans/": Who.VIEWER,
    "/ws/plans/{plan}/": Who.VIEWER,
    "/ws/tasks/{task}/": Who.VIEWER,
    "/ws/anywhere/else/": Who.NOBODY,
}
