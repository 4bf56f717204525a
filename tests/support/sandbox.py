"""The sandbox as a process of the tests' own, and readings of its record of calls."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from math import inf
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from bluegreen import die_with_parent

ROOT = Path(__file__).resolve().parents[2]
READY = "sandbox ready on "
START_SECONDS = 120.0
STOP_SECONDS = 10.0
# The first of these begins a tenant's switch as the outside sees it.
WRITES = ("gateway.put_route", "instance.notify", "ob.put_status")

Call = dict[str, Any]


class Sandbox:
    """A running `python -m sandbox`; it dies with the process (and thread) that made it.

    `port` 0 takes a free one. `redis_url` None: what the environment names, if it names one.
    Raises RuntimeError if it does not listen within START_SECONDS.
    """

    def __init__(
        self,
        port: int = 0,
        tenants: int = 60,
        instances: int = 3,
        start: str = "blue",
        redis_url: str | None = None,
        config_poll_seconds: float = 2.0,
        host: str = "127.0.0.1",
    ) -> None:
        options = {
            "--host": host,
            "--port": port,
            "--tenants": tenants,
            "--instances": instances,
            "--start": start,
            "--config-poll-seconds": config_poll_seconds,
        }
        if redis_url is not None:
            options["--redis-url"] = redis_url
        words = [str(word) for option in options.items() for word in option]
        self._process = subprocess.Popen(
            die_with_parent.wrap([sys.executable, "-m", "sandbox", *words], signal.SIGKILL),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            self.url = self._wait_until_ready()
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        self._http = httpx.Client(base_url=self.url, trust_env=False, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; minus the signal's number when a signal ended it."""
        return self._process.poll()

    @property
    def ob_url(self) -> str:
        return f"{self.url}/ob"

    @property
    def gateway_url(self) -> str:
        return f"{self.url}/gateway"

    def state(self) -> dict[str, Any]:
        """`{"tenants": {id: {…}}, "fences", "faults", "lastCall", "redis"}`."""
        return self._ask("GET", "/control/state")

    def tenant(self, tenant_id: str) -> dict[str, Any]:
        """`status`, `route`, `configVersion`, `fence`, `instances` (`version`, `color`), …"""
        answer = self._ask("GET", "/control/state", params={"tenant": tenant_id})
        found: dict[str, Any] = answer["tenants"][tenant_id]
        return found

    def route(self, tenant_id: str) -> str:
        """`blue` or `green`, as the gateway has it."""
        return str(self.tenant(tenant_id)["route"])

    def status(self, tenant_id: str) -> str:
        """`BLUE` or `GREEN`, as the OB service has it."""
        return str(self.tenant(tenant_id)["status"])

    def versions(self, tenant_id: str) -> list[str]:
        """The configuration version that each instance has in effect."""
        return [each["version"] for each in self.tenant(tenant_id)["instances"]]

    def last_call(self) -> int:
        """The number of the newest call, for `calls(after=…)`."""
        return int(self._ask("GET", "/control/calls", params={"after": 10**17})["last"])

    def calls(self, after: int = 0, tenant: str | None = None) -> list[Call]:
        """Recorded calls with a number above `after`, oldest first."""
        found: list[Call] = []
        following: int | None = after
        while following is not None:
            params = {"after": following} | ({"tenant": tenant} if tenant else {})
            answer = self._ask("GET", "/control/calls", params=params)
            found += answer["items"]
            following = answer["next"]
        return found

    def add_fault(self, tenant: str, step: str, kind: str, **more: Any) -> int:
        """Put a fault in; its id. `more`: instance, times, seconds, code, retry_after, field,
        version, as `sandbox.faults` describes them. `tenant` "*" means all."""
        fault = {"tenant": tenant, "step": step, "kind": kind, **more}
        return int(self._ask("POST", "/control/faults", json=fault)["id"])

    def faults(self) -> list[dict[str, Any]]:
        """Those that are still active."""
        found: list[dict[str, Any]] = self._ask("GET", "/control/faults")["items"]
        return found

    def remove_fault(self, fault_id: int) -> None:
        self._ask("DELETE", f"/control/faults/{fault_id}")

    def clear_faults(self) -> None:
        self._ask("DELETE", "/control/faults")

    def enforce_fences(self, enforced: bool = True) -> None:
        self._ask("POST", "/control/fences", json={"enforced": enforced})

    def change_tenant(self, tenant_id: str, **fields: Any) -> None:
        """Make or change a tenant: name, status, route, configVersion, endpoints, instances."""
        self._ask("PUT", f"/control/tenants/{tenant_id}", json=fields)

    def reset(
        self, tenants: int | None = None, instances: int | None = None, start: str | None = None
    ) -> None:
        """New tenants (None: as at the start), no faults, no fences, an empty record."""
        wanted = {"tenants": tenants, "instances": instances, "start": start}
        given = {name: value for name, value in wanted.items() if value is not None}
        self._ask("POST", "/control/reset", json=given)

    def stop(self) -> None:
        """SIGTERM, then SIGKILL if it does not heed it."""
        if hasattr(self, "_http"):
            self._http.close()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        answer = self._http.request(method, path, **request)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        value: dict[str, Any] = answer.json()
        return value

    def _wait_until_ready(self) -> str:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        deadline = time.monotonic() + START_SECONDS
        text = b""
        while b"\n" not in text:
            readable, _, _ = select.select([pipe], [], [], max(0, deadline - time.monotonic()))
            part = os.read(pipe, 4096) if readable else b""
            if not part:
                raise RuntimeError(f"The sandbox does not listen; it printed {text!r}.")
            text += part
        line = text.decode().splitlines()[0]
        if not line.startswith(READY):
            raise RuntimeError(f"The sandbox began with {line!r}.")
        return line.removeprefix(READY)


def calls_of(
    calls: Iterable[Call], tenant: str | None = None, step: str | None = None
) -> list[Call]:
    """The calls of one tenant, of one step, or of both."""
    return [
        call
        for call in calls
        if (tenant is None or call["tenant"] == tenant) and (step is None or call["step"] == step)
    ]


def switches(calls: Iterable[Call]) -> list[tuple[float, float]]:
    """Begin and end (monotonic seconds) of each tenant's switches, as the outside saw them.

    One begins with a tenant's first write call and ends when `PUT status` was answered with
    success. One that never got there ends with the tenant's last recorded call.
    """
    begun: dict[str, float] = {}
    last: dict[str, float] = {}
    found: list[tuple[float, float]] = []
    for call in calls:
        tenant = call["tenant"]
        if tenant is None:
            continue
        if call["step"] in WRITES:
            begun.setdefault(tenant, call["started"])
        end = inf if call["ended"] is None else call["ended"]
        last[tenant] = max(end, last.get(tenant, end))
        if call["step"] == "ob.put_status" and call["status"] == 200:
            found.append((begun.pop(tenant), end))
    return found + [(start, last[tenant]) for tenant, start in begun.items()]


def max_in_flight(calls: Iterable[Call]) -> int:
    """How many tenants were being switched at the same moment, at most."""
    return _most_at_once(switches(calls))


def _most_at_once(intervals: Sequence[tuple[float, float]]) -> int:
    # At the same instant an end counts before a beginning.
    changes = sorted([(begin, 1) for begin, _ in intervals] + [(end, -1) for _, end in intervals])
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most
