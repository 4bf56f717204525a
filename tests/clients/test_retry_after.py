"""Reading `Retry-After`."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from plans import conf
from plans.clients.retry_after import retry_after_seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("0", 0.0),
        (" 12 ", 12.0),
        ("9" * 5000, conf.RETRY_AFTER_MAX_SECONDS),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
    ],
)
def test_seconds_and_dates_are_read_and_all_else_ignored(
    value: str | None, seconds: float | None
) -> None:
    assert retry_after_seconds(value) == seconds


def test_a_date_counts_from_now() -> None:
    value = format_datetime(datetime.now(UTC) + timedelta(seconds=250), usegmt=True)
    assert 100 < (retry_after_seconds(value) or 0) <= 250
