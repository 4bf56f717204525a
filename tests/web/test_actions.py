"""Operations from the pages: done, refused, said."""

import pytest
from django.test import Client

from plans import operations
from plans.models import Event, Plan, PlanState, Task, TaskState
from tests.support.driving import OPERATOR
from tests.web.conftest import FAILED_FIELDS, MakePlan, stand

HTMX = {"HX-Request": "true"}


def test_a_plan_is_started_with_who_and_why(operator: Client, make_plan: MakePlan) -> None:
    plan = make_plan()
    answer = operator.post(f"/plans/{plan.pk}/start/", {"seen": "CREATED", "reason": "It is time"})
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/plans/{plan.pk}/"
    assert Plan.objects.get().state == PlanState.RUNNING
    event = Event.objects.get(kind="plan.started")
    assert (event.actor, event.reason) == ("olga", "It is time")


def test_what_has_changed_since_one_looked_is_refused(
    operator: Client, make_plan: MakePlan
) -> None:
    plan = make_plan()
    operations.start_plan(plan.pk, OPERATOR)
    answer = operator.post(f"/plans/{plan.pk}/cancel/", {"seen": "CREATED"})
    assert answer.status_code == 409
    assert "has changed since you looked: it is now running" in answer.text
    assert Plan.objects.get().state == PlanState.RUNNING


@pytest.mark.parametrize(
    ("came_from", "back"),
    [
        ("http://testserver/plans/7/?state=FAILED", "http://testserver/plans/7/?state=FAILED"),
        ("https://elsewhere.example/", "/"),
        ("", "/"),
    ],
)
def test_a_refusal_leads_back_to_the_page_of_ours_that_asked(
    came_from: str, back: str, operator: Client, make_plan: MakePlan
) -> None:
    plan = make_plan()
    answer = operator.post(
        f"/plans/{plan.pk}/pause/", {"seen": "RUNNING"}, headers={"Referer": came_from}
    )
    assert f'href="{back}">Look again' in answer.text


def test_every_page_of_a_plan_is_marked_in_the_bar(operator: Client, make_plan: MakePlan) -> None:
    plan = make_plan()
    here = f"/plans/{plan.pk}/"
    task = plan.tasks.first()
    assert task is not None
    pages = ("", "events/", "replay/", "start/", "tasks/retry/?scope=all")
    for address in (*(f"{here}{page}" for page in pages), f"/tasks/{task.pk}/", "/plans/new/"):
        text = operator.get(address).text
        assert '<a href="/plans/" aria-current="page">' in text, address
        assert text.count('aria-current="page"') == 1, address


def test_what_holds_a_task_is_said_in_whole_sentences(
    operator: Client, make_plan: MakePlan
) -> None:
    plan = make_plan(1)
    operations.start_plan(plan.pk, OPERATOR)
    task = plan.tasks.get()
    operations.pause_task(task.pk, OPERATOR)
    text = operator.get(f"/tasks/{task.pk}/").text
    assert 'resumes it. <span class="soft">Since' in text


def test_htmx_gets_a_refusal_as_an_alert(operator: Client, make_plan: MakePlan) -> None:
    plan = make_plan()
    answer = operator.post(f"/plans/{plan.pk}/pause/", {"seen": "CREATED"}, headers=HTMX)
    assert answer.status_code == 409
    assert answer.headers["HX-Retarget"] == "#alerts"
    assert 'role="alert"' in answer.text
    assert "<html" not in answer.text


def test_doing_it_twice_changes_nothing_more(operator: Client, make_plan: MakePlan) -> None:
    plan = make_plan()
    operator.post(f"/plans/{plan.pk}/start/", {"seen": "CREATED"})
    before = Event.objects.count()
    assert operator.post(f"/plans/{plan.pk}/start/", {"seen": "RUNNING"}).status_code == 409
    assert Event.objects.count() == before


@pytest.mark.parametrize("reason", ["x" * 1001, "a\x00b", "a\u202eb"])
def test_a_reason_that_cannot_be_kept_is_refused(
    reason: str, operator: Client, make_plan: MakePlan
) -> None:
    plan = make_plan()
    answer = operator.post(f"/plans/{plan.pk}/start/", {"seen": "CREATED", "reason": reason})
    assert answer.status_code == 400
    assert Plan.objects.get().state == PlanState.CREATED


