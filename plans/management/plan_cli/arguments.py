"""The types and the common options of the arguments."""

import argparse
import math
import sys
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from plans import conf
from plans.canonical import storable_text
from plans.queries import tenants
from plans.validation import WaveRequest
from plans.validation.parameters import parameters_of
from plans.validation.wave_text import parse_wave


def add_actor(parser: argparse.ArgumentParser) -> None:
    """`--as USER`."""
    parser.add_argument(
        "--as",
        dest="as_user",
        metavar="USER",
        help=_("act with this user's permissions (default: the system, as cli:USER)"),
    )


def add_waiting(parser: argparse.ArgumentParser, *, optional: bool = True) -> None:
    """`--wait` (unless waiting is the point) and `--timeout`."""
    if optional:
        parser.add_argument(
            "--wait", action="store_true", help=_("wait until it has ended, with a progress bar")
        )
    parser.add_argument(
        "--timeout", type=seconds, metavar="SECONDS", help=_("wait no longer than this")
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument(
        "--json", action="store_true", help=_("print JSON; all else goes to standard error")
    )


def text(given: str) -> str:
    """Text that can be stored."""
    if storable_text(given) != given:
        raise argparse.ArgumentTypeError(_("this is no valid UTF-8 text"))
    return given


def reason(given: str) -> str:
    """A reason of bounded length."""
    if len(given) > conf.REASON_MAX_CHARS:
        raise argparse.ArgumentTypeError(
            _("a reason has at most %(limit)s characters") % {"limit": conf.REASON_MAX_CHARS}
        )
    return text(given)


def parameters(given: str) -> dict[str, dict[str, Any]]:
    """Parameters of stages, as JSON by stage."""
    try:
        return parameters_of(given)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def seconds(given: str) -> float:
    """A number of seconds above 0."""
    value = float(given)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(_("a number of seconds above 0, please"))
    return value


def count(given: str) -> int:
    """A number from 1 up."""
    value = int(given)
    if value < 1:
        raise argparse.ArgumentTypeError(_("a number from 1 up, please"))
    return value


def seen(given: str) -> str | int:
    """What the sender saw: a state, or a revision as a number."""
    return int(given) if given.isdecimal() else given.upper()


def wave(given: str) -> WaveRequest:
    """A wave as `5`, `10%` or `rest`, with what `wave_text` lets one add."""
    try:
        return parse_wave(given)
    except ValueError:
        raise argparse.ArgumentTypeError(
            _(
                "a wave is a number of tenants (5), a share of them (10%) or “rest”, "
                "then perhaps fifo, soak 15m, approval"
            )
        ) from None


def tenant_ids(given: Iterable[str]) -> list[str]:
    """The ids that are meant: `all` of the registry, `-` one a line from standard input."""
    words: list[Any] = list(given)
    if words == ["all"]:
        return list(tenants.present().values_list("pk", flat=True))
    if words == ["-"]:
        words = [line.strip() for line in sys.stdin]
    return [storable_text(word) for word in words if word]
