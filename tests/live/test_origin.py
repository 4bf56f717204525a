"""Which pages may open a socket."""

import pytest
from django.test import override_settings

from plans.live.origin import is_own


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("http://localhost", "localhost"),
        ("http://localhost:80", "localhost"),
        ("http://LOCALHOST", "localhost"),
        ("https://localhost", "localhost"),
        ("https://localhost", "localhost:443"),
        ("https://desk.example:8443", "localhost:8000"),
    ],
)
@override_settings(CSRF_TRUSTED_ORIGINS=["https://desk.example:8443"])
def test_a_page_from_where_it_asks_is_own(origin: str, host: str) -> None:
    assert is_own(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:9000", "localhost:8000"),
        ("http://localhost:8000", "localhost"),
        ("http://localhost", "localhost:443"),
        ("http://localhost.elsewhere.example", "localhost"),
        ("http://elsewhere.example", "elsewhere.example"),
        ("https://desk.example", "localhost:8000"),
        ("http://localhost", ""),
        ("http://localhost", "localhost:port"),
        ("http://[::1", "[::1"),
        ("null", "null"),
        ("", ""),
    ],
)
@override_settings(CSRF_TRUSTED_ORIGINS=["https://desk.example:8443"])
def test_a_page_from_elsewhere_is_not(origin: str, host: str) -> None:
    assert not is_own(origin, host)


def test_behind_tls_a_page_without_tls_is_not_own() -> None:
    with override_settings(SECURE_SSL_REDIRECT=True):
        assert not is_own("http://localhost", "localhost")
        assert is_own("https://localhost", "localhost")
