"""The addresses of database and Redis in the environment; an error repeats none of them."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from environ import Env
from redis.connection import parse_url

DATABASES = ("postgres", "postgresql", "sqlite")
IN_PASSWORDS = "In a password, write / as %2F, @ as %40, : as %3A, # as %23, ? as %3F and % as %25."


def database(name: str, url: str) -> dict[str, Any]:
    """Django's settings of the database at `url`; raises `ImproperlyConfigured`."""
    try:
        if url.partition(":")[0] in DATABASES:
            return dict(Env.db_url_config(url))
    except ValueError:
        pass
    raise ImproperlyConfigured(
        f"{name} cannot be read. Write it as postgres://USER:PASSWORD@HOST:PORT/NAME or "
        f"sqlite:////PATH/TO/FILE. {IN_PASSWORDS}"
    )


def redis(name: str, url: str) -> str:
    """The address of a Redis, if it can be read; raises `ImproperlyConfigured`."""
    try:
        parse_url(url)
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} cannot be read. Write it as redis://:PASSWORD@HOST:PORT/NUMBER, "
            f"rediss://… or unix://PATH. {IN_PASSWORDS}"
        ) from None
    return url
