"""The tests' own tools: other processes see the test's database, and none outlives its test."""

import pytest
from django.contrib.auth.models import User
from django.db import connection

from plans import conf
from tests.support.processes import Processes
from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_until


@pytest.mark.processes
def test_a_started_process_sees_what_the_test_stored(processes: Processes) -> None:
    User.objects.create(username="seen-by-others")
    script = "from django.contrib.auth.models import User; print(User.objects.get().username)"
    process = processes.manage("shell", "-c", script)
    assert process.wait() == 0, process.log
    assert "seen-by-others" in process.log


@pytest.mark.processes
def test_whatever_was_started_is_stopped(processes: Processes) -> None:
    script = "import time; print('up', flush=True); time.sleep(600)"
    frozen = processes.manage("shell", "-c", script)
    frozen.wait_for_log("up")
    frozen.freeze()
    processes.stop()
    assert not frozen.is_running


@pytest.mark.django_db
def test_the_test_database_is_not_in_memory() -> None:
    assert "memory" not in str(connection.settings_dict["NAME"])


def test_waiting_gives_up_with_what_it_waited_for() -> None:
    with pytest.raises(AssertionError, match=r"the moon rises \(last: 0\)"):
        wait_until(lambda: 0, timeout_seconds=0, message="the moon rises")


def test_waiting_returns_what_it_waited_for() -> None:
    answers = iter([None, "", "here"])
    assert wait_until(lambda: next(answers)) == "here"


def test_the_sandbox_is_where_the_settings_say(sandbox: Sandbox) -> None:
    assert sandbox.ob_url == conf.OB_SERVICE_URL
    assert sandbox.gateway_url == conf.GATEWAY_URL
    assert len(sandbox.state()["tenants"]) == 60
