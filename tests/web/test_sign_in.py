"""Signing in: who guesses waits, whoever else does not."""

import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.utils import timezone

from plans import conf
from plans.models import SignInCount
from plans.operations import sign_in
from plans.rendering.sign_in_form import address_of

HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture(autouse=True)
def olga(db: None) -> User:
    # A quick hash: these tests are not about passwords.
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        user = User.objects.create_user("olga", password="right")
        user.groups.add(Group.objects.get(name="viewer"))
        yield user


def attempt(
    name: str = "olga", password: str = "wrong", address: str = HERE, path: str = "/login/"
) -> HttpResponse:
    return Client(REMOTE_ADDR=address).post(path, {"username": name, "password": password})


def is_in(answer: HttpResponse) -> bool:
    return answer.status_code == 302


def let_time_pass(seconds: float) -> None:
    for count in SignInCount.objects.all():
        count.last_at -= timedelta(seconds=seconds)
        if count.refused_until:
            count.refused_until -= timedelta(seconds=seconds)
        count.save()


def guess_until_refused(path: str = "/login/") -> HttpResponse:
    for _try in range(conf.SIGN_IN_TRIES):
        answer = attempt(path=path)
        assert answer.status_code == 200
    return attempt(password="right", path=path)


def test_after_five_wrong_passwords_also_the_right_one_waits_and_is_told_how_long() -> None:
    refused = guess_until_refused()
    assert refused.status_code == 429
    seconds = int(refused.headers["Retry-After"])
    assert 0 < seconds <= conf.SIGN_IN_WAIT_SECONDS
    assert f"Wait {seconds} seconds, then try again." in refused.text
    assert "_auth_user_id" not in refused.wsgi_request.session


def test_the_page_of_the_admin_is_no_way_around() -> None:
    refused = guess_until_refused("/admin/login/")
    assert "Too many tries" in refused.text
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= conf.SIGN_IN_WAIT_SECONDS
    assert attempt(password="right").status_code == 429


def test_after_the_wait_the_right_password_is_taken_and_the_count_forgotten() -> None:
    guess_until_refused()
    let_time_pass(conf.SIGN_IN_WAIT_SECONDS)
    assert is_in(attempt(password="right"))
    assert not SignInCount.objects.exclude(key__startswith="address:").exists()


def test_each_further_wrong_password_doubles_the_wait_up_to_its_limit() -> None:
    guess_until_refused()
    waits = []
    for _try in range(7):
        let_time_pass(conf.SIGN_IN_WAIT_MAX_SECONDS)
        assert attempt().status_code == 200
        waits.append(int(attempt().headers["Retry-After"]))
    # Each is more than half of what it was, however long the machine took to tell.
    assert waits[0] in range(31, 61)
    assert waits[1] in range(61, 121)
    assert max(waits) <= conf.SIGN_IN_WAIT_MAX_SECONDS
    assert waits[-1] > conf.SIGN_IN_WAIT_MAX_SECONDS / 2


def test_a_guesser_elsewhere_does_not_lock_the_owner_out() -> None:
    for _try in range(conf.SIGN_IN_TRIES + 1):
        answer = attempt(address=ELSEWHERE)
    assert answer.status_code == 429
    assert is_in(attempt(password="right"))


def test_one_address_cannot_try_many_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "SIGN_IN_ADDRESS_TRIES", 8)
    answers = [attempt(name=f"name-{number}").status_code for number in range(10)]
    assert answers == [200] * 8 + [429] * 2
    assert is_in(attempt(password="right", address=ELSEWHERE))


def test_one_name_cannot_be_tried_from_many_addresses_and_its_owner_waits_a_minute_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(conf, "SIGN_IN_NAME_TRIES", 4)
    for number in range(20):
        attempt(address=f"203.0.113.{number}")
        let_time_pass(conf.SIGN_IN_NAME_WAIT_MAX_SECONDS)
    attempt(address="203.0.113.200")
    refused = attempt(password="right")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) <= conf.SIGN_IN_NAME_WAIT_MAX_SECONDS


def test_a_name_is_the_same_in_other_letters_and_is_not_stored() -> None:
    for name in ("olga", "OLGA", " Olga ", "ｏｌｇａ", "oLGA"):
        attempt(name=name)
    assert attempt(password="right").status_code == 429
    assert "olga" not in str(list(SignInCount.objects.values())).casefold()


def test_an_unknown_name_waits_like_a_known_one() -> None:
    answers = [attempt(name="nobody").status_code for _try in range(conf.SIGN_IN_TRIES + 1)]
    assert answers == [200] * conf.SIGN_IN_TRIES + [429]


def test_redis_is_not_asked() -> None:
    with override_settings(REDIS_URL="redis://127.0.0.1:9/0"):
        assert is_in(attempt(password="right"))
        assert guess_until_refused().status_code == 429


def test_old_tries_are_forgotten_and_their_rows_removed() -> None:
    attempt(name="somebody else", address=ELSEWHERE)
    let_time_pass(conf.SIGN_IN_FORGET_SECONDS + 1)
    attempt()
    assert SignInCount.objects.count() == 3
    assert (
        SignInCount.objects.filter(last_at__gte=timezone.now() - timedelta(minutes=5)).count() == 3
    )


@pytest.mark.django_db(transaction=True)
def test_many_tries_at_once_are_no_way_around() -> None:
    admitted: list[bool] = []

    def guess() -> None:
        admitted.append(not sign_in.admit("olga", HERE))
        connection.close()

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sum(admitted), len(admitted)) == (conf.SIGN_IN_TRIES, 12)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "10.9.9.9", HERE),
        (1, "10.9.9.9, 203.0.113.5", "203.0.113.5"),
        (2, "10.9.9.9, 203.0.113.5, 10.0.0.1", "203.0.113.5"),
        (1, "", HERE),
        (1, "nonsense", "unknown"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (1, "::ffff:203.0.113.5", "203.0.113.5"),
    ],
)
def test_the_address_is_what_our_own_proxies_saw(
    proxies: int, forwarded: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conf, "PROXIES", proxies)
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = RequestFactory().get("/login/", headers=headers, REMOTE_ADDR=HERE)
    assert address_of(request) == address
