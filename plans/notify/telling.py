"""Telling many recipients at once."""

import logging
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext_noop

from plans import conf
from plans.clients import services
from plans.clients.address import shown
from plans.clients.fan_out import run_all
from plans.clients.http import Call
from plans.errors import FailureKind, ServiceTimeout, StageError, Superseded
from plans.notify import registry
from plans.notify.base import Notice, Recipient
from plans.redaction import said_by

logger = logging.getLogger(__name__)


def tell(
    recipients: Iterable[Recipient], notice: Notice, call: Call
) -> dict[Recipient, dict[str, Any] | StageError]:
    """Tell all of them at once, each by its strategy; per recipient its answer or its error.

    Takes as long as the slowest, and never longer than two calls may: who has not answered by
    then counts as timed out. Raises `Superseded`, and when the database is away.
    """
    distinct = list(dict.fromkeys(recipients))
    seconds = 2 * conf.HTTP_TIMEOUT_SECONDS
    answers = run_all({each: partial(_tell_one, each, notice, call) for each in distinct}, seconds)
    return {
        each: answers[each] if each in answers else _too_late(each, seconds) for each in distinct
    }


def _tell_one(recipient: Recipient, notice: Notice, call: Call) -> dict[str, Any] | StageError:
    try:
        return registry.get(recipient.strategy).notify(recipient, notice, call)
    except StageError as error:
        return error
    except (Superseded, OperationalError, InterfaceError):
        raise
    except (Exception, SystemExit) as error:
        # Another package's strategy may raise anything; what the others answered is kept.
        logger.exception("Strategy %s", recipient.strategy)
        return StageError(
            gettext_noop("An unexpected error: %(error)s. It is logged with its traceback."),
            kind=FailureKind.SYSTEM,
            error=said_by(error),
        )


def _too_late(recipient: Recipient, seconds: float) -> ServiceTimeout:
    url = shown(services.notify_url(recipient.address))
    return ServiceTimeout(services.SERVICE, method="POST", url=url, seconds=seconds)
