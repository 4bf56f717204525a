"""A sandbox process of these tests' own, reset before each test, and a plain HTTP client."""

import os
from collections.abc import Iterator

import httpx
import pytest
import redis

from tests.support.sandbox import Sandbox


@pytest.fixture(scope="session")
def _sandbox_process(redis_server: str) -> Iterator[Sandbox]:
    with Sandbox(redis_url=os.environ["TENANT_REDIS_URL"], config_poll_seconds=0.2) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_sandbox_process: Sandbox) -> Sandbox:
    _sandbox_process.reset()
    return _sandbox_process


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.url, trust_env=False, timeout=60) as client:
        yield client


@pytest.fixture
def tenant_redis(redis_server: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(os.environ["TENANT_REDIS_URL"]) as client:
        yield client
