"""Run a command with `DATABASE_URL` naming a PostgreSQL cluster that lives only as long.

    python scripts/private_postgres.py COMMAND…

The cluster listens on a unix socket in a private folder and on no port; nothing of it stays. It
trades safety for speed (no fsync). Exits with the command's code, or with 2 when there is no
PostgreSQL.
"""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from urllib.parse import quote

START_TIMEOUT_SECONDS = 30.0
STOP_TIMEOUT_SECONDS = 15.0
POLL_SECONDS = 0.05
PR_SET_PDEATHSIG = 1
SUPERUSER = "bluegreen"
SAFE = {"max_connections": "300", "listen_addresses": ""}
FAST = {**SAFE, "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def main(command: Sequence[str]) -> int:
    """The exit code of `command`, run beside a cluster of its own."""
    if not command:
        print(__doc__, file=sys.stderr)
        return 2
    programs = find_programs()
    if programs is None:
        print(
            "There is no PostgreSQL: initdb is neither on PATH nor in /usr/lib/postgresql/*/bin.\n"
            "On Debian and Ubuntu: apt-get install postgresql",
            file=sys.stderr,
        )
        return 2
    signal.signal(signal.SIGTERM, _leave)
    with cluster(programs) as database_url:
        return subprocess.run(
            command, env={**os.environ, "DATABASE_URL": database_url}, check=False
        ).returncode


def find_programs() -> Path | None:
    """The folder of the newest PostgreSQL's programs."""
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(versions, key=lambda found: float(found.parts[-3]), default=None)
    on_path = shutil.which("initdb")
    found = newest or (Path(on_path).resolve() if on_path else None)
    return found.parent if found else None


class Cluster:
    """A cluster of one's own: its data in a private folder, its server on a unix socket there."""

    def __init__(self, programs: Path, settings: Mapping[str, str] = FAST) -> None:
        self._programs = programs
        self._options = [f"-c{name}={value}" for name, value in settings.items()]
        self._account = _account()
        # Short, since the path of a unix socket is limited to about 100 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="bluegreen-pg-", dir="/tmp"))
        self._data = self.folder / "data"
        self._server: _Program | None = None

    @property
    def url(self) -> str:
        """Its `DATABASE_URL`."""
        return f"postgres://{SUPERUSER}@/postgres?host={quote(str(self.folder))}"

    @property
    def socket_path(self) -> Path:
        """Where the server listens."""
        return self.folder / ".s.PGSQL.5432"

    def create(self) -> None:
        """Make the data; once."""
        if self._account:
            os.chown(self.folder, self._account.pw_uid, self._account.pw_gid)
        initdb: list[str | Path] = [self._programs / "initdb", "-D", self._data, "-U", SUPERUSER]
        initdb += ["-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        _run_as(self._account, initdb, self.folder).wait_well()

    def start(self) -> None:
        """Run the server; returns when it answers. It dies with the thread that starts it."""
        server: list[str | Path] = [self._programs / "postgres", "-D", self._data]
        server += ["-k", self.folder, *self._options]
        self._server = _run_as(self._account, server, self.folder)
        _wait_until_ready(self._programs, self.folder, self._server)

    def stop(self) -> None:
        """End the server in order, if it runs."""
        if self._server:
            self._server.stop()
            self._server = None

    def crash(self) -> None:
        """End the server at once, as immediate mode does: the next start recovers."""
        if self._server:
            self._server.popen.send_signal(signal.SIGQUIT)
            self._server.popen.wait()
            self._server = None

    def remove(self) -> None:
        """Remove the data."""
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def cluster(programs: Path, settings: Mapping[str, str] = FAST) -> Iterator[str]:
    """A running cluster; its `DATABASE_URL`. It is stopped and removed in the end."""
    made = Cluster(programs, settings)
    try:
        made.create()
        made.start()
        yield made.url
    finally:
        made.stop()
        made.remove()


class _Program:
    """A PostgreSQL program, with a log for when it fails."""

    def __init__(self, popen: subprocess.Popen[bytes], log: Path) -> None:
        self.popen = popen
        self._log = log

    def wait_well(self) -> None:
        if self.popen.wait() != 0:
            self.fail("failed")

    def fail(self, what: str) -> None:
        sys.exit(f"PostgreSQL {what}:\n{self._log.read_text(errors='replace')[-4000:]}")

    def stop(self) -> None:
        self.popen.send_signal(signal.SIGINT)  # "fast": it ends sessions and waits for nobody
        try:
            self.popen.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self.popen.send_signal(signal.SIGQUIT)
            self.popen.wait()


def _run_as(
    account: pwd.struct_passwd | None, command: Sequence[str | Path], folder: Path
) -> _Program:
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("wb") as output:
        popen = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            preexec_fn=_end_with_parent,
        )
    return _Program(popen, log)


def _end_with_parent() -> None:
    # After the change of user, which would undo it; this process has one thread, so it is safe.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)


def _account() -> pwd.struct_passwd | None:
    """Whom to become: PostgreSQL refuses to run as root. None when we are somebody else already."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    sys.exit("PostgreSQL does not run as root, and there is neither a user postgres nor nobody.")


def _wait_until_ready(programs: Path, folder: Path, server: _Program) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    ask: list[str | Path] = [programs / "pg_isready", "-q", "-h", folder]
    while subprocess.run(ask, check=False).returncode != 0:
        if server.popen.poll() is not None:
            server.fail("ended at its start")
        if time.monotonic() > deadline:
            server.fail(f"did not answer within {START_TIMEOUT_SECONDS:g} s")
        time.sleep(POLL_SECONDS)


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
