"""All processes of an installation, and the API as a script calls it."""

from typing import Any

import httpx

from tests.support.processes import Processes, WebProcess
from tests.support.waiting import wait_until

PASSWORD = "a password only for tests"
WORKERS = 2
WAIT_SECONDS = 120.0
# Short, so that a service that hangs is seen to hang soon; the others must be heard in it.
HTTP_TIMEOUT_SECONDS = "10"


class Installation:
    """A web server, two workers, a conductor. Workers may still be starting: queues wait."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        for _ in range(WORKERS):
            processes.worker(HTTP_TIMEOUT_SECONDS=HTTP_TIMEOUT_SECONDS)
        processes.conductor(HTTP_TIMEOUT_SECONDS=HTTP_TIMEOUT_SECONDS)
        self.web: WebProcess = processes.web(HTTP_TIMEOUT_SECONDS=HTTP_TIMEOUT_SECONDS)

    def token(self, user: str) -> str:
        """A new API token, from the last word of `manage.py token create`."""
        command = self._processes.manage("token", "create", user)
        assert command.wait(WAIT_SECONDS) == 0, command.log
        return command.log.split()[-1]


class Api:
    """The REST API, called by the bearer of `token`."""

    def __init__(self, url: str, token: str) -> None:
        self.http = httpx.Client(
            base_url=f"{url}/api",
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=WAIT_SECONDS,
        )

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """What is there; the answer's body."""
        return self._done(self.http.get(path, params=query), 200)

    def post(self, path: str, body: object = None, status: int = 200) -> dict[str, Any]:
        """A command that must succeed; the answer's body. `body` None sends none."""
        return self._done(self.http.post(path, **self._sent(body)), status)

    def refused(self, path: str, body: object, status: int, code: str) -> dict[str, Any]:
        """A command that must be refused; its `error`."""
        answer = self.http.post(path, **self._sent(body))
        error: dict[str, Any] = self._done(answer, status)["error"]
        assert error["code"] == code, error
        return error

    def wait_for(self, path: str, **fields: Any) -> dict[str, Any]:
        """Ask again until the answer has these `fields`; the answer."""

        def arrived() -> dict[str, Any] | None:
            shown = self.get(path)
            return shown if fields.items() <= shown.items() else None

        found = wait_until(
            arrived, WAIT_SECONDS, lambda: f"{path} has {fields}; it is {self.get(path)}"
        )
        assert found is not None
        return found

    def tasks(self, plan_id: int) -> dict[str, int]:
        """The task ids of a plan by tenant id."""
        items = self.get("/tasks", planId=plan_id, pageSize=500)["items"]
        return {task["tenantId"]: task["taskId"] for task in items}

    @staticmethod
    def _sent(body: object) -> dict[str, Any]:
        return {} if body is None else {"json": body}

    @staticmethod
    def _done(answer: httpx.Response, status: int) -> dict[str, Any]:
        assert answer.status_code == status, f"{answer.status_code} {answer.text[:600]}"
        value: dict[str, Any] = answer.json()
        return value
