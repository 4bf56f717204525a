"""What a new plan would do, as the form shows it while one types."""

from collections import Counter
from typing import Any

from django.utils.translation import gettext as _

from plans.models import Environment
from plans.operations import Preview
from plans.templatetags.bluegreen import duration
from plans.validation import Issue, PlannedWave, Severity, Summary

GROUPS_MAX = 50


def of_preview(preview: Preview) -> dict[str, Any]:
    """Waves in numbers, the blast radius, and the findings."""
    places = Counter(tenant.environment for tenant in preview.tenants)
    total = len(preview.tenants)
    waves, begun = [], 0
    for number, wave in enumerate(preview.waves, 1):
        planned = {"number": number, "size": wave.size, "mode": wave.mode, "after": begun}
        waves.append(planned | {"gate": _gate(wave)})
        begun += wave.size
    return of_summary(preview.summary) | {
        "target": Environment(preview.target) if preview.target in Environment.values else None,
        "places": [(place, places[place.value]) for place in Environment if places[place.value]],
        "moving": total - places.get(preview.target or "", 0),
        "total": total,
        "waves": waves,
    }


def _gate(wave: PlannedWave) -> str:
    """The gate after a wave in words; empty where there is none."""
    soak = _("soaks %(time)s") % {"time": duration(wave.soak_seconds)} if wave.soak_seconds else ""
    approval = _("a second person approves") if wave.approval else ""
    return ", ".join(part for part in (soak, approval) if part)


def of_summary(summary: Summary) -> dict[str, Any]:
    """The findings grouped: those of the plan, then by tenant, errors first."""
    grouped = summary.by_tenant
    whole = grouped.pop("", [])
    tenants = sorted(grouped.items(), key=lambda item: not _has_error(item[1]))
    return {
        "errors": summary.error_count,
        "warnings": len(summary.warnings),
        "whole": whole,
        "tenants": tenants[:GROUPS_MAX],
        "more": max(0, len(tenants) - GROUPS_MAX),
    }


def _has_error(issues: list[Issue]) -> bool:
    return any(issue.severity is Severity.ERROR for issue in issues)
