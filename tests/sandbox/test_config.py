"""Instances take their configuration from Redis: on the notice, by the poll, never backwards."""

import json
from pathlib import Path

import httpx
import pytest
import redis

from bluegreen.embedded_redis import EmbeddedRedis
from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_until


def write(
    client: redis.Redis, tenant: str, version: object, color: str = "green", notice: bool = True
) -> None:
    client.hset(f"bg:config:{tenant}", mapping={"version": str(version), "color": color})
    if notice:
        client.publish("bg:config", json.dumps({"tenantId": tenant, "version": str(version)}))


def wait_for_versions(sandbox: Sandbox, tenant: str, versions: list[str]) -> None:
    wait_until(lambda: sandbox.versions(tenant) == versions, message=f"{tenant} at {versions}")


def wait_for_polls(sandbox: Sandbox, polls: int = 2) -> None:
    enough = sandbox.state()["redis"]["polls"] + polls
    wait_until(lambda: sandbox.state()["redis"]["polls"] >= enough)


def test_a_notice_brings_the_new_version_to_every_instance_of_that_tenant_alone(
    sandbox: Sandbox, http: httpx.Client, tenant_redis: redis.Redis
) -> None:
    write(tenant_redis, "tenant-005", 20)
    wait_for_versions(sandbox, "tenant-005", ["20", "20", "20"])
    instances = sandbox.tenant("tenant-005")["instances"]
    assert [each["color"] for each in instances] == ["green"] * 3
    assert http.get("/i/tenant-005/1/health").json() == {"status": "UP", "version": "20"}
    assert http.get("/i/tenant-005/3/config").json() == {"version": "20"}
    assert sandbox.versions("tenant-006") == ["19", "19", "19"]


def test_a_notice_alone_is_enough_long_before_the_poll(tenant_redis: redis.Redis) -> None:
    url = tenant_redis.connection_pool.connection_kwargs["path"]
    database = tenant_redis.connection_pool.connection_kwargs["db"]
    with Sandbox(redis_url=f"unix://{url}?db={database}", config_poll_seconds=600) as sandbox:
        wait_until(lambda: sandbox.state()["redis"]["polls"] >= 1)
        write(tenant_redis, "tenant-001", 20)
        wait_for_versions(sandbox, "tenant-001", ["20", "20", "20"])


def test_the_poll_finds_what_a_lost_notice_missed(
    sandbox: Sandbox, tenant_redis: redis.Redis
) -> None:
    write(tenant_redis, "tenant-060", 21, notice=False)
    wait_for_versions(sandbox, "tenant-060", ["21", "21", "21"])


def test_a_version_never_goes_down(sandbox: Sandbox, tenant_redis: redis.Redis) -> None:
    write(tenant_redis, "tenant-007", 30)
    wait_for_versions(sandbox, "tenant-007", ["30", "30", "30"])
    write(tenant_redis, "tenant-007", 25, "blue")
    tenant_redis.delete("bg:config:tenant-008")
    wait_for_polls(sandbox)
    assert sandbox.versions("tenant-007") == ["30", "30", "30"]
    assert sandbox.tenant("tenant-007")["instances"][0]["color"] == "green"


def test_flushall_leaves_instances_where_they_are(
    sandbox: Sandbox, tenant_redis: redis.Redis
) -> None:
    write(tenant_redis, "tenant-001", 20)
    wait_for_versions(sandbox, "tenant-001", ["20", "20", "20"])
    tenant_redis.flushall()
    wait_for_polls(sandbox)
    assert sandbox.versions("tenant-001") == ["20", "20", "20"]
    write(tenant_redis, "tenant-001", 21)
    wait_for_versions(sandbox, "tenant-001", ["21", "21", "21"])


