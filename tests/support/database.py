"""The test database, as other processes name it."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import connection


def use_file(settings: dict[str, Any], path: Path) -> None:
    """Let an SQLite test database be a file, that other processes can open, and not memory."""
    if "sqlite" in settings["ENGINE"]:
        settings.setdefault("TEST", {})["NAME"] = str(path)


def end_other_sessions() -> None:
    """Send everybody else away who has the database open: PostgreSQL drops it only then.

    Threads that serve for a process's life keep their connections, as those do that feeds read in.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


def url_of(settings: dict[str, Any]) -> str:
    """`DATABASE_URL` for the database of a connection's settings."""
    if "sqlite" in settings["ENGINE"]:
        return f"sqlite:///{settings['NAME']}"
    user = quote(str(settings["USER"]), safe="")
    if settings["PASSWORD"]:
        user += f":{quote(str(settings['PASSWORD']), safe='')}"
    name = quote(settings["NAME"], safe="")
    host = str(settings["HOST"] or settings.get("OPTIONS", {}).get("host", ""))
    if host.startswith("/"):  # the folder of a unix socket
        return f"postgres://{user}@/{name}?host={quote(host)}"
    port = f":{settings['PORT']}" if settings["PORT"] else ""
    return f"postgres://{user}@{host}{port}/{name}"
