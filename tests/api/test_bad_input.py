"""Input that nobody should send: each gets a clear 4xx, and nothing is stored."""

import json
from typing import Any

import pytest

from plans import conf, registry_sync
from plans.models import Event, EventKind, Plan
from tests.api.checks import codes, done, fields, refused
from tests.api.conftest import Caller
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db

GOOD: dict[str, Any] = {
    "name": "Good",
    "tenantIds": ["tenant-001", "tenant-002"],
    "executorType": "BLUE_GREEN_SWITCH",
}
COMMAND = "/plans/1/start"


@pytest.fixture(autouse=True)
def _registry(sandbox: Sandbox) -> None:
    registry_sync.sync_tenants()


def malformed(operator: Caller, data: bytes, path: str = "/plans", **more: Any) -> dict[str, Any]:
    error = refused(operator.send(path, data, **more), 400, "MALFORMED")
    assert not Plan.objects.exists()
    return error


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": 1} x', "not JSON"),
        (b'\xef\xbb\xbf{"a": 1}', "not JSON"),
        (b'{"a": "\x00"}', "not JSON"),
        (b" ", "not JSON"),
        (b'{"a": "\xff"}', "UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "UTF-8"),
        (b"[" * 100_000, "deep"),
        (b'{"a":' * 21 + b"1" + b"}" * 21, "deep"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": 9223372036854775808}', "64 bits"),
        (b'{"a": 1' + b"0" * 5000 + b"}", "64 bits"),
        (b'{"name": "a", "name": "b"}', "twice"),
        (b'{"name": "a\\u0000b"}', "NUL"),
        (b'{"name": "\\ud800"}', "half of a character"),
        (b'{"parameters": {"\\udfff": {}}}', "half of a character"),
        (b"[]", "JSON object"),
        (b"null", "JSON object"),
        (b'"text"', "JSON object"),
        (b"1", "JSON object"),
        (b"", "JSON object"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_what_to_mend(
    data: bytes, words: str, operator: Caller
) -> None:
    assert words in malformed(operator, data)["message"]


@pytest.mark.parametrize("data", [b"{", b"[]", b"1", b'{"reason": "\\u0000"}', b"[" * 99])
def test_the_body_of_a_command_is_read_as_strictly(data: bytes, operator: Caller) -> None:
    malformed(operator, data, COMMAND)


def test_a_whole_number_may_be_written_with_a_nought_behind_the_point(operator: Caller) -> None:
    plan_id = done(operator.post("/plans", GOOD | {"maxConcurrency": 5.0}), 201)["planId"]
    assert done(operator.get(f"/plans/{plan_id}"))["maxConcurrency"] == 5


def test_depth_up_to_the_limit_is_read(operator: Caller) -> None:
    config = json.loads('{"a":' * 15 + "1" + "}" * 15)
    body = GOOD | {"tenants": [{"tenantId": "tenant-001", "config": config}], "tenantIds": None}
    done(operator.post("/plans", body), 201)


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "x"],
)
def test_another_content_type_is_refused(content_type: str, operator: Caller) -> None:
    error = malformed(operator, json.dumps(GOOD).encode(), content_type=content_type)
    assert "application/json" in error["message"]


def test_a_command_without_a_body_may_have_any_content_type(operator: Caller) -> None:
    for content_type in ("", "application/x-www-form-urlencoded", "multipart/form-data"):
        refused(operator.send(COMMAND, b"", content_type), 404, "NOT_FOUND")


def test_a_body_that_is_too_large_is_refused(operator: Caller) -> None:
    data = b" " * (conf.BODY_MAX_BYTES + 1)
    for path in ("/plans", COMMAND):
        refused(operator.send(path, data), 413, "TOO_LARGE")


@pytest.mark.parametrize("length", ["-1", "1e3", "many", "٣"])
def test_a_length_that_is_no_number_is_refused(length: str, operator: Caller) -> None:
    malformed(operator, b"{}", CONTENT_LENGTH=length)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": 1}, "name"),
        ({"name": None}, "name"),
        ({"name": ["a"]}, "name"),
        ({"executorType": True}, "executorType"),
        ({"tenantIds": "tenant-001"}, "tenantIds"),
        ({"tenantIds": {"tenant-001": 1}}, "tenantIds"),
        ({"tenantIds": ["tenant-001", 2]}, "tenantIds.1"),
        ({"tenantIds": [["tenant-001"]]}, "tenantIds.0"),
        ({"target": 1}, "target"),
        ({"waves": {"size": 1}}, "waves"),
        ({"waves": [1]}, "waves.0"),
        ({"waves": [{"size": True}]}, "waves.0.size"),
        ({"waves": [{"size": "1"}]}, "waves.0.size"),
        ({"waves": [{"size": 1.5}]}, "waves.0.size"),
        ({"waves": [{"percent": "10"}]}, "waves.0.percent"),
        ({"waves": [{"percent": True}]}, "waves.0.percent"),
        ({"waves": [{"rest": 1}]}, "waves.0.rest"),
        ({"waves": [{"sice": 1}]}, "waves.0.sice"),
        ({"maxConcurrency": True}, "maxConcurrency"),
        ({"maxConcurrency": "5"}, "maxConcurrency"),
        ({"maxConcurrency": 5.5}, "maxConcurrency"),
        ({"maxConcurrency": 1e300}, "maxConcurrency"),
        ({"maxConcurrency": None}, "maxConcurrency"),
        ({"failureBudget": False}, "failureBudget"),
        ({"parameters": []}, "parameters"),
        ({"parameters": {"soak": 1}}, "parameters.soak"),
        ({"dryRun": "yes"}, "dryRun"),
        ({"max_concurrency": 5}, "max_concurrency"),
        ({"tenantIds": None, "tenants": ["tenant-001"]}, "tenants.0"),
        ({"tenantIds": None, "tenants": [{"tenantId": 1}]}, "tenants.0.tenantId"),
        ({"tenantIds": None, "tenants": [{"tenantId": "a", "config": []}]}, "tenants.0.config"),
        ({"tenants": [{"tenantId": "tenant-003"}]}, ""),
    ],
)
def test_a_wrong_type_is_named(change: dict[str, Any], field: str, operator: Caller) -> None:
    error = malformed(operator, json.dumps(GOOD | change).encode())
    assert field in fields(error)


