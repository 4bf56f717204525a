"""Tenants' labels as a table of comma-separated values: a column a label."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_noop as _

from plans.validation.subject import is_tenant_id
from plans.validation.tenant_csv import NOT_TEXT, BadLine, LineError, broken_off, rows

TENANT_COLUMNS = ("tenantid", "tenant_id", "tenant")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,31}")
VALUE_MAX_CHARS = 64


@dataclass(frozen=True)
class LabelTable:
    """What the text says. With errors, `labels` are those of the lines that can be read."""

    labels: Mapping[str, Mapping[str, str]]
    """By tenant id its labels by name; an empty one is to be taken away."""
    lines: Mapping[str, int]
    """By tenant id, the line on which it stands."""
    errors: Sequence[LineError]


def parse_labels(text: str) -> LabelTable:
    """Read a first line `tenantId` and names of labels, then a line a tenant."""
    labels: dict[str, Mapping[str, str]] = {}
    lines: dict[str, int] = {}
    errors: list[LineError] = []
    names: Sequence[str] | None = None
    try:
        for line, cells in rows(text):
            try:
                if names is None:
                    names = _names(cells)
                    continue
                tenant_id, said = _labels(cells, names)
                first = lines.setdefault(tenant_id, line)
                if first != line:
                    raise BadLine(
                        _("%(tenant)s stands on line %(line)s already."),
                        tenant=tenant_id,
                        line=first,
                    )
                labels[tenant_id] = said
            except BadLine as bad:
                errors.append(LineError(line, bad.message))
                if names is None:
                    break
    except csv.Error as broken:
        errors.append(broken_off(text, broken))
    return LabelTable(labels, lines, errors)


def _names(cells: Sequence[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    if names[0].lower() not in TENANT_COLUMNS or len(names) < 2:
        raise BadLine(_("The first line must be tenantId and the names of labels."))
    for name in names[1:]:
        if not NAME.fullmatch(name) or names.count(name) > 1:
            raise BadLine(
                _("“%(name)s” is no name for a label, or stands here twice."), name=name[:40]
            )
    return names[1:]


def _labels(cells: Sequence[str], names: Sequence[str]) -> tuple[str, dict[str, str]]:
    if any(mark in cell for cell in cells for mark in NOT_TEXT):
        raise BadLine(_("This is not UTF-8 text: save the table as UTF-8."))
    tenant_id, *values = (cell.strip() for cell in cells)
    if not is_tenant_id(tenant_id):
        raise BadLine(_("“%(id)s” is no tenant id."), id=tenant_id[:80])
    if len(values) > len(names):
        raise BadLine(
            _("%(count)s labels, where the first line names %(limit)s."),
            count=len(values),
            limit=len(names),
        )
    for value in values:
        if len(value) > VALUE_MAX_CHARS:
            raise BadLine(
                _("The label “%(text)s…” is longer than %(limit)s characters."),
                text=value[:20],
                limit=VALUE_MAX_CHARS,
            )
    return tenant_id, dict(zip(names, values, strict=False))
