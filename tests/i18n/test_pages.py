"""Every kind of page in Chinese."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client

from plans.models import Plan, Task
from scripts import messages
from tests.i18n.conftest import CHINESE
from tests.i18n.shown import words_of

PAGES = [
    "/",
    "/plans/",
    "/plans/new/",
    "/plans/{plan}/",
    "/plans/{plan}/?view=timeline",
    "/plans/{plan}/events/",
    "/plans/{plan}/replay/",
    "/plans/{plan}/rollback/",
    "/plans/{plan}/start/",
    "/plans/{plan}/tasks/retry/?scope=all",
    "/tasks/{task}/",
    "/tasks/{task}/retry/",
    "/stop/",
    "/stop/lift/",
    "/system/",
    "/plans/999999/",
    "/nowhere/",
    "/admin/plans/event/",
    "/admin/plans/plan/{plan}/change/",
    "/admin/plans/task/{task}/change/",
]
DJANGO_OWN = {"Search", "System"}
"""Words that Django's admin has not translated itself where they stand hidden."""


def english_texts() -> Iterator[str]:
    for message in messages.collect():
        for text in message.id if isinstance(message.id, tuple) else (message.id,):
            if re.search(r"[A-Za-z]{3}", re.sub(r"%\(\w+\)s", "", text)):
                yield text


ENGLISH = sorted(set(english_texts()))
"""Every text of the source that has a word in it."""
WHOLE = {text for text in ENGLISH if "%" not in text} - DJANGO_OWN - {"Redis", "TTL"}
PATTERNS = re.compile(
    "|".join(
        re.sub(r"%\\\(\w+\\\)s", "(.+)", re.escape(text)).replace("%%", "%")
        for text in ENGLISH
        if "%(" in text and re.search(r"[a-z]{3} ?[a-z]*", re.sub(r"%\(\w+\)s", "", text))
    )
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("page", PAGES)
def test_a_page_in_chinese_says_nothing_in_english(page: str, operator: Client, plan: Plan) -> None:
    task = Task.objects.filter(plan=plan)[0]
    answer = operator.get(page.format(plan=plan.pk, task=task.pk), headers=CHINESE)
    assert answer.headers["Content-Language"] == "zh-hans"
    said = words_of(answer.text)
    assert any(re.search(r"[\u4e00-\u9fff]", text) for text in said)
    assert [text for text in said if text in WHOLE or PATTERNS.fullmatch(text)] == []
