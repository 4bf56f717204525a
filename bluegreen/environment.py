"""What the environment says, read strictly: what cannot be meant is refused in words.

A refusal is an `ImproperlyConfigured` that names the setting, what is wrong, and an example. It
repeats no text of the environment: nobody knows what was pasted there.
"""

import logging
import math
import zoneinfo
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()
YES = ("true", "yes", "on", "1")
NO = ("false", "no", "off", "0", "")


def number(name: str, default: float, least: float, most: float, limits: str = "") -> float:
    """A finite number from `least` to `most`, as Python's `float` reads it.

    `limits` says where the limits come from, if they are not plain numbers.
    """
    try:
        value = float(env.str(name, default=str(default)))
    except ValueError:
        value = math.nan
    if math.isfinite(value):
        return _within(name, value, default, least, most, limits)
    raise _no_number(name, "no number", default, least, most, limits)


def whole_number(name: str, default: int, least: int, most: int) -> int:
    """A whole number from `least` to `most`, as Python's `int` reads it."""
    try:
        value = int(env.str(name, default=str(default)))
    except ValueError:
        raise _no_number(name, "no whole number", default, least, most) from None
    return int(_within(name, value, default, least, most))


def yes_or_no(name: str, default: bool) -> bool:
    """A setting that is on or off."""
    written = env.str(name, default=str(default)).strip().lower()
    if written not in (*YES, *NO):
        raise ImproperlyConfigured(f"{name} is neither true nor false. Write it as {name}=true.")
    return written in YES


def one_of(name: str, default: str, choices: Iterable[str]) -> str:
    """One of these words, in capitals or not."""
    known = {choice.lower(): choice for choice in choices}
    written = env.str(name, default=default).strip().lower()
    if written not in known:
        words = ", ".join(known.values())
        raise ImproperlyConfigured(f"{name} is none of {words}. Write it as {name}={default}.")
    return known[written]


def log_level(name: str, default: str) -> str:
    """The name of a level that Python's logging knows."""
    return one_of(name, default, logging.getLevelNamesMapping())


def time_zone(name: str, default: str) -> str:
    """The name of a time zone that this machine knows."""
    zone = env.str(name, default=default)
    try:
        zoneinfo.ZoneInfo(zone)
    # The name of a folder, or none at all, are other errors than that of an unknown zone.
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ImproperlyConfigured(
            f"{name} is no time zone. Write it as {name}=Europe/Berlin or {name}=UTC."
        ) from None
    return zone


def template(name: str, default: str, placeholder: str) -> str:
    """A text with this placeholder and no other one."""
    text = env.str(name, default=default)
    if placeholder in text and not {"{", "}"} & set(text.replace(placeholder, "")):
        return text
    raise ImproperlyConfigured(
        f"{name} holds no {placeholder}, or another placeholder. Write it as {name}={default} or "
        f"{name}=http://mesh.example.net/{placeholder}."
    )


def networks(name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """IP networks with commas between."""
    found: list[IPv4Network | IPv6Network] = []
    for entry, written in enumerate(env.str(name, default="").split(","), start=1):
        try:
            found += [ip_network(written.strip(), strict=False)] if written.strip() else []
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} cannot be read: entry {entry} is no network. Write it as "
                f"{name}=10.20.0.0/16,192.0.2.0/24."
            ) from None
    return tuple(found)


def _within(
    name: str, value: float, default: float, least: float, most: float, limits: str = ""
) -> float:
    if least <= value <= most:
        return value
    raise ImproperlyConfigured(
        f"{name} cannot be {value:g}. {_expected(name, default, least, most, limits)}"
    )


def _no_number(
    name: str, lacking: str, default: float, least: float, most: float, limits: str = ""
) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"{name} is {lacking}. {_expected(name, default, least, most, limits)}"
    )


def _expected(name: str, default: float, least: float, most: float, limits: str) -> str:
    why = f" ({limits})" if limits else ""
    return f"It goes from {least:g} to {most:g}{why}. Write it as {name}={default:g}."
