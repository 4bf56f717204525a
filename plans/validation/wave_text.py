"""A wave as people write it: `10% fifo soak 15m approval`."""

import re

from plans.models import WaveMode
from plans.validation.request import WaveRequest

SIZE = re.compile(r"(?P<size>\d{1,9})|(?P<percent>\d{1,3}(?:\.\d{1,6})?)%|(?P<rest>rest|\*)")
DURATION = re.compile(r"(\d{1,9})([smhd]?)")
UNIT_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
APPROVAL = ("approval", "approve")


def parse_wave(text: str, mode: str = WaveMode.CONCURRENT.value) -> WaveRequest:
    """A size, a percentage or `rest`; then, in any order, `fifo` or `concurrent` (else `mode`),
    `soak` with a duration, `approval`. Raises ValueError.
    """
    first, *words = text.lower().split() or [""]
    size = SIZE.fullmatch(first)
    if size is None:
        raise ValueError(f"no wave: {text}")
    soak_seconds, approval = 0, False
    while words:
        word = words.pop(0)
        if word.upper() in WaveMode.values:
            mode = word.upper()
        elif word in APPROVAL:
            approval = True
        elif word == "soak" and words:
            soak_seconds = parse_duration(words.pop(0))
        else:
            raise ValueError(f"no wave: {text}")
    return WaveRequest(
        size=int(size["size"]) if size["size"] else None,
        percent=float(size["percent"]) if size["percent"] else None,
        rest=bool(size["rest"]),
        mode=mode,
        soak_seconds=soak_seconds,
        approval=approval,
    )


def parse_duration(text: str) -> int:
    """`90`, `90s`, `15m`, `2h` or `1d` in seconds. Raises ValueError."""
    found = DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"no duration: {text}")
    return int(found[1]) * UNIT_SECONDS[found[2]]
