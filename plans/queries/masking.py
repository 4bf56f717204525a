"""Values that nobody should read over a shoulder: written as dots."""

import re
from typing import Any

from plans.redaction import DOTS

CHANGED = f"{DOTS} (changed)"
_TELLING = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|credential|authorization|api_?key|private_?key|"
    r"access_?key|cookie|signature|\bpin$|\bdsn$",
    re.IGNORECASE,
)
_USERINFO = re.compile(r"(?<=://)[^/@\s]+(?=@)")


def without_secrets(value: Any, before: Any = None) -> Any:
    """The JSON value `value` with every secret as dots: by its key's name, or inside an address.

    Where it had another value in `before`, it says that it changed.
    """
    if isinstance(value, dict):
        was = before if isinstance(before, dict) else {}
        return {key: _member(key, each, was.get(key)) for key, each in value.items()}
    if isinstance(value, list):
        was_list = before if isinstance(before, list) else []
        earlier = [*was_list, *[None] * len(value)]
        return [without_secrets(each, old) for each, old in zip(value, earlier, strict=False)]
    if isinstance(value, str):
        return _without_userinfo(value, before)
    return value


def _member(key: str, value: Any, before: Any) -> Any:
    if not _TELLING.search(key) or value in (None, "", {}, []):
        return without_secrets(value, before)
    return DOTS if before in (None, value) else CHANGED


def _without_userinfo(text: str, before: Any) -> str:
    shown = _USERINFO.sub(DOTS, text)
    if shown == text or not isinstance(before, str) or text == before:
        return shown
    # The same but for what the dots hide.
    return _USERINFO.sub(CHANGED, text) if _USERINFO.sub(DOTS, before) == shown else shown
