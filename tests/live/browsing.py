"""A real browser that is signed in."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page

from tests.support.browser import BROWSER_MS
from tests.support.processes import WebProcess

SignIn = Callable[[str], Client]


def context_of(
    browser: Browser, client: Client | None, web: WebProcess, **options: Any
) -> BrowserContext:
    """A window with the session of `client`, or of nobody; `options` are Playwright's."""
    context = browser.new_context(base_url=web.url, **options)
    context.set_default_timeout(BROWSER_MS)
    if client is not None:
        sign_in(context, client, web)
    return context


def sign_in(context: BrowserContext, client: Client, web: WebProcess) -> None:
    """Give `context` the session of `client`."""
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": web.url}])


def page_of(browser: Browser, client: Client, web: WebProcess, **options: Any) -> Page:
    """A page in a window of its own."""
    return context_of(browser, client, web, **options).new_page()
