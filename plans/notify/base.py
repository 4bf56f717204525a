"""What a strategy is: one way of telling a service that a tenant is going elsewhere."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from plans.canonical import storable_text
from plans.clients.address import shown, written_problems
from plans.clients.http import Call
from plans.clients.network import check_endpoint
from plans.errors import StageError
from plans.message import Message

ANSWER_MAX_CHARS = 200


@dataclass(frozen=True)
class Notice:
    """What a service is told: the tenant, where it belongs, its configuration's version."""

    tenant_id: str
    version: int
    environment: str


@dataclass(frozen=True)
class Recipient:
    """One address of one service; a service that is the tenant's instances has several."""

    service: str
    strategy: str
    address: str

    @property
    def key(self) -> str:
        """What it is found by in stored results."""
        return f"{self.service} {self.address}"


@dataclass(frozen=True)
class NotifyResult:
    """What became of telling one recipient: its answer, or the error of the last try."""

    recipient: Recipient
    tries: int
    answer: dict[str, Any] | StageError

    @property
    def error(self) -> StageError | None:
        """Why it is not told; None when it is."""
        return self.answer if isinstance(self.answer, StageError) else None

    def as_json(self) -> dict[str, Any]:
        """As it is stored: `service`, `address`, `strategy`, `told`, `tries`, `answer`, `code`.

        `answer` is the beginning of the JSON text that came back, `code` the error's.
        """
        told = not isinstance(self.answer, StageError)
        text = json.dumps(self.answer, ensure_ascii=False) if told and self.answer else ""
        return {
            "service": self.recipient.service,
            "address": storable_text(shown(self.recipient.address)),
            "strategy": self.recipient.strategy,
            "told": told,
            "tries": self.tries,
            "answer": storable_text(text[:ANSWER_MAX_CHARS]),
            "code": "" if self.error is None else self.error.code,
        }


class Strategy:
    """One way of telling a service; registered by its name (`plans.notify.registry`).

    It may be called again with the same notice, and from several threads at once.
    """

    name: ClassVar[str]

    def notify(self, recipient: Recipient, notice: Notice, call: Call) -> dict[str, Any]:
        """Tell one recipient; returns the JSON object that it answers, maybe an empty one.

        Fails by a `StageError`. `call` goes with every request; who writes by other means calls
        `call.before()` right before, which refuses once the lease is lost.
        """
        raise NotImplementedError

    def address_problems(self, address: str, *, look_up: bool) -> Sequence[Message]:
        """What speaks against `address`. Names are looked up in the network only if asked to."""
        return check_endpoint(address) if look_up else written_problems(address)
