"""People who watch, and their sockets."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from plans import conf
from plans.rendering import alarms
from tests.live.sockets import Sockets


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what a test does is told: nothing is said again because a machine is slow."""
    monkeypatch.setattr(conf, "LIVE_REFRESH_SECONDS", 600.0)
    monkeypatch.setattr(conf, "LIVE_HEARTBEAT_SECONDS", 600.0)
    # Nobody reads the sockets while a test works, and Redis may take its time.
    monkeypatch.setattr(conf, "LIVE_PATIENCE_SECONDS", 600.0)
    monkeypatch.setattr(conf, "LOOK_TIMEOUT_SECONDS", 60.0)
    monkeypatch.setattr(alarms, "_look", alarms._Look())


@pytest.fixture
def sockets(redis_server: str) -> Iterator[Sockets]:
    sockets = Sockets()
    try:
        yield sockets
    finally:
        sockets.stop()


@pytest.fixture
def sign_in(transactional_db: None) -> Callable[..., Client]:
    """Makes a user of a role (or of none) and signs it in."""

    def sign_in(role: str = "viewer") -> Client:
        user = User.objects.create_user(f"{role or 'stranger'}-{User.objects.count()}")
        if role:
            user.groups.add(Group.objects.get(name=role))
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def viewer(sign_in: Callable[..., Client]) -> Client:
    return sign_in("viewer")
