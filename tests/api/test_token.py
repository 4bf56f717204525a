"""`manage.py token create USER`."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

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
