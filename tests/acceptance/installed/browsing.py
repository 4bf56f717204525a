"""A person at a browser, who notices whatever is wrong with a page."""

from dataclasses import dataclass, field

from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.acceptance.installed.installation import PASSWORD, Installation
from tests.support.browser import BROWSER_MS, settle

OWN = ("data:", "blob:", "about:")
SUPERSEDED = ("htmx:afterRequest", "htmx:sendAbort")
"""What htmx says of a preview that a newer one replaces; of one that failed it says more."""


@dataclass
class Visitor:
    """One page of one user, and what went wrong on it."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    """Errors of scripts, refusals of the content security policy, requests to elsewhere."""
    loads: list[str] = field(default_factory=list)
    """The address of every document that the browser has loaded."""

    def sign_in(self, name: str) -> None:
        self.page.goto("/")
        self.page.get_by_label("User name").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_text(name, exact=True)).to_be_visible()

    def act(self, label: str, confirm: str, says: str) -> None:
        """Press the operation `label`, read `says` in its confirmation, and `confirm` it."""
        settle(self.page)
        self.page.get_by_role("button", name=label, exact=True).first.click()
        asked = self.page.locator("#confirm")
        expect(asked).to_contain_text(says)
        settle(self.page)
        asked.get_by_role("button", name=confirm, exact=True).click()
        expect(asked).not_to_be_visible()


def visit(browser: Browser, installation: Installation, *, scripts: bool = True) -> Visitor:
    """An empty page of somebody who has not signed in; without `scripts` none are run."""
    home = installation.web.url
    context = browser.new_context(base_url=home, java_script_enabled=scripts)
    context.set_default_timeout(BROWSER_MS)
    visitor = Visitor(context.new_page())
    page, complaints = visitor.page, visitor.complaints
    allowed = (home, home.replace("http", "ws"), *OWN)

    def watch(address: str) -> None:
        if not address.startswith(allowed):
            complaints.append(f"asked {address}")

    def read(line: ConsoleMessage) -> None:
        if line.type in ("error", "warning") and not line.text.startswith(SUPERSEDED):
            complaints.append(line.text)

    page.on("request", lambda request: watch(request.url))
    page.on("websocket", lambda socket: watch(socket.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", read)
    page.on("load", lambda loaded: visitor.loads.append(loaded.url))
    return visitor
