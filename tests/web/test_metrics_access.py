"""Who may read the metrics."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from plans.models import ApiToken
from tests.web.test_metrics import with_token

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", ["viewer", "operator", "approver", "admin"])
def test_every_role_reads_them_by_token_and_by_session(role: str) -> None:
    user = User.objects.create_user(role)
    user.groups.add(Group.objects.get(name=role))
    by_session = Client()
    by_session.force_login(user)
    for client in (by_session, with_token(ApiToken.issue(user))):
        answer = client.get("/metrics")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        assert "# TYPE bluegreen_tasks gauge" in answer.text
        assert client.head("/metrics").status_code == 200
        assert client.post("/metrics").status_code == 405


def test_nobody_and_who_may_not_view_plans_read_nothing() -> None:
    stranger = User.objects.create_user("stranger")
    left = User.objects.create_superuser("left", is_active=False)
    signed_in = Client()
    signed_in.force_login(User.objects.create_superuser("root"))
    answers = {
        "nobody": Client().get("/metrics"),
        "a wrong token": with_token("bg_wrong").get("/metrics"),
        "an empty token": with_token("").get("/metrics"),
        "odd bytes": with_token("\x00\u00ff").get("/metrics"),
        "one who left": with_token(ApiToken.issue(left)).get("/metrics"),
        "a wrong token in a session": signed_in.get(
            "/metrics", headers={"Authorization": "bearer bg_wrong"}
        ),
        # A server takes the space away.
        "no token in a session": signed_in.get("/metrics", headers={"Authorization": "Bearer"}),
    }
    assert {who: answer.status_code for who, answer in answers.items()} == dict.fromkeys(
        answers, 401
    )
    assert answers["nobody"].headers["WWW-Authenticate"].startswith("Bearer")
    refused = with_token(ApiToken.issue(stranger)).get("/metrics")
    assert refused.status_code == 403
    assert all("bluegreen_tasks" not in answer.text for answer in (*answers.values(), refused))
