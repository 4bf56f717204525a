"""Real instances over HTTP, each of which says what a test lets it say."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from tests.clients.raw_server import Connection, RawServer, answer


@dataclass
class Instance:
    """One instance; `says` is called for each request with its number (1, 2, …).

    It gives the bytes of the answer, or None to hang until the test ends.
    """

    says: Callable[[int], bytes | None]
    asked: int = 0
    url: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def play(self, connection: Connection) -> None:
        while connection.request():
            with self._lock:
                self.asked += 1
                number = self.asked
            data = self.says(number)
            if data is None:
                connection.wait_until_gone()
                return
            connection.send(data)


Start = Callable[[Callable[[int], bytes | None]], Instance]


def version(text: str) -> bytes:
    return answer(f'{{"version": "{text}"}}')


@pytest.fixture
def start() -> Iterator[Start]:
    """Start an instance; all of them end with the test."""
    with ExitStack() as stack:

        def start_one(says: Callable[[int], bytes | None]) -> Instance:
            instance = Instance(says)
            instance.url = stack.enter_context(RawServer(instance.play)).url
            return instance

        yield start_one