def test_unusable_configuration_and_notices_do_no_harm(
    sandbox: Sandbox, tenant_redis: redis.Redis
) -> None:
    tenant_redis.set("bg:config:tenant-001", "not a hash")
    write(tenant_redis, "tenant-002", "twenty")
    write(tenant_redis, "tenant-003", "9" * 5000)
    write(tenant_redis, "nobody", 20)
    for notice in (b"{", b"[]", b'{"tenantId": 1}', b"\xff\xfe", b'{"tenantId": "tenant-001"}'):
        tenant_redis.publish("bg:config", notice)
    write(tenant_redis, "tenant-004", 20)
    wait_for_versions(sandbox, "tenant-004", ["20", "20", "20"])
    wait_for_polls(sandbox)
    for tenant in ("tenant-001", "tenant-002", "tenant-003"):
        assert sandbox.versions(tenant) == ["19", "19", "19"]


def test_an_instance_that_does_not_apply_stays_behind_until_the_fault_is_gone(
    sandbox: Sandbox, tenant_redis: redis.Redis
) -> None:
    fault = sandbox.add_fault("tenant-001", "instance.apply", "hang", instance=2)
    write(tenant_redis, "tenant-001", 20)
    wait_for_versions(sandbox, "tenant-001", ["20", "19", "20"])
    wait_for_polls(sandbox)
    assert sandbox.versions("tenant-001") == ["20", "19", "20"]
    sandbox.remove_fault(fault)
    wait_for_versions(sandbox, "tenant-001", ["20", "20", "20"])


def test_an_instance_that_applies_late_applies_once_and_in_the_end(
    sandbox: Sandbox, tenant_redis: redis.Redis
) -> None:
    for tenant, seconds in (("tenant-001", 3600), ("tenant-002", 0.5)):
        sandbox.add_fault(tenant, "instance.apply", "latency", instance=1, seconds=seconds, times=1)
        write(tenant_redis, tenant, 20)
    wait_for_versions(sandbox, "tenant-001", ["19", "20", "20"])
    wait_for_versions(sandbox, "tenant-002", ["20", "20", "20"])
    # What is under way is not begun again, which would be without the delay.
    wait_for_polls(sandbox)
    assert sandbox.versions("tenant-001") == ["19", "20", "20"]


def test_the_ob_service_notes_the_version_in_effect_with_the_status(
    sandbox: Sandbox, http: httpx.Client, tenant_redis: redis.Redis
) -> None:
    write(tenant_redis, "tenant-001", 20)
    wait_for_versions(sandbox, "tenant-001", ["20", "20", "20"])
    assert http.get("/ob/tenants/tenant-001").json()["configVersion"] == "19"
    http.put("/ob/tenants/tenant-001/status", json={"status": "GREEN"})
    assert http.get("/ob/tenants/tenant-001").json()["configVersion"] == "20"


def test_ten_thousand_tenants_are_polled(sandbox: Sandbox, tenant_redis: redis.Redis) -> None:
    sandbox.reset(tenants=10_000, instances=2)
    pipeline = tenant_redis.pipeline(transaction=False)
    for number in range(1, 10_001):
        pipeline.hset(f"bg:config:tenant-{number:03}", mapping={"version": 20, "color": "green"})
    pipeline.execute()
    for tenant in ("tenant-001", "tenant-5000", "tenant-10000"):
        wait_for_versions(sandbox, tenant, ["20", "20"])


@pytest.mark.processes
def test_a_redis_that_went_away_and_came_back_is_used_again(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path / "redis")
    # The sandbox starts first: it must bear a Redis that is not there yet, too.
    with Sandbox(redis_url=server.url, config_poll_seconds=0.2) as sandbox:
        for version in (20, 21):
            wait_until(lambda: not sandbox.state()["redis"]["connected"])
            server.ensure_running()
            wait_until(lambda: sandbox.state()["redis"]["connected"])
            with redis.Redis.from_url(server.url) as client:
                write(client, "tenant-001", version)
            wait_for_versions(sandbox, "tenant-001", [str(version)] * 3)
            server.stop()