@pytest.mark.parametrize("version", [0, "1e3", True, [1]])
def test_a_wrong_version_is_named_by_its_field_alone(version: object, operator: Caller) -> None:
    tenant = {"tenantId": "tenant-001", "configVersion": version}
    body = GOOD | {"tenantIds": None, "tenants": [tenant]}
    assert fields(malformed(operator, json.dumps(body).encode())) == {"tenants.0.configVersion"}


def test_a_refusal_counts_without_a_plural(operator: Caller) -> None:
    error = refused(operator.post("/plans", GOOD | {"name": " "}), 422, "VALIDATION_FAILED")
    assert "Errors: 1 (tenants or fields: 1)." in error["message"]


@pytest.mark.parametrize("version", [0, -1, "0", "-3", "1.5", "v2", 9223372036854775807 + 1, True])
def test_a_version_is_a_positive_number_of_64_bits(version: object, operator: Caller) -> None:
    tenants = [{"tenantId": "tenant-001", "configVersion": version}]
    malformed(operator, json.dumps(GOOD | {"tenantIds": None, "tenants": tenants}).encode())


@pytest.mark.parametrize("version", ["9223372036854775808", "9" * 19])
def test_digits_of_a_version_are_of_64_bits_too(version: str, operator: Caller) -> None:
    tenants = [{"tenantId": "tenant-001", "configVersion": version}]
    malformed(operator, json.dumps(GOOD | {"tenantIds": None, "tenants": tenants}).encode())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": ""}, "NAME_MISSING"),
        ({"name": " \t\u2003"}, "NAME_MISSING"),
        ({"name": "n" * 10_000}, "NAME_TOO_LONG"),
        ({"tenantIds": []}, "NO_TENANTS"),
        ({"tenantIds": None}, "NO_TENANTS"),
        ({"tenantIds": ["a/b"]}, "TENANT_ID_MALFORMED"),
        ({"tenantIds": ["a b"]}, "TENANT_ID_MALFORMED"),
        ({"tenantIds": [""]}, "TENANT_ID_MALFORMED"),
        ({"tenantIds": ["../../etc/passwd"]}, "TENANT_ID_MALFORMED"),
        ({"tenantIds": ["tenant-001\n"]}, "TENANT_ID_MALFORMED"),
        ({"tenantIds": ["租户"]}, "TENANT_ID_MALFORMED"),
        ({"tenantIds": ["t" * 10_000]}, "TENANT_ID_MALFORMED"),
        ({"tenantIds": [f"t{n}" for n in range(20_001)]}, "TOO_MANY_TENANTS"),
        ({"executorType": ""}, "EXECUTOR_TYPE_UNKNOWN"),
        ({"executorType": "%s%(x)s{}"}, "EXECUTOR_TYPE_UNKNOWN"),
        ({"target": "red"}, "TARGET_UNKNOWN"),
        ({"target": ""}, "TARGET_UNKNOWN"),
        ({"waves": [{}]}, "WAVE_MALFORMED"),
        ({"waves": [{"size": 1, "rest": True}]}, "WAVE_MALFORMED"),
        ({"waves": [{"size": 0}]}, "WAVE_SIZE"),
        ({"waves": [{"size": -5}, {"rest": True}]}, "WAVE_SIZE"),
        ({"waves": [{"percent": 0}]}, "WAVE_PERCENT"),
        ({"waves": [{"percent": -3}]}, "WAVE_PERCENT"),
        ({"waves": [{"percent": 1e308}]}, "WAVE_PERCENT"),
        ({"waves": [{"percent": 2**62}]}, "WAVE_PERCENT"),
        ({"waves": [{"size": 1}]}, "WAVES_INCOMPLETE"),
        ({"waves": [{"rest": True, "mode": "fifo"}]}, "WAVE_MODE"),
        ({"waves": [{"size": 1}] * 101}, "TOO_MANY_WAVES"),
        ({"maxConcurrency": 0}, "MAX_CONCURRENCY"),
        ({"maxConcurrency": 2**62}, "MAX_CONCURRENCY"),
        ({"failurePolicy": "pray"}, "FAILURE_POLICY"),
        ({"failureBudget": -1}, "FAILURE_BUDGET"),
        ({"failureBudget": 2**62, "failurePolicy": "continue"}, "FAILURE_BUDGET"),
        ({"parameters": {"teleport": {}}}, "STAGE_UNKNOWN"),
        ({"parameters": {"check_health": {"attempts": 0}}}, "PARAMETER_INVALID"),
        ({"parameters": {"check_health": {"attempts": True}}}, "PARAMETER_INVALID"),
        ({"parameters": {"check_health": {"attempts": "5"}}}, "PARAMETER_INVALID"),
        ({"parameters": {"check_health": {"x%s": 1}}}, "PARAMETER_INVALID"),
    ],
)
def test_a_value_that_makes_no_sense_is_found_by_the_chain(
    change: dict[str, Any], code: str, operator: Caller
) -> None:
    for query in ("?dryRun=true", ""):
        answer = operator.post(f"/plans{query}", GOOD | change)
        if query:
            issues = done(answer)["summary"]["issues"]
            assert code in {issue["code"] for issue in issues}
        else:
            assert code in codes(refused(answer, 422, "VALIDATION_FAILED"))
    assert not Plan.objects.exists()
    assert Event.objects.filter(kind=EventKind.PLAN_REFUSED).count() == 1


