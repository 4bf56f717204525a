"""A service with an address of its own, and a plan whose tenant is to be switched."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from plans import conf
from tests.clients.raw_server import Connection, RawServer, answer


@dataclass
class Billing:
    """A service that keeps what it is told; `says` makes the next answers."""

    url: str = ""
    notices: list[dict[str, Any]] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    on_notice: Callable[[], None] = lambda: None
    body: str = '{"heard": true}'
    status: str = "200 OK"

    def play(self, connection: Connection) -> None:
        while request := connection.request():
            head, _, body = request.partition(b"\r\n\r\n")
            self.on_notice()
            self.heads.append(head.decode())
            self.notices.append(json.loads(body))
            connection.send(answer(self.body, self.status))


@pytest.fixture
def billing() -> Iterator[Billing]:
    """Listens at an address of its own until the test ends."""
    service = Billing()
    with RawServer(service.play) as server:
        service.url = f"{server.url}/hooks"
        yield service


@pytest.fixture
def name_services(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Set `NOTIFY_SERVICES` for this test."""
    return lambda text: monkeypatch.setattr(conf, "NOTIFY_SERVICES", text)
