"""`manage.py token create USER`."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from plans import conf
from plans.models import ApiToken
from tests.api.checks import done
from tests.api.conftest import Caller, make_user

pytestmark = pytest.mark.django_db


def created(*arguments: str) -> str:
    output = StringIO()
    call_command("token", *arguments, stdout=output)
    return output.getvalue()


def test_the_last_word_is_a_token_that_works() -> None:
    make_user("viewer")
    token = created("create", "viewer").split()[-1]
    done(Caller(token).get("/plans"))
    assert token not in str(list(ApiToken.objects.values()))


def test_a_user_may_have_several_tokens() -> None:
    make_user("viewer")
    assert created("create", "viewer") != created("create", "viewer")
    assert ApiToken.objects.count() == 2


def test_an_unknown_or_inactive_user_gets_none() -> None:
    user = make_user("viewer")
    user.is_active = False
    user.save()
    with pytest.raises(CommandError, match="no user “nobody”"):
        created("create", "nobody")
    with pytest.raises(CommandError, match="not active"):
        created("create", "viewer")
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("arguments", [(), ("create",), ("drop", "viewer")])
def test_wrong_arguments_are_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        created(*arguments)


def test_a_scope_allows_less_than_its_user_and_never_more() -> None:
    make_user("approver")
    make_user("viewer")
    plan = "/plans/1000000"
    viewing = Caller(created("create", "approver", "--scope", "view").split()[-1])
    operating = Caller(created("create", "approver", "--scope", "operate").split()[-1])
    everything = Caller(created("create", "approver").split()[-1])
    raised = Caller(created("create", "viewer", "--scope", "operate").split()[-1])
    for caller in (viewing, operating, everything, raised):
        done(caller.get("/plans"))
    statuses = {
        verb: [
            caller.post(f"{plan}/{verb}").status_code
            for caller in (viewing, operating, everything, raised)
        ]
        for verb in ("start", "approve")
    }
    assert statuses == {"start": [403, 404, 404, 403], "approve": [403, 403, 404, 403]}


def test_an_expired_token_is_refused() -> None:
    make_user("viewer")
    caller = Caller(created("create", "viewer", "--days", "1").split()[-1])
    done(caller.get("/plans"))
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert caller.get("/plans").status_code == 401
    assert "expired" in created("list")


def test_a_revoked_token_is_refused_and_stays_in_the_list() -> None:
    make_user("viewer")
    token = created("create", "viewer", "--label", "nightly report").split()[-1]
    number = ApiToken.objects.get().pk
    assert f"Token {number} is revoked." in created("revoke", str(number))
    assert Caller(token).get("/plans").status_code == 401
    listed = created("list", "viewer")
    assert "revoked" in listed
    assert "nightly report" in listed
    assert token not in listed
    with pytest.raises(CommandError, match="no token"):
        created("revoke", str(number))


def test_the_last_use_is_known_to_the_minute_without_a_write_for_each_call() -> None:
    make_user("viewer")
    caller = Caller(created("create", "viewer").split()[-1])
    assert "last used never" in created("list")
    done(caller.get("/plans"))
    first = ApiToken.objects.get().last_used_at
    done(caller.get("/plans"))
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=conf.TOKEN_USE_SECONDS + 1))
    done(caller.get("/plans"))
    assert ApiToken.objects.get().last_used_at >= first


@pytest.mark.parametrize("days", ["0", "-1", "nan", "99999", "soon"])
def test_a_nonsensical_number_of_days_is_refused(days: str) -> None:
    make_user("viewer")
    with pytest.raises(CommandError):
        created("create", "viewer", f"--days={days}")
    assert not ApiToken.objects.exists()
