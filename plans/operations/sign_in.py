"""Slow down who guesses passwords: by user name, by address, and by both together.

The counts are in the database, which a sign-in needs anyway: Redis may be away, and nobody is
locked out or let in for that. A try is counted before its password is looked at, so that many
tries at once are not more than one after the other; the right password takes it back.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from plans import conf
from plans.actor import folded
from plans.models import SignInCount

logger = logging.getLogger(__name__)

SALT = "plans.operations.sign_in"


@dataclass(frozen=True)
class Limit:
    """After `tries` a wait begins that doubles with each further one, up to `wait_max_seconds`."""

    tries: int
    wait_max_seconds: float

    def wait_seconds(self, tries: int) -> float:
        """How long to wait after so many tries; 0 for not at all."""
        over = tries - self.tries
        if over < 0:
            return 0
        return min(conf.SIGN_IN_WAIT_SECONDS * 2 ** min(over, 20), self.wait_max_seconds)


def admit(name: str, address: str) -> float:
    """Count a try of `name` from `address`; the seconds to wait when it is refused, else 0.

    A refused try is not counted, and its password must not be looked at.
    """
    limits = _limits(name, address)
    with transaction.atomic():
        wait = _count(limits)
    if wait:
        logger.warning("Tries to sign in from %s are refused for %.0f s", address, wait)
    return wait


def succeeded(name: str, address: str) -> None:
    """The password of the try that was admitted last was right."""
    pair, by_name, by_address = _keys(name, address)
    with transaction.atomic():
        SignInCount.objects.filter(key__in=[pair, by_name]).delete()
        # The others from that address have not guessed better for it.
        SignInCount.objects.filter(key=by_address, tries__gt=0).update(
            tries=F("tries") - 1, refused_until=None
        )


def _count(limits: dict[str, Limit]) -> float:
    forgotten = Now() - timedelta(seconds=conf.SIGN_IN_FORGET_SECONDS)
    SignInCount.objects.filter(last_at__lt=forgotten).delete()
    SignInCount.objects.bulk_create(
        [SignInCount(key=key, last_at=Now()) for key in sorted(limits)], ignore_conflicts=True
    )
    # In one order, so that two tries do not wait for each other crosswise.
    counts = list(
        SignInCount.objects.select_for_update()
        .filter(key__in=limits)
        .order_by("key")
        .annotate(now=Now())
    )
    now = counts[0].now
    until = max((count.refused_until for count in counts if count.refused_until), default=now)
    if until > now:
        return float((until - now).total_seconds())
    for count in counts:
        count.tries += 1
        count.last_at = now
        wait = limits[count.key].wait_seconds(count.tries)
        count.refused_until = now + timedelta(seconds=wait) if wait else None
        count.save(update_fields=["tries", "last_at", "refused_until"])
    return 0


def _limits(name: str, address: str) -> dict[str, Limit]:
    long, short = conf.SIGN_IN_WAIT_MAX_SECONDS, conf.SIGN_IN_NAME_WAIT_MAX_SECONDS
    pair, by_name, by_address = _keys(name, address)
    return {
        pair: Limit(conf.SIGN_IN_TRIES, long),
        # Whoever knows a name can make its owner wait: not for long.
        by_name: Limit(conf.SIGN_IN_NAME_TRIES, short),
        by_address: Limit(conf.SIGN_IN_ADDRESS_TRIES, long),
    }


def _keys(name: str, address: str) -> tuple[str, str, str]:
    name = folded(name)
    return _key("pair", f"{address} {name}"), _key("name", name), _key("address", address)


def _key(kind: str, text: str) -> str:
    return f"{kind}:{salted_hmac(SALT, text, algorithm='sha256').hexdigest()}"
