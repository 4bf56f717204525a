"""Which services are told: as the settings name them, or a plan."""

import threading
from collections.abc import Callable

import pytest
from django.conf import settings
from redis import Redis

from plans import operations
from plans.errors import ValidationFailed
from plans.models import Direction, StageRun, Task, TaskState
from plans.notify import BadServices, Recipient, Service, configured
from plans.stores import notices
from tests.clients.raw_server import Connection, RawServer, answer
from tests.notify.conftest import Billing
from tests.plans.switching import TENANT, hold_old_config, place, switched_plan
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox, calls_of

pytestmark = pytest.mark.django_db(transaction=True)

NameServices = Callable[[str], None]


def test_the_setting_names_services_with_and_without_an_address(
    name_services: NameServices,
) -> None:
    name_services("instances=direct_rpc, billing=redis_rpc@https://billing.example.net/hooks")
    instances, billing = configured()
    assert instances.recipients(["http://a", "http://b", "http://a"]) == [
        Recipient("instances", "direct_rpc", "http://a"),
        Recipient("instances", "direct_rpc", "http://b"),
    ]
    address = "https://billing.example.net/hooks"
    assert billing.recipients(["http://a"]) == [Recipient("billing", "redis_rpc", address)]
    name_services(" none ")
    assert configured() == ()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("billing", "not of the form name=strategy"),
        ("billing=direct_rpc=x", "not of the form"),
        ("billing=pigeon", "There is no strategy pigeon: choose one of direct_rpc, redis_rpc"),
        ("Billing=direct_rpc", "'Billing=direct_rpc': name "),
        ("a=direct_rpc,a=redis_rpc", "'a' stands there twice"),
        ("a=direct_rpc@ftp://x", "must begin with http"),
        ("a=direct_rpc@http://x/?y=1", "must not hold a query"),
    ],
)
def test_a_setting_that_cannot_be_read_is_told_with_its_entry(
    name_services: NameServices, text: str, fault: str
) -> None:
    name_services(text)
    with pytest.raises(BadServices, match=fault):
        configured()


@pytest.mark.parametrize(
    "text",
    [
        "billing=https://olga:s3cret@x.example",
        "billing=direct_rpc@https://olga:s3cret@x.example",
        "billing=direct_rpc@https://olga:12,s3cret@x.example",
        "billing=pigeon@https://olga:s3cret@x.example",
        "billing=direct_rpc@olga:s3cret@x.example",
        "billing=direct_rpc@https:/olga:s3cret@x.example:port",
        "https://olga:s3cret@x.example",
        "olga:s3cret",
    ],
)
def test_a_password_in_a_setting_is_not_told(name_services: NameServices, text: str) -> None:
    name_services(f"instances=direct_rpc,{text}")
    with pytest.raises(BadServices, match=r"^entry [23]") as bad:
        configured()
    assert "s3cret" not in str(bad.value)


def test_a_service_of_the_settings_is_told_beside_the_instances(
    sandbox: Sandbox, billing: Billing, name_services: NameServices
) -> None:
    name_services(f"instances=direct_rpc,billing=direct_rpc@{billing.url}")
    switched_plan()
    work_off()
    task = Task.objects.get()
    assert task.state == TaskState.COMPLETED
    assert billing.notices == [{"tenantId": TENANT, "version": "20", "color": "green"}]
    assert f"Idempotency-Key: {task.pk}-notify_services-forward-1" in billing.heads[0]
    assert "Bluegreen-Fence: 1" in billing.heads[0]
    assert billing.heads[0].startswith("POST /hooks/notify ")
    services = StageRun.objects.get(stage="notify_services").result["services"]
    assert [each["service"] for each in services] == [*["instances"] * 3, "billing"]
    assert services[-1]["answer"] == '{"heard": true}'


def test_a_plan_names_other_services_in_their_place(sandbox: Sandbox, billing: Billing) -> None:
    mine = {"name": "billing", "address": billing.url}
    switched_plan(parameters={"notify_services": {"services": [mine]}})
    work_off()
    assert Task.objects.get().state == TaskState.COMPLETED
    assert len(billing.notices) == 1
    assert calls_of(sandbox.calls(), step="instance.notify") == []


