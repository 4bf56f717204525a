"""`manage.py ack`: what Redis holds, what each instance reports, and the exit code."""

import json
import threading

import pytest
from django.test import override_settings

from plans.models import Tenant
from plans.stores import tenant_config
from tests.commands.conftest import Manage
from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db

TENANT = "tenant-001"


@pytest.fixture
def in_effect(sandbox: Sandbox, manage: Manage) -> int:
    """The version that Redis holds and all three instances have."""
    manage("sync_tenants")
    tenant_config.write(TENANT, 40, 1, "blue", {})
    wait_until(lambda: sandbox.versions(TENANT) == ["40"] * 3)
    return 40


def test_all_that_agree_end_with_nought(manage: Manage, in_effect: int) -> None:
    ended = manage("ack", TENANT)
    assert ended.code == 0
    assert "Redis holds version 40 for tenant-001 (blue, " in ended.out
    assert ended.out.count("latest") == 3
    assert ended.out.endswith("3 of 3 instances report version 40.\n")


def test_one_that_is_behind_ends_with_one_and_is_named(
    manage: Manage, sandbox: Sandbox, in_effect: int
) -> None:
    sandbox.add_fault(TENANT, "instance.config", "wrong_version", version="7", instance=2)
    sandbox.add_fault(TENANT, "instance.config", "garbage", instance=3)
    ended = manage("ack", TENANT, "--json")
    found = json.loads(ended.out)
    assert ended.code == 1
    assert (found["expected"], found["agreed"]) == ("40", False)
    assert found["redis"]["version"] == "40"
    assert found["counts"] == {"latest": 1, "outdated": 1, "silent": 1}
    assert [(each["status"], each["version"], each["error"]) for each in found["instances"]] == [
        ("latest", "40", None),
        ("outdated", "7", None),
        ("silent", None, "INSTANCE_BAD_ANSWER"),
    ]


def test_a_version_that_is_expected_may_be_named_and_waited_for(
    manage: Manage, in_effect: int
) -> None:
    assert manage("ack", TENANT, "--version", 41).code == 1
    later = threading.Timer(0.3, tenant_config.write, (TENANT, 41, 1, "blue", {}))
    later.start()
    assert manage("ack", TENANT, "--version", 41, "--wait", 60).code == 0
    later.join()


def test_where_redis_holds_nothing_the_ob_services_word_is_expected(
    manage: Manage, sandbox: Sandbox
) -> None:
    manage("sync_tenants")
    ended = manage("ack", TENANT)
    assert ended.code == 0
    assert "Redis holds nothing for tenant-001." in ended.out
    assert "3 of 3 instances report version 19." in ended.out


def test_an_unknown_tenant_and_a_redis_that_is_away_end_with_one(
    manage: Manage, sandbox: Sandbox
) -> None:
    ended = manage("ack", "nobody")
    assert (ended.code, ended.out) == (1, "")
    assert "knows no tenant nobody" in ended.err
    manage("sync_tenants")
    with override_settings(TENANT_REDIS_URL="redis://:secret@127.0.0.1:1/0"):
        ended = manage("ack", TENANT)
    assert (ended.code, ended.out) == (1, "")
    assert "Redis cannot be reached" in ended.err
    assert "secret" not in ended.err


def test_an_instance_outside_the_allowed_networks_is_not_asked(
    manage: Manage, sandbox: Sandbox
) -> None:
    manage("sync_tenants")
    Tenant.objects.filter(pk=TENANT).update(endpoints=["http://169.254.169.254/latest"])
    found = json.loads(manage("ack", TENANT, "--json").out)
    assert found["instances"] == [
        {
            "endpoint": "http://169.254.169.254/latest",
            "status": "silent",
            "version": None,
            "error": "INSTANCE_REJECTED",
        }
    ]
