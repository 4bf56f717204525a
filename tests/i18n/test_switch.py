"""The switch between the languages: without JavaScript, remembered, harmless."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.humanize.templatetags.humanize import intcomma
from django.test import Client
from django.utils import timezone, translation

from plans.templatetags.bluegreen import ago, duration, when
from tests.i18n.conftest import CHINESE

pytestmark = pytest.mark.django_db


def test_a_page_says_in_which_language_it_is(operator: Client) -> None:
    assert '<html lang="en"' in operator.get("/").text
    assert '<html lang="zh-hans"' in operator.get("/", headers=CHINESE).text


def test_the_switch_is_remembered_and_leads_back_to_the_page(operator: Client) -> None:
    assert 'lang="zh-hans">简体中文</button>' in operator.get("/plans/").text
    chosen = operator.post("/language/", {"language": "zh-hans", "next": "/plans/"})
    assert chosen.headers["Location"] == "/plans/"
    assert chosen.cookies["django_language"]["max-age"] > 30_000_000
    # The browser's own wish counts less than what was chosen.
    page = operator.get("/plans/", headers={"accept-language": "en"}).text
    assert "新建计划" in page
    assert 'lang="en">English</button>' in page
    operator.post("/language/", {"language": "en", "next": "/plans/"})
    assert "New plan" in operator.get("/plans/").text


def test_the_language_can_be_chosen_before_signing_in(anonymous: Client) -> None:
    assert "简体中文" in anonymous.get("/login/").text
    anonymous.post("/language/", {"language": "zh-hans", "next": "/login/"})
    page = anonymous.get("/login/").text
    assert "登录 Bluegreen" in page
    assert "English" in page


def test_the_switch_leads_nowhere_else(anonymous: Client) -> None:
    asked = {"language": "zh-hans", "next": "https://elsewhere.example/"}
    assert anonymous.post("/language/", asked).headers["Location"] == "/"


def test_a_language_that_there_is_not_changes_nothing(operator: Client) -> None:
    operator.post("/language/", {"language": "xx", "next": "/"})
    assert '<html lang="en"' in operator.get("/").text


def test_dates_times_and_figures_are_written_as_the_language_does() -> None:
    moment = datetime(2026, 3, 9, 14, 5, 7, tzinfo=UTC)
    with translation.override("zh-hans"):
        assert 'title="2026年3月9日 14:05:07 UTC">2026年3月9日 14:05 ' in when(moment)
        assert ">3分钟前<" in ago(timezone.now() - timedelta(minutes=3, seconds=5))
        assert duration(185) == "3 分 5 秒"
        assert intcomma(1234567) == "1,234,567"
    assert 'title="2026-03-09 14:05:07 UTC">2026-03-09 14:05 ' in when(moment)
    assert duration(185) == "3 min 5 s"
    assert intcomma(1234567) == "1,234,567"


def test_the_audit_has_the_switch_too(operator: Client) -> None:
    page = operator.get("/admin/", headers=CHINESE).text
    assert 'action="/language/"' in page
    assert 'lang="en">English</button>' in page
