"""How log lines are written: as text for people or as JSON for collectors, without secrets."""

import json
import logging
import re
from datetime import UTC, datetime

from plans.log_fields import fields_of

DOTS = "•••"
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
            r"(?i)([\w-]*(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|private[_-]?key"
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


class LineFormatter(logging.Formatter):
    """A line for people, tracebacks below it."""

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time` (ISO 8601, UTC), `level`, `logger`, `message`, `process`,
    `thread`; `plan`, `task`, `tenant`, `stage`, `epoch` where it is about one; `exception`, the
    traceback, where there is one.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redacted(record.getMessage()),
            "process": record.process,
            "thread": record.threadName,
            **fields_of(record),
        }
        if record.exc_info:
            line["exception"] = redacted(self.formatException(record.exc_info))
        if record.stack_info:
            line["stack"] = redacted(self.formatStack(record.stack_info))
        return json.dumps(line, default=str, ensure_ascii=False)
