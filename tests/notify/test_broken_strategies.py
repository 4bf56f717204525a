"""A strategy of another package that raises what it should not."""

import sys
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from plans.clients.http import Call
from plans.models import Task
from plans.notify import Notice, Recipient, Strategy, registry
from tests.notify.conftest import Billing
from tests.plans.switching import QUICK, switched_plan
from tests.support.driving import work_off
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def wrong() -> NoReturn:
    raise ValueError("a password\0")


@pytest.mark.parametrize(
    ("breaks", "said"), [(wrong, "ValueError"), (lambda: sys.exit(3), "SystemExit")]
)
def test_what_a_strategy_raises_is_its_recipients_failure_and_hides_no_others_answer(
    sandbox: Sandbox,
    billing: Billing,
    monkeypatch: pytest.MonkeyPatch,
    breaks: Callable[[], dict[str, Any]],
    said: str,
) -> None:
    class Broken(Strategy):
        name = "broken"

        def notify(self, recipient: Recipient, notice: Notice, call: Call) -> dict[str, Any]:
            return breaks()

    monkeypatch.setattr(registry, "_strategies", {**registry._strategies, "broken": Broken})
    services = [
        {"name": "billing", "address": billing.url},
        {"name": "crm", "strategy": "broken", "address": billing.url},
    ]
    switched_plan(parameters={**QUICK, "notify_services": {"services": services}})
    work_off()
    failure = Task.objects.get().failure
    assert failure is not None
    assert (failure["errorCode"], failure["stage"]) == ("UNEXPECTED_ERROR", "notify_services")
    assert said in failure["reason"]
    told = {each["service"]: each["told"] for each in failure["message"]["values"]["services"]}
    assert told == {"billing": True, "crm": False}
