"""What can be broken: one function a fault, in a list; each returns when all is as it was."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.diary import Diary
from tests.chaos.installation import LEASE_SECONDS, Installation, Member

FROZEN_SECONDS = LEASE_SECONDS + 2
AWAY_SECONDS = 20.0


class NotHere(Exception):
    """This fault cannot be made on this machine or with this database; the message says why."""


@dataclass
class Scene:
    """Where a fault happens: what there is, what chooses, and what is written down."""

    site: Installation
    chance: random.Random
    diary: Diary
    over: threading.Event
    away_seconds: float = AWAY_SECONDS

    def wait(self, seconds: float) -> None:
        """Let it last; ends early when the whole run does."""
        self.over.wait(seconds)

    def one(self, kind: str) -> Member:
        """Somebody of a kind."""
        return self.chance.choice(self.site.of_kind(kind))


Fault = Callable[[Scene], None]
REGISTRY: dict[str, list[tuple[str, Fault]]] = {}
"""The faults by lane: those of one lane happen one after another, lanes side by side."""


def fault(lane: str, name: str) -> Callable[[Fault], Fault]:
    """Register a fault."""

    def register(strike: Fault) -> Fault:
        REGISTRY.setdefault(lane, []).append((name, strike))
        return strike

    return register
