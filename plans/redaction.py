"""Texts that others wrote, without the secrets that may stand in them: for logs and the record.

What looks like a secret: by its place (in an address, after a name such as `password`) or by its
shape (a token of ours, a JWT, a private key). A secret without either is not known as one.
"""

import re

from plans.canonical import storable_text

SAID_CHARS = 500
DOTS = "•••"
_NAME = (
    r"(?:passw(?:or)?d|passphrase|pwd|secret(?:[_-]?access)?(?:[_-]?key)?"
    r"|(?:api|access|private|signing|encryption|session)[_-]?key"
    r"|token|credentials?|authorization|cookie|sessionid)"
)
# In quotes, with \' for a quote within; JSON within JSON has its quotes as \" itself. Nothing is
# tried twice (`*+`).
_CLOSED = r"b?\"(?:[^\"\\]|\\.)*+\"|b?'(?:[^'\\]|\\.)*+'"
_ESCAPED = r"(?P<quote>\\+\")(?:[^\"\\]|(?!(?P=quote))\\++\"?)*+(?P=quote)?"
# What is not closed is a secret up to the end of its line.
_CUT_OFF = r"[\"'][^\r\n]*"
_WORD = r"(?:(?:token|bearer|basic|digest|apikey)\s+)?[^\s,;&}\])]+"
_PORT = r"\d{1,5}(?:[\s,;)]|$)"

# Each takes a time that is linear in the length of the text: strangers choose what is logged.
_SECRETS = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), shown)
    for pattern, shown in (
        # The user and password of an address; passwords may hold an @, and one that nobody quoted
        # a blank.
        (r"(?<=://)[^/\s\"']+(?=@)", DOTS),
        (rf"(?<=://)[^\s/:@\"'\[]*:(?!{_PORT})[^\s/@\"']+ [^/@\n\"'<>]{{1,100}}(?=@)", DOTS),
        # The query string of an address.
        (r"(?<=[\w/.\-\]])\?[\w%.+~\-\[\]]+=[^\s\"'<>)]*", f"?{DOTS}"),
        # By their shape, wherever they turn up: our own tokens, JWTs, private keys.
        (r"\bbg_[A-Za-z0-9_-]{16,}", DOTS),
        (r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)*+", DOTS),
        (
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:[^-]|-(?!----))*+"
            r"(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?",
            DOTS,
        ),
        # Headers, to the end of their line: `Authorization: Digest …, …`, `X-Auth-Token: a b`.
        (
            r"((?:authorization|(?:[a-z]{1,20}-){1,4}(?:token|key|secret|authorization)|"
            r"cookie(?=\s*:\s*[^\s=;:]{1,100}=))"
            r"\s*:[ \t]*)(?![\s\"'\\]|b[\"'])(?:=\"[^\"\r\n]*+\"?|[^\r\n\"'\\]|\\(?![rn]))++",
            rf"\1{DOTS}",
        ),
        (r"\b(bearer|basic)\s+[\w.~+/=-]{6,}", rf"\1 {DOTS}"),
        # `('password', '…')`.
        (
            rf"(\(\s*b?[\"'][\w-]{{0,40}}{_NAME}[\"']\s*,\s*)(?:{_CLOSED})(?=\s*\))",
            rf"\1{DOTS}",
        ),
        # `password=…`, `'token': '…'`, `"Cookie": "…"`, `\"secret\": \"…\"`.
        (
            rf"({_NAME}\\*[\"']?\s*[=:]\s*)(?:{DOTS}|{_CLOSED}|{_ESCAPED}|{_CUT_OFF}|{_WORD})",
            rf"\1{DOTS}",
        ),
    )
)


def redacted(text: str) -> str:
    """`text` with passwords, tokens and query strings as dots."""
    for pattern, shown in _SECRETS:
        text = pattern.sub(shown, text)
    return text


def said_by(error: BaseException) -> str:
    """What an error of somebody else's code says, fit to be stored and shown to people."""
    return storable_text(redacted(f"{type(error).__name__}: {error}")[:SAID_CHARS])
