"""The `Retry-After` header (RFC 9110, 10.2.3)."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from plans import conf


def retry_after_seconds(value: str | None) -> float | None:
    """How long the other side asks to wait, at most `conf.RETRY_AFTER_MAX_SECONDS`.

    Takes seconds or an HTTP date; None when there is nothing that can be read.
    """
    text = (value or "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        # Thirty digits are as good as the cap, and int() has a limit.
        return min(float(text[:30]), conf.RETRY_AFTER_MAX_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), conf.RETRY_AFTER_MAX_SECONDS)
