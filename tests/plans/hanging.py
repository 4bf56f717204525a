"""Calls that hang are given up soon; every other one has its usual time, on a slow machine, too."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from plans.clients import http
from tests.support.sandbox import Sandbox

SHORT_SECONDS = 1.0
"""So long one may hang: long enough to be sent before."""
KINDS = ("hang", "hang_after_headers")
CALLS = {
    "ob.get_tenant": r"GET /ob/tenants/([^/]+)",
    "ob.put_status": r"PUT /ob/tenants/([^/]+)/status",
    "gateway.get_route": r"GET /gateway/routes/([^/]+)",
    "gateway.put_route": r"PUT /gateway/routes/([^/]+)",
    "instance.health": r"GET /i/([^/]+)/(\d+)/health",
    "instance.config": r"GET /i/([^/]+)/(\d+)/config",
}


def give_up_soon_what_hangs(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox is asked before each call whether it will hang."""
    reply_to = http._reply_to

    def reply(sending: Any, timeout_seconds: float) -> http.Reply:
        call = f"{sending.method} {urlsplit(sending.url).path}"
        hangs = any(_hits(fault, call) for fault in sandbox.faults())
        return reply_to(sending, SHORT_SECONDS if hangs else timeout_seconds)

    monkeypatch.setattr(http, "_reply_to", reply)


def _hits(fault: dict[str, Any], call: str) -> bool:
    found = re.fullmatch(CALLS[fault["step"]], call)
    if found is None or fault["kind"] not in KINDS or fault["tenant"] != found[1]:
        return False
    return fault["instance"] is None or str(fault["instance"]) == found[2]
