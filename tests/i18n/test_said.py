"""Refusals, faults and failures in the language of the one who reads them."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from plans import operations
from plans.errors import IllegalTransition, ServiceBadAnswer
from plans.message import Message
from plans.models import Plan
from tests.i18n.conftest import CHINESE
from tests.support.driving import OPERATOR

HAN = re.compile(r"[\u4e00-\u9fff]")

pytestmark = pytest.mark.django_db


def test_a_refusal_of_the_api_is_said_in_the_language_that_was_asked_for(
    operator: Client, plan: Plan
) -> None:
    where = f"/api/plans/{plan.pk}/resume"
    english = refused(operator, where)
    assert english["message"] == f"plan {plan.pk} “秋季” is failed and cannot be resumed."
    chinese = refused(operator, where, **CHINESE)
    assert chinese["message"] == f"计划 {plan.pk}“秋季”处于“失败”状态，不能恢复。"
    assert chinese["code"] == english["code"] == "ILLEGAL_TRANSITION"


def test_what_validation_finds_is_said_in_the_language_that_was_asked_for(
    operator: Client,
) -> None:
    body = {
        "name": "",
        "tenantIds": [],
        "executorType": "BLUE_GREEN_SWITCH",
        "parameters": {"check_health": {"attempts": -1, "patience": 3}},
    }
    found = refused(operator, "/api/plans", body, **CHINESE)
    said = {issue["message"] for issue in found["details"]}
    assert "请给计划起名。" in said
    assert "patience：没有这样的字段。" in said
    assert all(HAN.search(text) for text in said)


def test_why_a_task_of_a_selection_is_skipped_is_said_in_the_language_that_was_asked_for(
    operator: Client, plan: Plan
) -> None:
    answer = operator.post(
        f"/api/plans/{plan.pk}/tasks/cancel",
        json.dumps({"taskIds": [2**63 - 1]}),
        content_type="application/json",
        headers={"sec-fetch-site": "same-origin", **CHINESE},
    )
    assert answer.json()["skipped"][0]["reason"] == "它不是此计划的任务。"


def test_what_goes_into_logs_stays_english_whoever_asks(plan: Plan) -> None:
    with translation.override("zh-hans"), pytest.raises(IllegalTransition) as caught:
        operations.resume_plan(plan.pk, OPERATOR)
    assert str(caught.value) == f"plan {plan.pk} “秋季” is failed and cannot be resumed."
    assert str(caught.value.message) == str(caught.value)
    with translation.override("zh-hans"):
        assert "处于“失败”状态" in str(caught.value.message)


def test_a_stored_message_is_translated_with_the_messages_in_it() -> None:
    cause = Message("%(name)s is neither blue nor green", {"name": "status"})
    error = ServiceBadAnswer("OB_SERVICE", method="GET", url="/tenants/x", cause=cause)
    stored = json.loads(json.dumps(error.message.as_json()))
    with translation.override("zh-hans"):
        read = str(Message.from_json(stored))
    assert read == "OB_SERVICE 对 GET /tenants/x 的应答无法使用：status 既不是 blue 也不是 green。"
    assert Message.from_json(stored).english == str(error)


def refused(client: Client, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
    answer = client.post(
        path,
        json.dumps(body or {}),
        content_type="application/json",
        headers={"sec-fetch-site": "same-origin", **headers},
    )
    error: dict[str, Any] = answer.json()["error"]
    return error
