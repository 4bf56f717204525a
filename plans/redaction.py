"""Texts that others wrote, without the secrets that may stand in them: for logs and the record."""

import re

from plans.canonical import storable_text

SAID_CHARS = 500
DOTS = "•••"
# Each takes a time that is linear in the length of the text: strangers choose what is logged.
_SECRETS = (
    # The user and password of an address; passwords may hold an @.
    (re.compile(r"(?<=://)[^/\s\"']+(?=@)"), DOTS),
    # The query string of an address.
    (re.compile(r"(?<=[\w/.\-\]])\?[\w%.+~\-\[\]]+=[^\s\"'<>)]*"), f"?{DOTS}"),
    # Our own tokens, wherever they turn up.
    (re.compile(r"\bbg_[A-Za-z0-9_-]{16,}"), DOTS),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"), rf"\1 {DOTS}"),
    # `password=…`, `'token': '…'`, `"Cookie": "…"`.
    (
        re.compile(
            r"(?i)((?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|private[_-]?key"
            r"|credentials?|authorization|cookie|sessionid)[\"']?\s*[=:]\s*)"
            r"(\"[^\"]*\"|'[^']*'|[^\s,;&}\])]+(?:\s+•••)?)"
        ),
        rf"\1{DOTS}",
    ),
)


def redacted(text: str) -> str:
    """`text` with passwords, tokens and query strings as dots."""
    for pattern, shown in _SECRETS:
        text = pattern.sub(shown, text)
    return text


def said_by(error: BaseException) -> str:
    """What an error of somebody else's code says, fit to be stored and shown to people."""
    return storable_text(redacted(f"{type(error).__name__}: {error}")[:SAID_CHARS])