def test_a_confirmation_says_the_blast_radius(operator: Client, make_plan: MakePlan) -> None:
    plan = make_plan(3, max_concurrency=2)
    text = operator.get(f"/plans/{plan.pk}/start/", headers=HTMX).text
    assert "3 tenants will be switched to green, at most 2 at once." in text
    assert "Reversible" in text
    assert 'name="seen" value="CREATED"' in text
    assert "<html" not in text
    whole = operator.get(f"/plans/{plan.pk}/start/")
    assert whole.status_code == 200
    assert "<html" in whole.text


def test_a_retry_of_the_plan_counts_apart_what_was_rolled_back(
    operator: Client, make_plan: MakePlan
) -> None:
    plan = make_plan(4)
    operations.start_plan(plan.pk, OPERATOR)
    tasks = list(Task.objects.filter(plan=plan))
    stand(tasks[:1], TaskState.FAILED, **FAILED_FIELDS)
    stand(tasks[1:3], TaskState.ROLLED_BACK, **FAILED_FIELDS | {"cursor": 0, "reached": 0})
    text = operator.get(f"/plans/{plan.pk}/retry/", headers=HTMX).text
    assert "1 failed tenant is tried again towards green." in text
    assert "2 that had failed and were rolled back are tried again, too." in text


def test_a_failed_plan_without_failed_tenants_offers_to_begin_the_rest(
    operator: Client, make_plan: MakePlan
) -> None:
    plan = make_plan(3)
    stand(Task.objects.filter(plan=plan)[:1], TaskState.COMPLETED)
    Plan.objects.filter(pk=plan.pk).update(state=PlanState.FAILED)
    assert "Begin the rest" in operator.get(f"/plans/{plan.pk}/").text
    text = operator.get(f"/plans/{plan.pk}/retry/", headers=HTMX).text
    assert "Begin the rest: <bdi>Autumn</bdi>" in text
    assert "2 pending are handed out again." in text
    assert "tried again" not in text


def test_a_confirmation_of_what_is_impossible_says_why(
    operator: Client, make_plan: MakePlan
) -> None:
    text = operator.get(f"/plans/{make_plan().pk}/resume/", headers=HTMX).text
    assert "The plan is created." in text
    assert 'name="reason"' not in text


def test_above_a_threshold_the_name_is_typed(
    operator: Client, make_plan: MakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plans.queries.blast.TYPED_NAME_ABOVE_TENANTS", 2)
    plan = make_plan(3, name="Autumn")
    where = f"/plans/{plan.pk}/start/"
    assert 'name="typed_name"' in operator.get(where).text
    assert operator.post(where, {"seen": "CREATED", "typed_name": "autumn"}).status_code == 400
    assert operator.post(where, {"seen": "CREATED", "typed_name": "Autumn"}).status_code == 302


def test_a_task_is_cancelled(operator: Client, make_plan: MakePlan) -> None:
    task = Task.objects.filter(plan=make_plan())[0]
    answer = operator.post(f"/tasks/{task.pk}/cancel/", {"seen": "PENDING"}, follow=True)
    assert "is now cancelled" in answer.text
    assert Task.objects.get(pk=task.pk).state == TaskState.CANCELLED


def test_a_task_is_retried_from_scratch_only_when_asked(
    operator: Client, make_plan: MakePlan
) -> None:
    plan = make_plan(2)
    operations.start_plan(plan.pk, OPERATOR)
    first, second = Task.objects.filter(plan=plan)
    stand([first, second], TaskState.FAILED, admitted=False, **FAILED_FIELDS)
    operator.post(f"/tasks/{first.pk}/retry/", {"seen": "FAILED", "from_checkpoint": "1"})
    operator.post(f"/tasks/{second.pk}/retry/", {"seen": "FAILED", "from_checkpoint": "0"})
    cursors = Task.objects.filter(plan=plan).order_by("position").values_list("cursor", flat=True)
    assert list(cursors) == [3, 0]


def test_what_a_failed_plan_has_not_begun_is_cancelled_in_the_table(
    operator: Client, make_plan: MakePlan
) -> None:
    plan = make_plan(3)
    tasks = list(Task.objects.filter(plan=plan))
    stand(tasks[:1], TaskState.COMPLETED)
    Plan.objects.filter(pk=plan.pk).update(state=PlanState.FAILED)
    text = operator.get(f"/plans/{plan.pk}/cancel/", headers=HTMX).text
    assert "cancel its pending tasks in the table, or roll the plan back" in text
    refused = operator.post(f"/plans/{plan.pk}/cancel/", {"seen": "FAILED"})
    assert refused.status_code == 409
    assert "is failed and cannot be cancelled. Cancel its pending tasks" in refused.text
    where = f"/plans/{plan.pk}/tasks/cancel/"
    selection = f"PENDING:{tasks[1].pk},{tasks[2].pk}"
    assert operator.post(where, {"selection": selection}).status_code == 200
    states = Task.objects.order_by("position").values_list("state", flat=True)
    assert list(states) == ["COMPLETED", "CANCELLED", "CANCELLED"]


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("?from_checkpoint=1", "Continue from checkpoint: switch route"),
        ("?from_checkpoint=0", "Start over from: read tenant"),
        ("", "Continue from checkpoint: switch route"),
    ],
)
def test_a_retry_keeps_its_name_in_the_confirmation(
    asked: str, name: str, operator: Client, make_plan: MakePlan
) -> None:
    plan = make_plan(1)
    operations.start_plan(plan.pk, OPERATOR)
    stand(Task.objects.all(), TaskState.FAILED, admitted=False, **FAILED_FIELDS)
    text = operator.get(f"/tasks/{Task.objects.get().pk}/retry/{asked}", headers=HTMX).text
    assert f'<h2 id="dialog-title">{name}: tenant-0001' in text
    assert f"{name}</button>" in text


