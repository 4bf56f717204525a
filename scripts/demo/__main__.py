"""`make demo`: start everything on the loopback, switch 60 tenants, and stay up until Ctrl-C.

PORT names the dashboard's port (default 8000; a busy one gets a free one), DEMO_PASSWORD one
password for all users (default: random ones). REDIS_URL and DATABASE_URL are used when set.
"""

import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import httpx

from bluegreen.embedded_redis import EmbeddedRedis, EmbeddedRedisError
from scripts.demo.api import Api, ApiError, slow_down, tenants_of
from scripts.demo.screen import Bar, say, show_people
from scripts.demo.supervisor import ROOT, Child, DemoError, Supervisor

HOST = "127.0.0.1"
FOLDER = Path(os.environ.get("VAR_DIR") or ROOT / "var").resolve() / "demo"
PEOPLE = ("viewer", "operator", "approver", "admin")
TENANTS = 60
WAVES: list[dict[str, Any]] = [{"size": 1}, {"size": 9}, {"rest": True}]
REGIONS = ("eu", "us", "ap")
CONCURRENCY = 5
GATEWAY_SECONDS = 1.5
"""How long the sandbox's gateway takes for a switch: long enough to watch."""
START_SECONDS = 180.0
POLL_SECONDS = 0.3
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
UNFINISHED = {"CREATED", "RUNNING", "PAUSED", "ROLLING_BACK"}


class Stopped(BaseException):
    """Somebody asked the demo to end; not an Exception, so that nothing swallows it."""


class Demo:
    """One run of the demo, from an empty folder to an empty folder."""

    def __init__(self, port: int) -> None:
        self._reserved = [_reserve(port), _reserve(0)]
        self._port, sandbox_port = (each.getsockname()[1] for each in self._reserved)
        if not sys.platform.startswith("linux"):
            for holder in self._reserved:
                holder.close()
        self._sandbox_url = f"http://{HOST}:{sandbox_port}"
        self._address = f"http://{HOST}:{self._port}"
        self._redis = None if os.environ.get("REDIS_URL") else EmbeddedRedis(FOLDER / "redis")
        fixed = os.environ.get("DEMO_PASSWORD")
        self._people = {name: fixed or secrets.token_urlsafe(9) for name in PEOPLE}
        self._supervisor = Supervisor(self._environment(), FOLDER / "log")

    def run(self) -> NoReturn:
        """Everything, until Stopped is raised by a signal. Raises DemoError."""
        started = time.monotonic()
        api = self._start_all()
        tenants = tenants_of(f"{self._sandbox_url}/ob")
        show_people(self._address, self._people)
        say(f"The sandbox, with faults on demand: {self._sandbox_url}/")
        plan = api.create_plan("Demo switch", tenants, "green", WAVES, CONCURRENCY)
        self._label(tenants)
        say(f"“Demo switch” moves {len(tenants)} tenants to green: {self._address}/plans/{plan}/")
        api.start_plan(plan)
        self._watch(api, plan, len(tenants))
        seconds = round(time.monotonic() - started)
        say(f"“Demo switch” is {api.state(plan)}, {seconds} s after the start: {api.told(plan)}.")
        self._prepare_return(api, plan)
        say(f"Logs: {os.path.relpath(FOLDER / 'log')}/    Ctrl-C ends everything.")
        while True:
            self._look_after()

    def stop(self) -> None:
        """Stop every process and remove every file. Never raises."""
        self._supervisor.stop()
        if self._redis:
            self._redis.stop()

    def _start_all(self) -> Api:
        say("Starting Redis, sandbox, dashboard, two workers, the conductor and renewals …")
        if self._redis:
            self._redis.ensure_running()
        start, sandbox_port = self._supervisor.start, self._sandbox_url.rpartition(":")[2]
        sandbox = start(
            "sandbox", "-m", "sandbox", "--port", sandbox_port, "--tenants", str(TENANTS)
        )
        self._supervisor.run("migrate", "manage.py", "migrate", "--noinput", "--verbosity", "0")
        people = ("-m", "scripts.demo.people")
        token = self._supervisor.run("people", *people, stdin=json.dumps(self._people)).strip()
        self._wait_until_ready(sandbox, f"{self._sandbox_url}/ob/tenants?limit=1")
        slow_down(self._sandbox_url, GATEWAY_SECONDS)
        daphne = ("-m", "daphne", "-b", HOST, "-p", str(self._port))
        web = start("web", *daphne, "bluegreen.asgi:application")
        start("worker-1", "manage.py", "worker")
        start("worker-2", "manage.py", "worker")
        start("conductor", "manage.py", "conductor")
        start("renewals", "manage.py", "renewals")
        self._wait_until_ready(web, f"{self._address}/login/")
        return Api(self._address, token.split()[-1])

    def _label(self, tenants: list[str]) -> None:
        """As many in each ring as a wave holds; regions in turn."""
        rings = ["canary"] + ["early"] * 9
        rows = [
            f"{tenant},{rings[n] if n < len(rings) else 'general'},{REGIONS[n % len(REGIONS)]}"
            for n, tenant in enumerate(tenants)
        ]
        table = "\n".join(["tenantId,ring,region", *rows])
        self._supervisor.run("labels", "manage.py", "label_tenants", "-", stdin=table)

    def _watch(self, api: Api, plan: int, total: int) -> None:
        with Bar("Demo switch", total) as bar:
            is_under_way = True
            while is_under_way:
                self._look_after()
                # A dashboard that was killed answers again once it was started anew.
                with suppress(ApiError):
                    is_under_way = api.state(plan) in UNFINISHED
                    bar.show(api.count_tasks(plan, "COMPLETED"))

    def _prepare_return(self, api: Api, plan: int) -> None:
        """A second plan, of the tenants that were moved: whoever failed is left to be retried."""
        moved = api.tenants_with(plan, "COMPLETED")
        if not moved:
            say("“Back to blue” is left out: no tenant was moved.")
            return
        waves = WAVES if len(moved) == TENANTS else WAVES[-1:]
        try:
            back = api.create_plan("Back to blue", moved, "blue", waves, CONCURRENCY)
        except ApiError as error:
            say(f"“Back to blue” is left out. {error}")
            return
        say(
            f"“Back to blue” stands ready for {len(moved)} tenants:"
            f" {self._address}/plans/{back}/ (sign in as operator, press Start)"
        )

    def _look_after(self) -> None:
        time.sleep(POLL_SECONDS)
        if self._redis:
            self._redis.ensure_running()
        for report in self._supervisor.look_after():
            say(report)

    def _wait_until_ready(self, child: Child, url: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(url):
            if not child.is_running:
                raise DemoError(f"{child.name} did not start:\n{child.log_tail()}")
            if time.monotonic() > deadline:
                raise DemoError(f"{child.name} does not answer at {url}:\n{child.log_tail()}")
            time.sleep(POLL_SECONDS)

    def _environment(self) -> dict[str, str]:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "bluegreen.settings",
            "PYTHONUNBUFFERED": "1",
            "VAR_DIR": str(FOLDER),
            "OB_SERVICE_URL": f"{self._sandbox_url}/ob",
            "GATEWAY_URL": f"{self._sandbox_url}/gateway",
            "INSTANCE_URL_TEMPLATE": "{endpoint}",
            "ALLOWED_ENDPOINT_NETWORKS": "127.0.0.0/8",
            "WORKER_GRACE_SECONDS": "3",
        }
        if not os.environ.get("DATABASE_URL"):
            environment["DATABASE_URL"] = f"sqlite:///{FOLDER / 'demo.sqlite3'}"
        if self._redis:
            environment["REDIS_URL"] = self._redis.url
        if not os.environ.get("TENANT_REDIS_URL"):
            environment["TENANT_REDIS_URL"] = environment["REDIS_URL"]
        return environment


