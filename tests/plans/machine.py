"""A machine that does at random what operators, workers, time and the outside world may do."""

from contextlib import suppress
from typing import Any

from django.db.models import Count
from django.db.models.functions import Now
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from plans import operations
from plans.engine import conductor, executor, lease, queue
from plans.engine.clock import in_seconds
from plans.errors import RefusedError
from plans.models import (
    ACTIVE_STATES,
    UNFINISHED_STATES,
    Event,
    EventKind,
    Plan,
    StageRun,
    Task,
)
from plans.validation import PlanRequest, TenantRequest, WaveRequest
from tests.plans.at_rest import (
    assert_nobody_is_stuck,
    assert_tenants_are_where_their_tasks_say,
)
from tests.plans.interrupting import Interruptions
from tests.plans.journals import (
    assert_journals_hold,
    assert_replay_gives_the_present,
    assert_replay_shows_the_present,
)
from tests.plans.moves import (
    FAULTS,
    PARAMETERS,
    PIPELINE,
    PLAN_OPERATIONS,
    PLANS_MAX,
    STAGES,
    TASK_OPERATIONS,
    TENANTS,
    Operation,
    choices,
    dying_before_commit,
    examples,
    places,
)
from tests.support.driving import OPERATOR, WORKER, work_off
from tests.support.sandbox import Sandbox