def test_a_selection_is_confirmed_then_acted_on_exactly(
    operator: Client, make_plan: MakePlan
) -> None:
    plan = make_plan(4)
    tasks = list(Task.objects.filter(plan=plan))
    stand(tasks[:1], TaskState.COMPLETED)
    listed = ",".join(str(task.pk) for task in tasks[:3])
    where = f"/plans/{plan.pk}/tasks/cancel/"
    text = operator.get(where, {"scope": "page", "listed": listed}).text
    pinned = f"PENDING:{tasks[1].pk},{tasks[2].pk}"
    assert f'name="selection" value="{pinned}"' in text
    assert "1 other is in a state" in text
    Task.objects.filter(pk=tasks[2].pk).update(state=TaskState.COMPLETED)
    answer = operator.post(where, {"selection": pinned})
    assert "1 done" in answer.text
    assert "1 skipped" in answer.text
    assert "has changed since you looked" in answer.text
    states = list(Task.objects.filter(plan=plan).values_list("state", flat=True))
    assert states == ["COMPLETED", "CANCELLED", "COMPLETED", "PENDING"]


def test_all_that_match_are_more_than_the_page(operator: Client, make_plan: MakePlan) -> None:
    plan = make_plan(60)
    page = operator.get(f"/plans/{plan.pk}/").text
    assert "50 on this page" in page
    assert "all 60 that match" in page
    text = operator.get(f"/plans/{plan.pk}/tasks/cancel/?scope=all&state=PENDING").text
    assert "60 tasks selected" in text


@pytest.mark.parametrize(
    "selection", ["", "PENDING:", "PENDING:x", "1,,2", "'; DROP", "PENDING:" + "9" * 30]
)
def test_a_selection_that_cannot_be_read_is_refused(
    selection: str, operator: Client, make_plan: MakePlan
) -> None:
    plan = make_plan()
    answer = operator.post(f"/plans/{plan.pk}/tasks/cancel/", {"selection": selection})
    assert answer.status_code == 400
    assert Task.objects.filter(state=TaskState.PENDING).count() == 3


def test_a_task_of_another_plan_is_not_touched(operator: Client, make_plan: MakePlan) -> None:
    first = make_plan(1)
    task = Task.objects.get()
    operations.cancel_plan(first.pk, OPERATOR)
    second = make_plan(1)
    Task.objects.filter(pk=task.pk).update(state=TaskState.COMPLETED)
    operator.post(f"/plans/{second.pk}/tasks/rollback/", {"selection": f"COMPLETED:{task.pk}"})
    assert Task.objects.get(pk=task.pk).state == TaskState.COMPLETED
