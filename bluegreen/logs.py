"""How log lines are written: as text for people or as JSON for collectors, without secrets."""

import json
import logging
from datetime import UTC, datetime

from plans.log_fields import fields_of
from plans.redaction import redacted


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