def main() -> int:
    """0 when it was asked to end, 1 when it could not go on."""
    port = _wanted_port()
    os.umask(0o077)  # As the settings of its processes.
    with _alone():
        _remove()
        (FOLDER / "log").mkdir(parents=True)
        demo = Demo(port)
        try:
            for number in ENDINGS:
                signal.signal(number, _stop)
            demo.run()
        except Stopped:
            say("\nStopping …")
            return 0
        except (DemoError, EmbeddedRedisError, httpx.HTTPError) as error:
            say(f"\nThe demo cannot go on. {error}")
            return 1
        finally:
            _heed_no_more()
            demo.stop()
            _remove()
            say("Everything is stopped and removed.")


@contextmanager
def _alone() -> Iterator[None]:
    """One demo at a time in this folder; the lock ends with the process, however that ends."""
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with (FOLDER.parent / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("A demo already runs in this folder.")
        try:
            yield
        finally:
            Path(lock.name).unlink(missing_ok=True)


def _remove() -> None:
    # The Redis of a demo that was killed goes down by itself, and takes its socket along.
    deadline = time.monotonic() + POLL_SECONDS * 10
    while EmbeddedRedis(FOLDER / "redis").is_running() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    shutil.rmtree(FOLDER, ignore_errors=True)


def _wanted_port() -> int:
    wanted = os.environ.get("PORT") or "8000"
    if not (wanted.isdecimal() and len(wanted) < 6 and int(wanted) < 65536):
        sys.exit(f"PORT must be a whole number from 0 to 65535, and is {wanted!r}.")
    return int(wanted)


def _reserve(wanted: int) -> socket.socket:
    """A socket on port `wanted` of the loopback if that is free, else on one that is.

    It keeps the port from others. On Linux a server that sets SO_REUSEADDR, as Twisted's and
    asyncio's do, listens there all the same; elsewhere it must be closed before.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        holder.bind((HOST, wanted))
    except OSError:
        holder.bind((HOST, 0))
    return holder


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).status_code < 500
    except httpx.HTTPError:
        return False


def _stop(number: int, frame: FrameType | None) -> None:
    _heed_no_more()
    raise Stopped


def _heed_no_more() -> None:
    # Stopping is bounded in time: nothing is won by being impatient, and processes could be left.
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
