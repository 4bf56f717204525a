"""What people and Prometheus see of renewals."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone
from redis import Redis

from plans import conf
from plans.models import Renewal, RenewalProcess
from plans.renewal import tidying
from tests.renewal.conftest import Serve, listed, register
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def viewer(client: Client) -> Client:
    user = User.objects.create_user("vera")
    user.groups.add(Group.objects.get(name="viewer"))
    client.force_login(user)
    return client


def test_the_system_page_and_the_metrics_show_renewals(
    viewer: Client, serve: Serve, tenants: Redis
) -> None:
    assert "No renewal process is alive" in viewer.get("/system/").text
    tenants.set("a", 1, px=50_000)
    tenants.set("lasting", 1)
    register("shown", listed("a", "lasting"))
    register("away", listed("b"))
    serve()
    wait_until(
        lambda: RenewalProcess.objects.filter(renewed__gt=2, skipped__gt=2, keys=3).exists(),
        message="figures are written down",
    )
    RenewalProcess.objects.update(away={"tenants": "Connection refused."})
    page, metrics = viewer.get("/system/").text, viewer.get("/metrics").text
    # A beat may have come between.
    process = RenewalProcess.objects.get()
    assert process.name in page
    assert "shown" in page
    assert "keys kept alive" in page
    assert "bluegreen_renewals 2.0" in metrics
    assert "bluegreen_renewal_processes 1.0" in metrics
    assert "bluegreen_renewal_keys 3.0" in metrics
    assert 'bluegreen_key_renewals_total{outcome="skipped"}' in metrics


def test_that_redis_is_away_is_shown(viewer: Client) -> None:
    now = timezone.now()
    RenewalProcess.objects.create(
        name="here:1:a",
        started_at=now,
        seen_at=now,
        expires_at=now + timedelta(seconds=60),
        due=12,
        away={"tenants": "Connection refused."},
    )
    page, metrics = viewer.get("/system/").text, viewer.get("/metrics").text
    assert "Redis “tenants” is away: Connection refused." in page
    assert "bluegreen_renewal_redis_away 1.0" in metrics
    assert "bluegreen_renewal_keys_due 12.0" in metrics


def test_figures_of_ended_processes_stay_in_the_sums_when_their_rows_go(viewer: Client) -> None:
    long_ago = timezone.now() - timedelta(seconds=conf.RENEWALS_KEPT_SECONDS + 60)
    times = dict.fromkeys(("started_at", "seen_at", "expires_at", "ended_at"), long_ago)
    for number in range(3):
        RenewalProcess.objects.create(name=f"here:{number}:a", renewed=100, **times)
    stopped = register("old", listed("a"))
    kept = register("kept", listed("a"))
    Renewal.objects.filter(pk=stopped.pk).update(stopped_at=long_ago, stop_reason="signal")
    for _ in range(2):
        tidying.tidy()
        assert RenewalProcess.objects.count() == 1
        assert 'key_renewals_total{outcome="renewed"} 300.0' in viewer.get("/metrics").text
    assert list(Renewal.objects.all()) == [kept]
