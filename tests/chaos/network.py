"""Machines on one desk: network namespaces around a router, and links that are cut between them.

Nothing here has a name that outlives the process: namespaces are held by open files, so they and
their links are gone when this process and those that it started in them are, however they end.
The host's own network is not touched, and from inside nothing of it can be reached.
"""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNET = 0x40000000
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
SUBNET = "10.77"
EVERYWHERE = f"{SUBNET}.0.0/16"
"""All machines of all networks; each network is a world of its own."""

NOT_HERE = 77
"""With which a program exits that needs a network and cannot make one."""


class NoNetwork(RuntimeError):
    """This machine does not let us make networks; the text says what it refused."""


class Namespace:
    """A network namespace, kept alive by an open file."""

    def __init__(self) -> None:
        home = _own_namespace()
        _call("unshare", CLONE_NEWNET)
        try:
            self._file = _own_namespace()
        finally:
            _enter(home)
            os.close(home)
        self.path = f"/proc/{os.getpid()}/fd/{self._file}"
        self.run("ip", "link", "set", "lo", "up")

    @contextmanager
    def inside(self) -> Iterator[None]:
        """The calling thread is in it meanwhile: sockets that it opens, processes it starts."""
        home = _own_namespace()
        _enter(self._file)
        try:
            yield
        finally:
            _enter(home)
            os.close(home)

    def run(self, *command: str) -> None:
        """Run a program of iproute2 in it; raises NoNetwork with what it printed."""
        with self.inside():
            try:
                done = subprocess.run(command, capture_output=True, text=True, check=False)
            except OSError as error:
                raise NoNetwork(f"{command[0]}: {error.strerror}") from error
        if done.returncode:
            raise NoNetwork(f"{' '.join(command)}: {done.stderr.strip()}")

    def close(self) -> None:
        """Let go of it: it ends with the last process in it."""
        os.close(self._file)


class Machine(Namespace):
    """A namespace with one link to the router; `number` makes its addresses."""

    def __init__(self, name: str, number: int) -> None:
        super().__init__()
        self.name = name
        self.subnet = f"{SUBNET}.{number}.0/24"
        self.address = f"{SUBNET}.{number}.1"
        self.second_address = f"{SUBNET}.{number}.2"
        """For a service that can be cut off apart from those at the first one."""
        self.router_address = f"{SUBNET}.{number}.254"


class Network:
    """Machines by name, each of which reaches all others through one router."""

    def __init__(self, *names: str) -> None:
        """Raises NoNetwork where namespaces, links or rules cannot be made."""
        self._router = Namespace()
        self._machines: dict[str, Machine] = {}
        try:
            with self._router.inside():
                FORWARDING.write_text("1")
        except OSError as error:
            raise NoNetwork(f"{FORWARDING}: {error.strerror}") from error
        for number, name in enumerate(names, 1):
            self._machines[name] = self._connect(Machine(name, number))
        # Tried here, so that who cannot cut is told before anything is started.
        self.cut("192.0.2.1", "192.0.2.2")
        self.heal("192.0.2.1", "192.0.2.2")

    def __getitem__(self, name: str) -> Machine:
        return self._machines[name]

    def cut(self, one: str, other: str) -> None:
        """From now on what `one` and `other` (addresses or subnets) send each other is lost.

        Nobody is told: packets vanish, as with a pulled cable somewhere on the way.
        """
        self._rules("add", one, other)

    def heal(self, one: str, other: str) -> None:
        """Undo a `cut` with the same two."""
        self._rules("del", one, other)

    def slow_down(self, machine: Machine, milliseconds: int) -> None:
        """Delay all that goes to `machine`; raises NoNetwork where the kernel has no netem."""
        delay = ("netem", "delay", f"{milliseconds}ms")
        self._router.run("tc", "qdisc", "add", "dev", machine.name, "root", *delay)

    def close(self) -> None:
        """Let go of everything; the processes in it were ended by who started them."""
        for machine in self._machines.values():
            machine.close()
        self._router.close()

    def _connect(self, machine: Machine) -> Machine:
        peer = ("peer", "name", "eth0", "netns", machine.path)
        self._router.run("ip", "link", "add", machine.name, "type", "veth", *peer)
        self._router.run("ip", "addr", "add", f"{machine.router_address}/24", "dev", machine.name)
        self._router.run("ip", "link", "set", machine.name, "up")
        for address in (machine.address, machine.second_address):
            machine.run("ip", "addr", "add", f"{address}/24", "dev", "eth0")
        machine.run("ip", "link", "set", "eth0", "up")
        machine.run("ip", "route", "add", "default", "via", machine.router_address)
        return machine

    def _rules(self, verb: str, one: str, other: str) -> None:
        for source, target in ((one, other), (other, one)):
            self._router.run("ip", "rule", verb, "blackhole", "from", source, "to", target)


def _own_namespace() -> int:
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _enter(file: int) -> None:
    _call("setns", file, CLONE_NEWNET)


def _call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        raise NoNetwork(f"{name}: {os.strerror(ctypes.get_errno())}")