def test_where_no_service_is_named_the_stage_is_skipped_there_and_back(sandbox: Sandbox) -> None:
    hold_old_config()
    switched_plan(parameters={"notify_services": {"services": []}})
    work_off()
    operations.roll_back_task(Task.objects.get().pk, OPERATOR)
    work_off()
    assert Task.objects.get().state == TaskState.ROLLED_BACK
    runs = StageRun.objects.filter(stage="notify_services")
    assert {run.state for run in runs} == {"SKIPPED"}
    assert {run.direction for run in runs} == {Direction.FORWARD, Direction.ROLLBACK}
    assert set(sandbox.versions(TENANT)) == {"32"}


def test_redis_holds_the_notice_before_the_service_is_called(
    sandbox: Sandbox, billing: Billing, name_services: NameServices
) -> None:
    found: list[dict[bytes, bytes]] = []
    with Redis.from_url(settings.TENANT_REDIS_URL) as redis:
        billing.on_notice = lambda: found.append(redis.hgetall(notices.key_of("billing", TENANT)))
        name_services(f"billing=redis_rpc@{billing.url}")
        switched_plan()
        work_off()
    assert Task.objects.get().state == TaskState.COMPLETED
    assert len(billing.notices) == 1
    (notice,) = found
    assert notice.pop(b"updated_at")
    assert notice == {b"version": b"20", b"epoch": b"1", b"color": b"green"}


def test_an_older_notice_is_neither_written_nor_sent(
    sandbox: Sandbox, billing: Billing, name_services: NameServices
) -> None:
    assert notices.leave("billing", TENANT, 90, 1, "green").written
    name_services(f"billing=redis_rpc@{billing.url}")
    switched_plan()
    work_off()
    assert Task.objects.get().failure["errorCode"] == "STALE_VERSION"
    assert billing.notices == []
    assert place(sandbox) == ("blue", "BLUE")


def test_many_services_are_told_at_once(sandbox: Sandbox, name_services: NameServices) -> None:
    together = threading.Barrier(6, timeout=60)

    def play(connection: Connection) -> None:
        connection.request()
        together.wait()
        connection.send(answer())

    with RawServer(play) as server:
        name_services(",".join(f"s{n}=direct_rpc@{server.url}/{n}" for n in range(6)))
        switched_plan()
        work_off()
    assert Task.objects.get().state == TaskState.COMPLETED


def test_an_address_outside_the_allowed_networks_is_not_called(
    sandbox: Sandbox, name_services: NameServices
) -> None:
    name_services("billing=direct_rpc@http://192.0.2.1:8080")
    switched_plan()
    work_off()
    failure = Task.objects.get().failure
    assert failure["errorCode"] == "NOTIFY_REJECTED"
    assert "outside the allowed networks" in failure["reason"]


@pytest.mark.parametrize(
    ("services", "code", "message"),
    [
        ([{"name": "x", "strategy": "pigeon"}], "PARAMETER_INVALID", "no strategy pigeon"),
        ([{"name": "x"}, {"name": "x"}], "PARAMETER_INVALID", "Two services have the name x"),
        ([{"name": "x", "address": "file:///etc"}], "PARAMETER_INVALID", "must begin with http"),
        ([{"name": "x", "address": "http://192.0.2.1"}], "ENDPOINT_FORBIDDEN", "outside the"),
        ([{"name": "x", "adress": "http://127.0.0.1"}], "PARAMETER_INVALID", "no such field"),
    ],
)
def test_a_plan_whose_services_cannot_be_told_is_refused(
    sandbox: Sandbox, services: object, code: str, message: str
) -> None:
    with pytest.raises(ValidationFailed) as refused:
        make_plan([TENANT], parameters={"notify_services": {"services": services}})
    (issue,) = refused.value.summary.errors
    assert issue.code == code
    assert message in issue.message.english
    assert not Task.objects.exists()


def test_a_service_without_an_address_of_its_own_has_no_problem_of_its_own() -> None:
    assert list(Service(name="instances").problems()) == []
