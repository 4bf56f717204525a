"""Who may do what: every operation as operator, viewer, stranger and nobody."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from plans.api.api import api
from plans.models import ApiToken, Plan
from tests.api.checks import done, refused
from tests.api.conftest import JSON, Caller, make_user

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
Calling = Callable[[str], Caller]


def all_operations() -> list[tuple[str, str]]:
    """Method and path of every operation that there is, for object 1."""
    paths = api.get_openapi_schema(path_prefix="")["paths"]
    filled = {"{plan_id}": "1", "{task_id}": "1", "{verb}": "pause"}
    found = []
    for template, operations in paths.items():
        path = template
        for name, value in filled.items():
            path = path.replace(name, value)
        found += [(method.upper(), path) for method in operations]
    return sorted(found)


OPERATIONS = all_operations()
DECISIONS = ["/plans/1/approve", "/plans/1/reject"]
OF_ALL = ["/plans", "/stop", "/stop/lift"]
"""These name nothing that might not be there."""
COMMANDS = [
    path for method, path in OPERATIONS if method == "POST" and path not in [*DECISIONS, *OF_ALL]
]


def test_the_operations_are_known() -> None:
    assert ("GET", "/plans/1/events") in OPERATIONS
    assert {("POST", path) for path in [*DECISIONS, *OF_ALL, *COMMANDS]} == {
        operation for operation in OPERATIONS if operation[0] == "POST"
    }


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_nobody_is_asked_to_sign_in(method: str, path: str, calling: Calling) -> None:
    answer = calling("nobody").ask(method, path)
    refused(answer, 401, "UNAUTHENTICATED")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "path"), [each for each in OPERATIONS if each[0] == "GET"])
def test_strangers_may_not_look_and_viewers_may(method: str, path: str, calling: Calling) -> None:
    refused(calling("stranger").ask(method, path), 403, "FORBIDDEN")
    assert calling("viewer").ask(method, path).status_code in (200, 404)


@pytest.mark.parametrize("role", ["stranger", "viewer"])
@pytest.mark.parametrize("path", COMMANDS)
def test_only_operators_may_command(path: str, role: str, calling: Calling) -> None:
    body = {"taskIds": [1]} if "/tasks/" in path and path.startswith("/plans") else {}
    refused(calling(role).post(path, body), 403, "FORBIDDEN")
    refused(calling("operator").post(path, body), 404, "NOT_FOUND")


@pytest.mark.parametrize("role", ["stranger", "viewer", "operator"])
@pytest.mark.parametrize("path", DECISIONS)
def test_only_approvers_may_decide_about_a_gate(path: str, role: str, calling: Calling) -> None:
    refused(calling(role).post(path, {}), 403, "FORBIDDEN")
    refused(calling("approver").post(path, {}), 404, "NOT_FOUND")


@pytest.mark.parametrize("role", ["stranger", "viewer"])
@pytest.mark.parametrize("path", ["/stop", "/stop/lift"])
def test_only_operators_may_stop_everything(path: str, role: str, calling: Calling) -> None:
    refused(calling(role).post(path, {"reason": "x"}), 403, "FORBIDDEN")


@pytest.mark.parametrize("role", ["stranger", "viewer"])
@pytest.mark.parametrize("dry_run", [True, False])
def test_only_operators_may_create(role: str, dry_run: bool, calling: Calling) -> None:
    body = {"name": "x", "tenantIds": ["t"], "executorType": "X", "dryRun": dry_run}
    refused(calling(role).post("/plans", body), 403, "FORBIDDEN")


@pytest.mark.parametrize("path", [path for method, path in OPERATIONS if method == "POST"])
@pytest.mark.parametrize(
    ("data", "content_type"),
    [(b'{"nonsense": 1}', JSON), (b"{", JSON), (b"x", "text/plain"), (b"a=b", FORM)],
)
def test_who_may_not_is_told_so_whatever_is_sent(
    path: str, data: bytes, content_type: str, calling: Calling
) -> None:
    for role, status in (("nobody", 401), ("stranger", 403), ("viewer", 403)):
        refused(calling(role).send(path, data, content_type), status)
    refused(calling("approver").send(path, data, content_type), 400, "MALFORMED")


@pytest.mark.parametrize("content_type", [FORM, "multipart/form-data; boundary=x"])
def test_a_form_of_a_session_is_refused_by_its_csrf_token_then_for_what_it_is(
    content_type: str,
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("operator"))
    client.get("/api/docs")
    headers = {"X-CSRFToken": client.cookies["csrftoken"].value}
    for sent, status, code in (({}, 403, "CSRF_FAILED"), (headers, 400, "MALFORMED")):
        answer = client.post("/api/stop", b"a=b", content_type, headers=sent)
        refused(answer, status, code)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_another_method_is_refused_with_those_that_there_are(
    method: str, path: str, operator: Caller
) -> None:
    others = {"GET", "POST"} - {each for each, other in OPERATIONS if other == path}
    for wrong in sorted(others | {"PUT", "DELETE", "PATCH", "OPTIONS"}):
        answer = operator.ask(wrong, path)
        refused(answer, 405, "METHOD_NOT_ALLOWED")
        assert method in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/", "/plan", "/plans/", "/plans/1/explode", "/a/b/c", "/%00"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_address_is_said_to_be_one(method: str, path: str, operator: Caller) -> None:
    refused(operator.ask(method, path), 404, "NOT_FOUND")


def test_approvers_and_admins_are_operators_too(calling: Calling) -> None:
    for role in ("approver", "admin"):
        refused(calling(role).post("/plans/1/start"), 404)


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer wrong", "bearer \xe9", "Basic b2xnYTpvbGdh", "x" * 5000]
)
def test_a_wrong_token_is_refused(header: str, db: None) -> None:
    refused(Client().get("/api/plans", headers={"Authorization": header}), 401)


def test_a_token_of_an_inactive_user_is_refused() -> None:
    user = make_user("operator")
    caller = Caller(ApiToken.issue(user))
    done(caller.get("/plans"))
    User.objects.update(is_active=False)
    refused(caller.get("/plans"), 401)


def test_a_token_that_was_deleted_is_refused() -> None:
    caller = Caller(ApiToken.issue(make_user("viewer")))
    ApiToken.objects.all().delete()
    refused(caller.get("/plans"), 401)


def test_a_wrong_token_does_not_fall_back_on_the_session() -> None:
    client = Client()
    client.force_login(make_user("operator"))
    refused(client.get("/api/plans", headers={"Authorization": "Bearer wrong"}), 401)


def test_the_session_may_look_and_commands_with_the_csrf_token_only() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("operator"))
    done(client.get("/api/plans"))
    refused(client.post("/api/plans/1/start", content_type=JSON), 403, "CSRF_FAILED")
    client.get("/api/docs")
    token = client.cookies["csrftoken"].value
    headers = {"X-CSRFToken": token}
    answer = client.post("/api/plans/1/start", content_type=JSON, headers=headers)
    refused(answer, 404, "NOT_FOUND")


def test_a_token_needs_no_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    token = ApiToken.issue(make_user("operator"))
    headers = {"Authorization": f"Bearer {token}"}
    answer = client.post("/api/plans/1/start", content_type=JSON, headers=headers)
    refused(answer, 404, "NOT_FOUND")


def test_what_was_refused_changed_nothing(calling: Calling) -> None:
    for role in ("nobody", "stranger", "viewer"):
        for method, path in OPERATIONS:
            calling(role).ask(method, path)
    assert not Plan.objects.exists()
