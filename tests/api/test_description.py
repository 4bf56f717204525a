"""The description of the API is true: answers have exactly the fields that it names."""

from typing import Any

import pytest
from django.test import Client

from plans import operations
from plans.models import Task
from tests.api.checks import done
from tests.api.conftest import Caller
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def description() -> dict[str, Any]:
    """Everybody may read it."""
    return done(Client().get("/api/openapi.json"))


def test_every_operation_names_its_refusals(description: dict[str, Any]) -> None:
    for path, operations_there in description["paths"].items():
        for method, operation in operations_there.items():
            answers = operation["responses"]
            assert {"400", "401", "403", "429"} <= set(answers), (method, path)
            assert ("404" in answers) == ("{" in path), (method, path)
            assert ("413" in answers) == (method == "post"), (method, path)
            for status, answer in answers.items():
                schema = answer["content"]["application/json"]["schema"]
                assert ("ErrorAnswer" in str(schema)) == (int(status) >= 400)
            assert operation["summary"]
            assert operation["description"]


def test_all_names_are_in_camel_case(description: dict[str, Any]) -> None:
    for schema in description["components"]["schemas"].values():
        for name in schema.get("properties", ()):
            assert "_" not in name, schema["title"]
            assert name[0].islower(), schema["title"]


def test_answers_have_exactly_the_described_fields(
    description: dict[str, Any], operator: Caller, sandbox: Sandbox
) -> None:
    sandbox.add_fault("tenant-002", "gateway.put_route", "status", code=400)
    plan = make_plan(["tenant-001", "tenant-002"], failure_policy="continue")
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    task_id = Task.objects.get(tenant="tenant-002").pk
    schemas = description["components"]["schemas"]
    for path, name in (
        ("/plans", "Page_PlanBrief_"),
        (f"/plans/{plan.pk}", "PlanDetail"),
        (f"/plans/{plan.pk}/events", "EventPage"),
        ("/tasks", "Page_TaskBrief_"),
        (f"/tasks/{task_id}", "TaskDetail"),
        (f"/tasks/{task_id}/effects", "EffectPage"),
        ("/tenants", "Page_TenantAnswer_"),
        ("/tenants/tenant-001/versions", "VersionsAnswer"),
        ("/nowhere", "ErrorAnswer"),
    ):
        conforms(operator.get(path).json(), {"$ref": f"/{name}"}, schemas, path)


def conforms(value: Any, schema: dict[str, Any], schemas: dict[str, Any], where: str) -> None:
    """Assert that `value` is of `schema`, as far as our descriptions use JSON Schema."""
    if "$ref" in schema:
        conforms(value, schemas[schema["$ref"].rsplit("/", 1)[1]], schemas, where)
    elif "anyOf" in schema:
        fitting = [each for each in schema["anyOf"] if (each.get("type") == "null") != bool(value)]
        if value is None:
            assert {"type": "null"} in schema["anyOf"], where
        else:
            conforms(value, next(e for e in fitting or schema["anyOf"]), schemas, where)
    elif "properties" in schema:
        assert set(schema.get("required", ())) <= set(value) <= set(schema["properties"]), where
        for name, part in value.items():
            conforms(part, schema["properties"][name], schemas, f"{where}.{name}")
    elif schema.get("type") == "array":
        for number, part in enumerate(value):
            conforms(part, schema["items"], schemas, f"{where}.{number}")
    else:
        types = {"string": str, "integer": int, "boolean": bool, "object": dict, "number": float}
        assert isinstance(value, types[schema["type"]]), where
        assert "enum" not in schema or value in schema["enum"], where
