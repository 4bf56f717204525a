"""The test database, as other processes name it."""

from pathlib import Path
from typing import Any
from urllib.parse import quote


def use_file(settings: dict[str, Any], path: Path) -> None:
    """Let an SQLite test database be a file, that other processes can open, and not memory."""
    if "sqlite" in settings["ENGINE"]:
        settings.setdefault("TEST", {})["NAME"] = str(path)


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
