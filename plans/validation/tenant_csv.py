"""Tenants as a table of comma-separated values: each with its new configuration, if it has one."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from django.utils.translation import gettext_noop as _

from plans import conf
from plans.clients.fields import VERSION_MAX
from plans.message import Message
from plans.validation.request import TenantRequest
from plans.validation.subject import is_tenant_id

COLUMNS = ("tenantId", "version", "payload")
DELIMITERS = ",;\t"
NOT_TEXT = "\ufffd\x00"
"""What stands in a text that was decoded from something else than UTF-8."""

_KEYS = {name.lower(): name for name in COLUMNS} | {"tenant_id": "tenantId"}


@dataclass(frozen=True)
class LineError:
    """What is wrong with a line, counted from 1."""

    line: int
    message: Message


@dataclass(frozen=True)
class TenantTable:
    """What the text says. With errors, `tenants` are those of the lines that can be read."""

    tenants: Sequence[TenantRequest]
    lines: Mapping[str, int]
    """By tenant id, the line on which it stands."""
    errors: Sequence[LineError]


class BadLine(ValueError):
    """What is wrong with the line that is being read."""

    def __init__(self, template: str, **values: Any) -> None:
        super().__init__(template)
        self.message = Message(template, values)


def parse_tenants(text: str) -> TenantTable:
    """Read columns `tenantId`, `version`, `payload` (a JSON object); the last two may be empty
    or missing. A first line with these names may order them; without one they come so. Columns
    may also be separated by semicolons or tabs.
    """
    tenants: list[TenantRequest] = []
    lines: dict[str, int] = {}
    errors: list[LineError] = []
    columns: Sequence[str] = COLUMNS
    is_first = True
    try:
        for line, cells in rows(text):
            try:
                if is_first and cells[0].strip().lower() in _KEYS:
                    columns = _header(cells)
                else:
                    tenant = _tenant(dict(zip(columns, cells, strict=False)), cells, columns)
                    _note(tenant, line, lines)
                    tenants.append(tenant)
            except BadLine as bad:
                errors.append(LineError(line, bad.message))
            is_first = False
    except csv.Error as broken:
        errors.append(broken_off(text, broken))
    return TenantTable(tenants, lines, errors)


def broken_off(text: str, broken: csv.Error) -> LineError:
    """That the table `text` cannot be read to its end."""
    said = Message(_("The table breaks off here: %(why)s."), {"why": str(broken)})
    return LineError(text.count("\n") + 1, said)


def rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The lines that hold anything, with the number at which each begins. Raises `csv.Error`."""
    text = text.removeprefix("\ufeff")
    head = text.lstrip().split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=lambda each: (head.count(each), each == ","))
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield begins, cells
        begins = reader.line_num + 1


def _header(cells: Sequence[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    for name in names:
        if name not in _KEYS:
            raise BadLine(
                _("There is no column “%(name)s”: the columns are %(known)s."),
                name=name[:40],
                known=", ".join(COLUMNS),
            )
    return [_KEYS[name] for name in names]


def _tenant(
    named: Mapping[str, str], cells: Sequence[str], columns: Sequence[str]
) -> TenantRequest:
    if any(mark in cell for cell in cells for mark in NOT_TEXT):
        raise BadLine(_("This is not UTF-8 text: save the table as UTF-8."))
    if len(cells) > len(columns):
        raise BadLine(
            _("%(count)s columns, where there are at most %(limit)s: put a payload into quotes."),
            count=len(cells),
            limit=len(columns),
        )
    tenant_id = named.get("tenantId", "").strip()
    if not is_tenant_id(tenant_id):
        raise BadLine(_("“%(id)s” is no tenant id."), id=tenant_id[:80])
    return TenantRequest(
        tenant_id, _version(named.get("version", "")), _payload(named.get("payload", ""))
    )


def _version(text: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(VERSION_MAX))
    if not is_number or not 1 <= int(text) <= VERSION_MAX:
        raise BadLine(
            _("“%(text)s” is no version: write a whole number from 1 to %(limit)s."),
            text=text[:40],
            limit=VERSION_MAX,
        )
    return int(text)


def _payload(text: str) -> dict[str, Any] | None:
    if not text.strip():
        return None
    try:
        payload = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict) or _depth(payload) > conf.JSON_DEPTH_MAX:
        raise BadLine(_("The payload is no JSON object: %(text)s"), text=text.strip()[:80])
    return payload


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def _note(tenant: TenantRequest, line: int, lines: dict[str, int]) -> None:
    first = lines.setdefault(tenant.tenant_id, line)
    if first != line:
        raise BadLine(
            _("%(tenant)s stands on line %(line)s already."), tenant=tenant.tenant_id, line=first
        )
