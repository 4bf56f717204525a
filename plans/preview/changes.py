"""What changes in a tenant's configuration, path by path."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from plans.queries.masking import without_secrets

CHANGES_MAX = 40
VALUE_MAX_CHARS = 120


@dataclass(frozen=True)
class Change:
    """`kind` is `added`, `removed` or `changed`; the values are JSON, empty where there is none."""

    path: str
    before: str
    after: str
    kind: str


def changes(before: Any, after: Any) -> list[Change]:
    """The paths that differ, in order; what looks like a secret is dots."""
    old, new = dict(_flat(without_secrets(before))), dict(_flat(without_secrets(after, before)))
    found = []
    for path in sorted({*old, *new}):
        if path in old and path in new:
            if old[path] != new[path]:
                found.append(Change(path, _short(old[path]), _short(new[path]), "changed"))
        elif path in new:
            found.append(Change(path, "", _short(new[path]), "added"))
        else:
            found.append(Change(path, _short(old[path]), "", "removed"))
    return found


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of `value` by path: `limits.cpu`, `hosts[0]`."""
    if isinstance(value, Mapping) and value:
        for key, part in value.items():
            yield from _flat(part, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for place, part in enumerate(value):
            yield from _flat(part, f"{path}[{place}]")
    elif path or value not in (None, {}, []):
        yield path or "–", json.dumps(value, ensure_ascii=False)


def _short(text: str) -> str:
    return text if len(text) <= VALUE_MAX_CHARS else f"{text[:VALUE_MAX_CHARS]}…"
