"""Several machines in a network of their own: who has the data, and who runs Bluegreen."""

import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bluegreen.embedded_redis import find_server
from scripts import private_postgres
from tests.chaos.network import EVERYWHERE, Machine, Network, NoNetwork
from tests.support.environment import FOREIGN
from tests.support.processes import LOG_TAIL_BYTES, RunningProcess
from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_until

REDIS_PORT = 6379
WEB_PORT = 8000
SANDBOX_PORT = 9100
LEASE_SECONDS = 8.0
"""Longer than a busy machine lets a process wait: only who is cut off shall lose its tasks."""
HTTP_TIMEOUT_SECONDS = 8.0
ACCESS = f"local all all trust\nhost all all {EVERYWHERE} trust\n"


class Rig:
    """`data` has PostgreSQL at its first address and Redis at its second; `near` and `far` run
    Bluegreen, `world` the sandbox; this process itself is at `office`."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.network = network
        self.folder = folder
        self.data, self.near, self.far = (network[name] for name in ("data", "near", "far"))
        self.processes: list[RunningProcess] = []
        self.sandbox: Sandbox
        self.environment = {
            "DJANGO_SETTINGS_MODULE": "bluegreen.settings",
            "VAR_DIR": str(folder / "var"),
            "DATABASE_URL": f"postgres://{private_postgres.SUPERUSER}@{self.data.address}/postgres",
            "REDIS_URL": f"redis://{self.data.second_address}:{REDIS_PORT}/0",
            "TENANT_REDIS_URL": f"redis://{self.data.second_address}:{REDIS_PORT}/1",
            "OB_SERVICE_URL": f"http://{network['world'].address}:{SANDBOX_PORT}/ob",
            "GATEWAY_URL": f"http://{network['world'].address}:{SANDBOX_PORT}/gateway",
            "ALLOWED_ENDPOINT_NETWORKS": network["world"].subnet,
            "ALLOWED_HOSTS": self.far.address,
            "SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests-only",
            "LEASE_SECONDS": str(LEASE_SECONDS),
            "HEARTBEAT_SECONDS": "0.5",
            "HTTP_TIMEOUT_SECONDS": str(HTTP_TIMEOUT_SECONDS),
            "HEALTH_INTERVAL_SECONDS": "0.5",
        }

    @property
    def web_url(self) -> str:
        return f"http://{self.far.address}:{WEB_PORT}"

    def web(self, machine: Machine) -> RunningProcess:
        """daphne; it is still starting."""
        options = ("-v", "0", "-b", machine.address, "-p", str(WEB_PORT))
        application = "bluegreen.asgi:application"
        return self.start(machine, "web", sys.executable, "-m", "daphne", *options, application)

    def start(self, machine: Machine, name: str, *command: str) -> RunningProcess:
        """Run a command on a machine, with Bluegreen's environment."""
        name = f"{name}-{machine.name}"
        with machine.inside():
            log = self.folder / f"{name}.log"
            process = RunningProcess(name, list(command), dict(os.environ), log)
        self.processes.append(process)
        return process

    def logs(self) -> str:
        """The end of what each process has printed."""
        return "\n".join(f"--- {p.name}\n{p.log[-LOG_TAIL_BYTES:]}" for p in self.processes)

    def stop(self) -> None:
        """Stop whatever still runs."""
        for process in self.processes:
            process.thaw()
            process.terminate()
        for process in self.processes:
            process.stop()


@contextmanager
def rig() -> Iterator[Rig]:
    """A rig whose database is empty; this process is at its office, and has its environment.

    Raises NoNetwork where it cannot be made. Nothing of it stays.
    """
    programs = private_postgres.find_programs()
    if programs is None:
        raise NoNetwork("there is no PostgreSQL")
    with ExitStack() as stack:
        network = Network("data", "near", "far", "world", "office")
        stack.callback(network.close)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bluegreen-rig-")))
        made = Rig(network, folder)
        stack.enter_context(network["office"].inside())
        for name in FOREIGN:
            os.environ.pop(name, None)
        os.environ.update(made.environment)
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # A browser has a loop in this thread.
        stack.enter_context(_postgres(programs, made))
        stack.callback(made.stop)
        _start_redis(made)
        with network["world"].inside():
            made.sandbox = Sandbox(
                host=network["world"].address,
                port=SANDBOX_PORT,
                redis_url=made.environment["TENANT_REDIS_URL"],
                config_poll_seconds=0.5,
            )
        stack.callback(made.sandbox.stop)
        yield made


@contextmanager
def _postgres(programs: Path, made: Rig) -> Iterator[None]:
    # Where the account that PostgreSQL runs as can read it; the rig's own folder is private.
    with tempfile.NamedTemporaryFile("w", prefix="bluegreen-hba-", dir="/tmp") as access:
        access.write(ACCESS)
        access.flush()
        Path(access.name).chmod(0o644)
        settings = {
            **private_postgres.FAST,
            "listen_addresses": made.data.address,
            "hba_file": access.name,
        }
        with made.data.inside():
            stack = ExitStack()
            stack.enter_context(private_postgres.cluster(programs, settings))
        with stack:
            yield


def _start_redis(made: Rig) -> None:
    address = made.data.second_address
    options = {
        "bind": address,
        "port": str(REDIS_PORT),
        "protected-mode": "no",
        "save": "",
        "dir": str(made.folder),
    }
    words = [part for name, value in options.items() for part in (f"--{name}", value)]
    server = made.start(made.data, "redis", str(find_server(made.folder)), *words)
    wait_until(lambda: answers(address, REDIS_PORT), message=lambda: f"Redis: {server.log}")


def answers(address: str, port: int) -> bool:
    """Whether something takes connections there, for who is where this thread is."""
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True
