"""Faults on demand: where they hit, how often, and what they do."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any

ANY_TENANT = "*"

KINDS = {
    "latency": "answers (and acts) `seconds` late",
    "status": "refuses with status `code`, optionally with Retry-After",
    "hang": "never answers, and does not act",
    "hang_after_headers": "acts, sends headers, never the body",
    "drop": "closes the connection without acting or answering",
    "drop_after_apply": "acts, then resets the connection",
    "garbage": "acts, answers 200 with something that is not JSON",
    "huge": "acts, answers 200 with more than 1 MiB",
    "missing_field": "acts, leaves `field` out of its answer",
    "unhealthy": "says that it is DOWN",
    "wrong_version": "reports `version` in place of its own",
}
HTTP_KINDS = frozenset(KINDS) - {"unhealthy", "wrong_version"}
# The field that `missing_field` takes away when the fault names none.
NEEDED_FIELD = {
    "ob.get_tenant": "status",
    "ob.list": "items",
    "ob.put_status": "status",
    "gateway.get_route": "color",
    "gateway.put_route": "color",
    "instance.health": "version",
    "instance.config": "version",
    "instance.notify": "version",
}
STEPS: dict[str, frozenset[str]] = {
    **dict.fromkeys(NEEDED_FIELD, HTTP_KINDS),
    "ob.get_tenant": HTTP_KINDS | {"wrong_version"},
    "instance.health": HTTP_KINDS | {"unhealthy", "wrong_version"},
    "instance.config": HTTP_KINDS | {"wrong_version"},
    # Not a call: latency takes the configuration up late, hang and drop not at all.
    "instance.apply": frozenset({"latency", "hang", "drop"}),
}


class BadFault(ValueError):
    """The description of a fault is not usable; the message says what to mend."""


@dataclass(slots=True)
class Fault:
    """`times` counts down with every hit; None means until it is removed."""

    tenant: str
    step: str
    kind: str
    instance: int | None = None
    times: int | None = None
    seconds: float = 1.0
    code: int = 503
    retry_after: str | None = None
    field: str | None = None
    version: str = "0"
    id: int = 0
    hits: int = 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def parse_fault(wanted: Mapping[str, Any]) -> Fault:
    """A fault from a JSON object with the fields of Fault. Raises BadFault."""
    known = set(Fault.__dataclass_fields__) - {"id", "hits"}
    unknown = sorted(set(wanted) - known)
    if unknown:
        raise BadFault(f"Unknown fields: {', '.join(unknown)}. Known: {', '.join(sorted(known))}.")
    tenant = wanted.get("tenant")
    if not isinstance(tenant, str) or not tenant:
        raise BadFault('tenant must be a tenant id, or "*" for all.')
    step, kind = wanted.get("step"), wanted.get("kind")
    if not isinstance(step, str) or step not in STEPS:
        raise BadFault(f"step must be one of {', '.join(STEPS)}.")
    if not isinstance(kind, str) or kind not in STEPS[step]:
        raise BadFault(f"kind at {step} must be one of {', '.join(sorted(STEPS[step]))}.")
    field, retry_after = wanted.get("field"), wanted.get("retry_after")
    return Fault(
        tenant=tenant,
        step=step,
        kind=kind,
        instance=_whole(wanted, "instance", 1, 100_000),
        times=_whole(wanted, "times", 1, 1_000_000_000),
        seconds=_seconds(wanted),
        code=_whole(wanted, "code", 200, 599) or 503,
        retry_after=None if retry_after is None else _header(str(retry_after)),
        field=None if field is None else str(field),
        version=str(wanted.get("version", "0")),
    )


def _whole(wanted: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    value = wanted.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise BadFault(f"{name} must be a whole number from {low} to {high}.")
    return value


def _seconds(wanted: Mapping[str, Any]) -> float:
    value = wanted.get("seconds", 1.0)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 3600:
        raise BadFault("seconds must be a number from 0 to 3600.")
    return float(value)


def _header(value: str) -> str:
    if not value.isascii() or not value.isprintable():
        raise BadFault("retry_after must be seconds or an HTTP date.")
    return value


class Faults:
    """The active faults, found by tenant and step."""

    def __init__(self) -> None:
        self._next_id = count(1)
        self._active: dict[int, Fault] = {}
        self._by_place: dict[tuple[str, str], list[Fault]] = {}

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._active.values())

    def __len__(self) -> int:
        return len(self._active)

    def add(self, fault: Fault) -> Fault:
        """Activate `fault`; gives it an id."""
        fault.id = next(self._next_id)
        self._active[fault.id] = fault
        self._by_place.setdefault((fault.tenant, fault.step), []).append(fault)
        return fault

    def remove(self, fault_id: int) -> bool:
        """False if there is no such fault (any more)."""
        fault = self._active.pop(fault_id, None)
        if fault is None:
            return False
        place = (fault.tenant, fault.step)
        self._by_place[place].remove(fault)
        if not self._by_place[place]:
            del self._by_place[place]
        return True

    def clear(self) -> None:
        self._active.clear()
        self._by_place.clear()

    def take(self, tenant: str, step: str, instance: int | None) -> tuple[float, Fault | None]:
        """What hits this call: seconds of latency (all that match, added up) and one other fault.

        Faults of the very tenant come before those of all; older ones before newer ones.
        """
        if not self._by_place:
            return 0.0, None
        delay, chosen = 0.0, None
        for place in ((tenant, step), (ANY_TENANT, step)):
            for fault in tuple(self._by_place.get(place, ())):
                if fault.instance is not None and fault.instance != instance:
                    continue
                if fault.kind == "latency":
                    delay += fault.seconds
                elif chosen is None:
                    chosen = fault
                else:
                    continue
                self._use(fault)
        return delay, chosen

    def _use(self, fault: Fault) -> None:
        fault.hits += 1
        if fault.times is not None:
            fault.times -= 1
            if fault.times == 0:
                self.remove(fault.id)
