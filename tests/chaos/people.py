"""Who operates and who watches."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import sync_playwright

from plans.models import ApiToken, Task, TokenScope
from tests.chaos.pages import OpenPage, open_pages
from tests.support.browser import launch

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
Wait = Callable[[float], object]


def make() -> tuple[str, tuple[str, str]]:
    """An administrator's API token, and the name and value of a session's cookie."""
    admin = User.objects.create_superuser("chaos", password=None)
    client = Client()
    client.force_login(admin)
    name = settings.SESSION_COOKIE_NAME
    return ApiToken.issue(admin, TokenScope.ALL), (name, client.cookies[name].value)


@contextmanager
def watching(
    url: str, cookie: tuple[str, str], plan_id: int
) -> Iterator[tuple[list[OpenPage] | None, Wait]]:
    """Overview, list, a plan's and a task's page, open in a browser; and how to wait meanwhile.

    Without a browser on this machine there are none to be looked at.
    """
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        yield None, time.sleep
        return
    task = Task.objects.filter(plan=plan_id).order_by("pk")[0]
    paths = ["/", "/plans/", f"/plans/{plan_id}/", f"/tasks/{task.pk}/"]
    with sync_playwright() as playwright:
        browser = launch(playwright, program)
        try:
            pages = open_pages(browser, url, cookie, paths)
            yield pages, lambda seconds: pages[0].page.wait_for_timeout(seconds * 1000)
        finally:
            browser.close()
