"""The page that Django shows for an error while DEBUG is on holds no password of a Redis."""

from django.conf import settings
from django.test import override_settings
from django.views.debug import ExceptionReporter

ADDRESSES = {
    "REDIS_URL": "redis://:s3cret@redis/0",
    "TENANT_REDIS_URL": "redis://:s3cret@tenants/0",
    "RQ_QUEUES": {"default": {"URL": "redis://:s3cret@redis/0"}},
    "CHANNEL_LAYERS": {"default": {"CONFIG": {"hosts": [{"address": "redis://:s3cret@redis"}]}}},
}


def test_addresses_with_passwords_are_stars() -> None:
    assert set(ADDRESSES) <= set(dir(settings))
    with override_settings(**ADDRESSES):
        page = ExceptionReporter(None, ValueError, ValueError("x"), None).get_traceback_html()
    for name in ADDRESSES:
        assert name in page
    assert "s3cret" not in page