@pytest.mark.parametrize(
    "endpoint",
    ["file:///etc/passwd", "http://169.254.169.254/latest", "http://192.0.2.1/", "ftp://127.0.0.1"],
)
def test_an_endpoint_outside_the_allowed_networks_is_found(
    endpoint: str, operator: Caller, sandbox: Sandbox
) -> None:
    sandbox.change_tenant("tenant-001", endpoints=[endpoint])
    registry_sync.sync_tenants()
    error = refused(operator.post("/plans", GOOD), 422)
    assert "ENDPOINT_FORBIDDEN" in codes(error)


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", 'it\'s "quoted" \\', "🟦→🟩", "من اليمين", "%s%d"],
)
def test_unusual_names_and_reasons_are_kept_as_they_are(name: str, operator: Caller) -> None:
    plan_id = done(operator.post("/plans", GOOD | {"name": name}), 201)["planId"]
    assert done(operator.get(f"/plans/{plan_id}"))["name"] == name
    assert [p["planId"] for p in done(operator.get("/plans", search=name))["items"]] == [plan_id]
    done(operator.post(f"/plans/{plan_id}/cancel", {"reason": name}))
    assert Event.objects.get(kind=EventKind.PLAN_CANCELLED).reason == name


def test_a_dry_run_that_is_neither_yes_nor_no_is_refused(operator: Caller) -> None:
    refused(operator.post("/plans?dryRun=perhaps", GOOD), 400, "MALFORMED")
    assert not Plan.objects.exists()