class SwitchMachine(RuleBasedStateMachine):
    """A handful of tenants, up to three plans, and everything that may happen to them."""

    sandbox: Sandbox

    @initialize(
        concurrency=st.integers(1, 3),
        policy=st.sampled_from(["halt", "continue", "rollback"]),
        broken=st.lists(st.tuples(places, st.sampled_from(FAULTS)), min_size=1, max_size=3),
    )
    def begin(self, concurrency: int, policy: str, broken: list[Any]) -> None:
        prefix = f"m{next(examples)}"
        self.tenants = [f"{prefix}-{n}" for n in range(TENANTS)]
        for tenant in self.tenants:
            self.sandbox.change_tenant(tenant, instances=1)
        self.sandbox.clear_faults()
        self.interruptions = Interruptions()
        self.interruptions.__enter__()
        self.started_at = Plan.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        self.create([0, 1, 2, 3], "green", concurrency, policy, 2, "CONCURRENT")
        for where, fault in broken:
            self.break_the_outside(where, fault)

    # --- Operators ---------------------------------------------------------------------------

    @rule(
        who=st.lists(places, min_size=1, max_size=TENANTS, unique=True),
        aim=st.sampled_from(["blue", "green"]),
        concurrency=st.integers(1, 3),
        policy=st.sampled_from(["halt", "continue", "rollback"]),
        first=st.integers(1, 3),
        mode=st.sampled_from(["CONCURRENT", "FIFO"]),
    )
    def create(
        self, who: list[int], aim: str, concurrency: int, policy: str, first: int, mode: str
    ) -> None:
        busy = self.tasks().filter(state__in=UNFINISHED_STATES)
        taken = set(busy.values_list("tenant_id", flat=True))
        free = [self.tenants[n] for n in who if self.tenants[n] not in taken]
        if len(self.plans()) == PLANS_MAX or not free:
            return
        request = PlanRequest(
            name="Random",
            tenants=tuple(TenantRequest(tenant) for tenant in free),
            executor_type=PIPELINE,
            target=aim,
            waves=(WaveRequest(size=first, mode=mode), WaveRequest(rest=True)),
            max_concurrency=concurrency,
            failure_policy=policy,
            parameters=PARAMETERS,
        )
        with suppress(RefusedError):
            plan = operations.create_plan(request, OPERATOR)
            operations.start_plan(plan.pk, OPERATOR)

    @rule(number=choices)
    def do_what_makes_sense_to_a_task(self, number: int) -> None:
        self.choose(number, self.tasks(), TASK_OPERATIONS)

    @rule(number=choices)
    def do_what_makes_sense_to_a_plan(self, number: int) -> None:
        self.choose(number, self.plans(), PLAN_OPERATIONS)

    def choose(self, number: int, rows: Any, table: dict[Operation, set[str]]) -> None:
        sensible = [
            (op, row) for op, states in table.items() for row in rows if row.state in states
        ]
        if sensible:
            operation, row = sensible[number % len(sensible)]
            with suppress(RefusedError):
                operation(row.pk, OPERATOR)

    @rule(number=choices)
    def try_anything(self, number: int) -> None:
        table = [*((op, row) for op in TASK_OPERATIONS for row in self.tasks())]
        table += [(op, row) for op in PLAN_OPERATIONS for row in self.plans()]
        operation, row = table[number % len(table)]
        with suppress(RefusedError):
            operation(row.pk, OPERATOR)

    @rule(
        stage=st.sampled_from(STAGES),
        operation=st.sampled_from([*list(TASK_OPERATIONS)[:3], *list(PLAN_OPERATIONS)[1:4]]),
    )
    def operate_during_a_stage(self, stage: str, operation: Operation) -> None:
        def act(event: Event) -> None:
            row = event.plan_id if operation in PLAN_OPERATIONS else event.task_id
            with suppress(RefusedError):
                operation(row or 0, OPERATOR)

        self.interruptions.at(EventKind.STAGE_STARTED, act, stage=stage)

    # --- Workers, Redis and time -------------------------------------------------------------

    @rule(number=choices)
    def work_on_one(self, number: int) -> None:
        due = list(lease.runnable().filter(plan__gt=self.started_at).order_by("pk"))
        if due:
            executor.run(due[number % len(due)].pk, WORKER)

    @rule()
    def work_on_all_that_is_due(self) -> None:
        self.conduct()
        for _ in range(3):
            self.let_time_pass()
            for task in lease.runnable().filter(plan__gt=self.started_at):
                executor.run(task.pk, WORKER)

    @rule(number=choices, stages=st.integers(1, 5))
    def kill_a_worker(self, number: int, stages: int) -> None:
        with dying_before_commit(stages):
            self.work_on_one(number)
        self.tasks().filter(lease_owner=WORKER).update(lease_expires_at=in_seconds(-1))

    @rule(what=st.sampled_from(["deliver again", "lose every ring", "conduct"]))
    def disturb_or_conduct(self, what: str) -> None:
        if what == "deliver again":
            self.deliver_every_job_again()
        elif what == "lose every ring":
            with queue.connect() as client:
                client.delete(queue.QUEUE_KEY)
        else:
            self.conduct()

    def deliver_every_job_again(self) -> None:
        for task in self.tasks().exclude(pk__in=lease.runnable()):
            before = Event.objects.filter(task=task).count()
            executor.run(task.pk, WORKER)
            assert Event.objects.filter(task=task).count() == before

    def conduct(self) -> None:
        conductor.ring_due()
        conductor.settle_active()

    def let_time_pass(self) -> None:
        self.tasks().filter(wake_at__isnull=False).update(wake_at=Now())

    # --- The outside -------------------------------------------------------------------------

    @rule(where=places, fault=st.sampled_from(FAULTS))
    def break_the_outside(self, where: int, fault: tuple[str, dict[str, Any]]) -> None:
        step, what = fault
        self.sandbox.add_fault(self.tenants[where], step, **what)

    @rule()
    def mend_the_outside(self) -> None:
        self.sandbox.clear_faults()

    # --- What always holds -------------------------------------------------------------------

    @invariant()
    def a_tenant_is_in_one_unfinished_task_at_most(self) -> None:
        unfinished = Task.objects.filter(state__in=UNFINISHED_STATES).values("tenant")
        assert not unfinished.annotate(tasks=Count("pk")).filter(tasks__gt=1).order_by().exists()

    @invariant()
    def the_journals_tell_the_present(self) -> None:
        if hasattr(self, "started_at"):
            assert_journals_hold(self.started_at)
            assert_replay_gives_the_present(self.started_at)
            for plan in self.plans():
                assert_replay_shows_the_present(plan, whole=False)

    @invariant()
    def no_more_run_than_may(self) -> None:
        for plan in self.plans():
            admitted = plan.tasks.filter(admitted=True)
            assert admitted.count() <= plan.max_concurrency
            for wave in plan.waves.filter(mode="FIFO"):
                assert admitted.filter(wave=wave).count() <= 1

    @invariant()
    def who_does_nothing_holds_nothing(self) -> None:
        for task in self.tasks().exclude(state__in=ACTIVE_STATES):
            held = (task.admitted, task.lease_owner, task.control, task.wake_at)
            assert held == (False, "", "", None), f"{task} is {task.state} and holds {held}"
            assert not StageRun.objects.filter(task=task, finished_at=None).exists()
            assert not StageRun.objects.filter(task=task, state="RUNNING").exists()

    # --- The end -----------------------------------------------------------------------------

    def teardown(self) -> None:
        if not hasattr(self, "interruptions"):
            return
        try:
            self.come_to_rest()
            assert_nobody_is_stuck(self.plans(), self.tasks())
            assert_tenants_are_where_their_tasks_say(self.sandbox, self.tenants)
            for check in (self.the_journals_tell_the_present, self.who_does_nothing_holds_nothing):
                check()
        finally:
            self.interruptions.__exit__(None)

    def come_to_rest(self) -> None:
        self.sandbox.clear_faults()
        self.interruptions.forget()
        for _ in range(20):
            conductor.settle_active()
            self.let_time_pass()
            for task in lease.runnable():
                executor.run(task.pk, WORKER)
            if not Task.objects.filter(admitted=True).exists():
                conductor.settle_active()
                if not Task.objects.filter(admitted=True).exists():
                    break
        work_off()

    # --- Readings ----------------------------------------------------------------------------

    def plans(self) -> list[Plan]:
        since = getattr(self, "started_at", 10**9)
        return list(Plan.objects.filter(pk__gt=since).order_by("pk"))

    def tasks(self) -> Any:
        since = getattr(self, "started_at", 10**9)
        return Task.objects.filter(plan__gt=since).order_by("pk").select_related("plan")
