"""What a web process keeps open: nothing of a request that has been answered."""

import os
import urllib.request

import pytest

from tests.support.processes import Processes
from tests.support.waiting import wait_until

REQUESTS = 60


@pytest.mark.processes
def test_a_request_leaves_no_connection_to_the_database_behind(processes: Processes) -> None:
    web = processes.web()

    def visit(times: int) -> None:
        for _time in range(times):
            # Whose session that is, the database is asked.
            asks = urllib.request.Request(
                f"{web.url}/login/",
                headers={"Cookie": "sessionid=abcdefghijklmnopqrstuvwx12345678"},
            )
            with urllib.request.urlopen(asks, timeout=60) as answer:
                assert answer.status == 200

    def open_files() -> int:
        return len(os.listdir(f"/proc/{web.pid}/fd"))

    visit(5)
    before = open_files()
    visit(REQUESTS)
    # The last one may still be ending; each that stayed would have one file or more.
    wait_until(lambda: open_files() <= before + 3, message="requests leave nothing open")
