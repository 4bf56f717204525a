"""The demo's script: it speaks to Bluegreen through the REST API, as any script would."""

from typing import Any

import httpx

from scripts.demo.supervisor import DemoError

TIMEOUT_SECONDS = 30.0
TASKS_MAX = 100
"""A page of tasks: more than a demo has tenants."""


class ApiError(DemoError):
    """Bluegreen has refused a request, or did not answer; the message says why."""


class Api:
    """The REST API at `address`, as the owner of `token`."""

    def __init__(self, address: str, token: str) -> None:
        self._http = httpx.Client(
            base_url=f"{address}/api",
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )

    def create_plan(
        self,
        name: str,
        tenants: list[str],
        target: str,
        waves: list[dict[str, Any]],
        max_concurrency: int,
    ) -> int:
        """The id of the new plan."""
        plan = {
            "name": name,
            "tenantIds": tenants,
            "executorType": "BLUE_GREEN_SWITCH",
            "target": target,
            "waves": waves,
            "maxConcurrency": max_concurrency,
        }
        return int(self._ask("POST", "/plans", plan)["planId"])

    def start_plan(self, plan_id: int) -> None:
        self._ask("POST", f"/plans/{plan_id}/start", {})

    def state(self, plan_id: int) -> str:
        """The plan's state, as `RUNNING`."""
        return str(self._ask("GET", f"/plans/{plan_id}")["state"])

    def told(self, plan_id: int) -> str:
        """How many of the plan's tasks are in each state, as `59 completed, 1 failed`."""
        counts = self._ask("GET", f"/plans/{plan_id}")["counts"]
        told = [f"{n} {state.lower().replace('_', ' ')}" for state, n in counts.items() if n]
        return ", ".join(told)

    def count_tasks(self, plan_id: int, state: str) -> int:
        """How many of the plan's tasks are in `state`."""
        return int(self._tasks(plan_id, state)["total"])

    def tenants_with(self, plan_id: int, state: str) -> list[str]:
        """The tenants whose task in the plan is in `state`, in its order."""
        return [task["tenantId"] for task in self._tasks(plan_id, state)["items"]]

    def _tasks(self, plan_id: int, state: str) -> dict[str, Any]:
        return self._ask("GET", f"/tasks?planId={plan_id}&state={state}&pageSize={TASKS_MAX}")

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.TransportError as error:
            raise ApiError(f"{method} {path}: {error}") from error
        if not answer.is_success:
            raise ApiError(_why(answer) or f"{method} {path} answered {answer.status_code}.")
        found: dict[str, Any] = answer.json()
        return found


def _why(answer: httpx.Response) -> str:
    """What a refusal says to people, with the first of its details; empty where it is none."""
    try:
        error = answer.json()["error"]
        first = error["details"][:1]
        return " ".join([error["message"], *(detail["message"] for detail in first)])
    except (ValueError, LookupError, TypeError):
        return ""


def tenants_of(ob_service: str) -> list[str]:
    """The ids of the tenants that the sandbox's OB service lists."""
    answer = httpx.get(f"{ob_service}/tenants?limit=1000", timeout=TIMEOUT_SECONDS, trust_env=False)
    return [tenant["tenantId"] for tenant in answer.raise_for_status().json()["items"]]


def slow_down(sandbox: str, seconds: float) -> None:
    """Let the sandbox's gateway take its time for each switch, as a real one does."""
    fault = {"tenant": "*", "step": "gateway.put_route", "kind": "latency", "seconds": seconds}
    url = f"{sandbox}/control/faults"
    httpx.post(url, json=fault, timeout=TIMEOUT_SECONDS, trust_env=False).raise_for_status()
