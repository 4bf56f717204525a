"""What every answer of the API must look like."""

from typing import Any

FIELDS_OF_A_DETAIL = {"tenantId", "severity", "code", "field", "message"}


def refused(answer: Any, status: int, code: str | None = None) -> dict[str, Any]:
    """Assert that `answer` is a refusal in the agreed shape; its `error`."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.content[:600]!r}"
    assert answer.headers["Content-Type"].startswith("application/json")
    body = answer.json()
    assert set(body) == {"error"}
    error: dict[str, Any] = body["error"]
    assert set(error) == {"code", "message", "details"}
    assert error["message"]
    assert all(set(detail) == FIELDS_OF_A_DETAIL for detail in error["details"])
    if code is not None:
        assert error["code"] == code
    return error


def done(answer: Any, status: int = 200) -> dict[str, Any]:
    """Assert success; the body."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.content[:600]!r}"
    body: dict[str, Any] = answer.json()
    return body


def codes(error: dict[str, Any]) -> set[str]:
    """The codes of the details."""
    return {detail["code"] for detail in error["details"]}


def fields(error: dict[str, Any]) -> set[str]:
    """The fields that the details name."""
    return {detail["field"] for detail in error["details"]}
