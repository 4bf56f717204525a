"""Operators who create plans, and pause, resume, cancel, retry and roll back at random."""

import random
import threading
from typing import Any, Self

import httpx

from tests.chaos.diary import Diary

TIMEOUT_SECONDS = 30.0
UNAVAILABLE = 503
PLANS_AT_ONCE = 3
TENANTS_PER_PLAN = (6, 14)
CONCURRENCY = (2, 6)
UNFINISHED_PLANS = ("CREATED", "RUNNING", "PAUSED", "ROLLING_BACK")
UNFINISHED_TASKS = ("PENDING", "RUNNING", "PAUSED", "ROLLING_BACK")
PLAN_VERBS = {
    "RUNNING": ("pause", "cancel", "rollback"),
    "PAUSED": ("resume", "cancel", "rollback"),
    "FAILED": ("retry", "rollback"),
    "COMPLETED": ("rollback",),
    "CANCELLED": ("rollback",),
    "ROLLBACK_FAILED": ("rollback",),
}
TASK_VERBS = {
    "PENDING": ("cancel",),
    "RUNNING": ("pause", "cancel"),
    "PAUSED": ("resume", "rollback", "cancel"),
    "FAILED": ("retry", "rollback"),
    "CANCELLED": ("rollback",),
    "COMPLETED": ("rollback",),
    "ROLLED_BACK": ("retry",),
    "ROLLBACK_FAILED": ("rollback",),
}
"""What makes sense in a state."""
HARSH = {"cancel", "rollback"}
HARSH_SHARE = 0.25
"""Most of what operators do lets plans go on, or there would soon be nothing to break."""


class Operators:
    """They act over the REST API, as scripts do; what is refused, or finds nobody, is counted.

    `urls` are web servers, one as good as the other.
    """

    def __init__(
        self, urls: list[str], token: str, tenants: list[str], chance: random.Random, diary: Diary
    ) -> None:
        self._urls = urls
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )
        self._tenants = tenants
        self._chance = chance
        self._diary = diary
        self._number = 0

    def work(self, over: threading.Event, pause_seconds: float = 0.5) -> None:
        """Do something now and then until it is over."""
        while not over.wait(self._chance.uniform(0.3, 1.7) * pause_seconds):
            self.act()

    def act(self) -> None:
        """One thing that makes sense; a plan for free tenants when few are under way."""
        plans = self._list("/plans")
        if plans is None:
            return
        unfinished = [plan for plan in plans if plan["state"] in UNFINISHED_PLANS]
        if len(unfinished) < PLANS_AT_ONCE and self._create():
            return
        if created := [plan for plan in plans if plan["state"] == "CREATED"]:
            self._ask("plans", created[0]["planId"], "start")
            return
        kind = self._chance.choice(("plans", "tasks", "tasks"))
        if kind == "plans":
            choices = [
                (plan["planId"], verb)
                for plan in plans
                for verb in PLAN_VERBS.get(plan["state"], ())
            ]
        else:
            choices = [
                (task["taskId"], verb)
                for task in self._list("/tasks") or ()
                for verb in TASK_VERBS.get(task["state"], ())
            ]
        is_harsh = self._chance.random() < HARSH_SHARE
        choices = [choice for choice in choices if (choice[1] in HARSH) == is_harsh]
        if choices:
            self._ask(kind, *self._chance.choice(choices))

    def let_go_on(self) -> None:
        """Resume every paused plan and start what nobody has started."""
        for plan in self._list("/plans") or ():
            verb = {"PAUSED": "resume", "CREATED": "start"}.get(plan["state"])
            if verb:
                self._ask("plans", plan["planId"], verb)

    def create_and_start(self, tenants: list[str], **more: Any) -> int | None:
        """The new plan's id; None where it was refused or nobody answered."""
        self._number += 1
        draft = {
            "name": f"Chaos {self._number}",
            "tenantIds": tenants,
            "executorType": "BLUE_GREEN_SWITCH",
            **more,
        }
        answer = self._send("POST", "/plans", json=draft)
        if answer is None or answer.status_code != 201:
            self._diary.act("create: refused" if answer is not None else "create: nobody answered")
            return None
        plan_id = int(answer.json()["planId"])
        self._diary.act("create: done")
        self._ask("plans", plan_id, "start")
        return plan_id

    def _create(self) -> bool:
        lists = [self._list("/tasks", state) for state in UNFINISHED_TASKS]
        busy = {task["tenantId"] for tasks in lists for task in tasks or ()}
        free = [tenant for tenant in self._tenants if tenant not in busy]
        low, high = TENANTS_PER_PLAN
        if len(free) < low:
            return False
        chosen = self._chance.sample(free, min(len(free), self._chance.randint(low, high)))
        policy = self._chance.choice(("halt", "continue", "continue", "rollback"))
        mode = self._chance.choice(("CONCURRENT", "CONCURRENT", "FIFO"))
        plan_id = self.create_and_start(
            chosen,
            target=self._chance.choice(("blue", "green")),
            maxConcurrency=self._chance.randint(*CONCURRENCY),
            failurePolicy=policy,
            waves=[{"size": 2, "mode": mode}, {"rest": True}],
        )
        return plan_id is not None

    def _ask(self, kind: str, which: int, verb: str) -> None:
        answer = self._send("POST", f"/{kind}/{which}/{verb}")
        what = f"{kind} {verb}"
        if answer is None:
            self._diary.act(f"{what}: nobody answered")
        elif answer.is_success:
            self._diary.act(f"{what}: done")
        else:
            self._diary.act(f"{what}: {answer.status_code}")

    def _list(self, path: str, state: str = "") -> list[dict[str, Any]] | None:
        """None where nobody answers."""
        answer = self._send("GET", path, params={"pageSize": "500", "state": state})
        if answer is None or not answer.is_success:
            self._diary.act(f"GET {path}: {answer.status_code if answer else 'nobody answered'}")
            return None
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response | None:
        try:
            answer = self._http.request(method, f"{self._urls[0]}/api{path}", **request)
        except httpx.HTTPError:
            self._urls = [*self._urls[1:], self._urls[0]]  # The next one may live.
            return None
        if answer.status_code >= 500 and answer.status_code != UNAVAILABLE:
            self._diary.tell(f"{method} {path} answered {answer.status_code}: {answer.text[:200]}")
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *ending: object) -> None:
        self._http.close()
