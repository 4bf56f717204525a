"""Bluegreen as its users meet it: a whole installation, started once for all tests here.

The tests talk to it as people and scripts do, and never look into its database. Each has tenants
of its own, because what one test leaves in the registry the next one finds.
"""

import os
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from tests.acceptance.installed.installation import PASSWORD, Api, Installation
from tests.conftest import WORLD
from tests.support import database
from tests.support.processes import Processes
from tests.support.sandbox import Sandbox


@pytest.fixture(scope="package")
def db(django_db_setup: None) -> None:
    """The test database, which nothing rolls back or empties between tests: processes live on it.

    It takes the place of pytest-django's fixture, by whose name the plugin knows what is needed.
    """


@pytest.fixture(scope="package")
def processes(db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """Real processes on the test database; they live as long as the tests of this folder."""
    env = {**os.environ, "DATABASE_URL": database.url_of(connection.settings_dict)}
    started = Processes(tmp_path_factory.mktemp("processes"), env, WORLD.reserve_port)
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="package")
def installation(
    _sandbox: Sandbox, processes: Processes, django_db_blocker: DjangoDbBlocker
) -> Iterator[Installation]:
    """A web server, two workers and a conductor, beside the sandbox; a user for each role."""
    with django_db_blocker.unblock():
        for role in ("viewer", "operator"):
            User.objects.create_user(role, password=PASSWORD).groups.set(
                Group.objects.filter(name=role)
            )
    yield Installation(processes)
    processes.stop()
    with django_db_blocker.unblock():
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture(scope="package")
def _operator_token(installation: Installation) -> str:
    return installation.token("operator")


@pytest.fixture
def api(installation: Installation, sandbox: Sandbox, _operator_token: str) -> Iterator[Api]:
    """The API, called by an operator with a token from the command line."""
    called = Api(installation.web.url, _operator_token)
    yield called
    called.http.close()
