"""Who may see and do what in the admin: every role, every model, every page."""

from collections.abc import Iterator

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from plans import admin, events
from plans.models import (
    ApiToken,
    Direction,
    Environment,
    Event,
    EventKind,
    Journal,
    Plan,
    Renewal,
    RenewalProcess,
    StageRun,
    Task,
    Tenant,
    Wave,
)
from tests.support.driving import OPERATOR

pytestmark = pytest.mark.django_db

ROLES = ("viewer", "operator", "approver", "admin")
AUDITED = (Plan, Wave, Task, StageRun, Event, Tenant, Journal, Renewal, RenewalProcess)
PEOPLE = (User, Group, ApiToken, LogEntry)


@pytest.fixture
def rows() -> dict[type[models.Model], models.Model]:
    """One row of every model that the admin shows."""
    tenant = Tenant.objects.create(
        tenant_id="tenant-001", environment=Environment.BLUE, synced_at=timezone.now()
    )
    journal = Journal.objects.create(name="plan:1")
    plan = Plan.objects.create(
        name="A plan", target="green", max_concurrency=1, journal=journal, created_by="olga"
    )
    wave = Wave.objects.create(plan=plan, index=0, size=1)
    task = Task.objects.create(
        plan=plan, wave=wave, tenant=tenant, position=0, pipeline=[], target={}
    )
    run = StageRun.objects.create(
        task=task,
        stage="read_tenant",
        index=0,
        direction=Direction.FORWARD,
        attempt=1,
        epoch=1,
        started_at=timezone.now(),
    )
    with events.record(plan, OPERATOR) as record:
        record.note(EventKind.TASK_CREATED, task=task, data={"why": ["<b>", 1]})
    person = User.objects.create_user("paula")
    ApiToken.issue(person)
    log = LogEntry.objects.create(user=person, action_flag=2, object_repr="paula")
    now = timezone.now()
    selector = {"kind": "list", "keys": ["a"]}
    renewal = Renewal.objects.create(name="a", selector=selector, ttl={}, interval={})
    process = RenewalProcess.objects.create(name="p", started_at=now, seen_at=now, expires_at=now)
    found = [tenant, journal, plan, wave, task, run, person, log, renewal, process]
    found += [Event.objects.get(), ApiToken.objects.get(), Group.objects.get(name="viewer")]
    return {type(row): row for row in found}


def signed_in(client: Client, role: str) -> Client:
    """`client`, signed in as somebody with `role`; without one as a stranger."""
    user = User.objects.create(username=role or "stranger")
    user.groups.set(Group.objects.filter(name=role))
    client.force_login(user)
    return client


def pages(row: models.Model) -> Iterator[tuple[str, str]]:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
    yield "list", reverse(f"{name}_changelist")
    yield "add", reverse(f"{name}_add")
    yield "detail", reverse(f"{name}_change", args=[row.pk])
    yield "delete", reverse(f"{name}_delete", args=[row.pk])
    yield "history", reverse(f"{name}_history", args=[row.pk])


def open_pages(client: Client, row: models.Model) -> set[str]:
    """Which of the pages of `row` answer; the others refuse."""
    answers = {page: client.get(url).status_code for page, url in pages(row)}
    assert set(answers.values()) <= {200, 403}, answers
    return {page for page, status in answers.items() if status == 200}


def test_the_test_knows_every_model_that_the_admin_shows() -> None:
    assert set(admin.site._registry) == {*AUDITED, *PEOPLE}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("model", AUDITED)
def test_every_role_reads_and_nobody_changes_what_happened(
    client: Client,
    rows: dict[type[models.Model], models.Model],
    role: str,
    model: type[models.Model],
) -> None:
    row = rows[model]
    signed_in(client, role)
    before = model._default_manager.values().get(pk=row.pk)
    assert open_pages(client, row) == {"list", "detail", "history"}
    for page, url in pages(row):
        answer = client.post(url, {"name": "x", "post": "yes", "action": "delete_selected"})
        assert answer.status_code == 403 or page in ("list", "history"), page
    assert model._default_manager.values().get(pk=row.pk) == before


@pytest.mark.parametrize("model", AUDITED)
def test_not_even_a_superuser_changes_what_happened(
    admin_client: Client, rows: dict[type[models.Model], models.Model], model: type[models.Model]
) -> None:
    assert open_pages(admin_client, rows[model]) == {"list", "detail", "history"}


@pytest.mark.parametrize("role", ROLES[:-1])
@pytest.mark.parametrize("model", PEOPLE)
def test_only_the_role_admin_sees_people_and_tokens(
    client: Client,
    rows: dict[type[models.Model], models.Model],
    role: str,
    model: type[models.Model],
) -> None:
    assert open_pages(signed_in(client, role), rows[model]) == set()


def test_the_role_admin_manages_people_and_takes_tokens_back(
    client: Client, rows: dict[type[models.Model], models.Model]
) -> None:
    signed_in(client, "admin")
    assert open_pages(client, rows[User]) == {"list", "add", "detail", "history"}
    assert open_pages(client, rows[Group]) == {"list", "add", "detail", "history"}
    assert open_pages(client, rows[ApiToken]) == {"list", "detail", "delete", "history"}
    assert open_pages(client, rows[LogEntry]) == {"list", "detail", "history"}
    token = rows[ApiToken]
    delete = reverse("admin:plans_apitoken_delete", args=[token.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 302
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("model", [*AUDITED, *PEOPLE])
def test_strangers_are_refused_everywhere(
    client: Client, rows: dict[type[models.Model], models.Model], model: type[models.Model]
) -> None:
    for _, url in pages(rows[model]):
        answer = client.get(url)
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("admin:login"))
    assert open_pages(signed_in(client, ""), rows[model]) == set()
    assert client.get(reverse("admin:index")).status_code == 403


def test_somebody_with_a_role_signs_in_at_the_admin_without_being_staff(client: Client) -> None:
    viewer = User.objects.create_user("vera", password="a good one")
    viewer.groups.add(Group.objects.get(name="viewer"))
    index = reverse("admin:index")
    form = {"username": "vera", "password": "a good one", "next": index}
    answer = client.post(reverse("admin:login"), form)
    assert (answer.status_code, answer["Location"]) == (302, index)
    assert client.get(index).status_code == 200


def test_a_deactivated_user_is_refused(client: Client) -> None:
    signed_in(client, "admin")
    User.objects.update(is_active=False)
    assert client.get(reverse("admin:index")).status_code == 302
