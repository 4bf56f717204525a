"""The preview as the form shows it while one types."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from plans.models import Environment, FailurePolicy
from plans.operations import Preview
from plans.preview.outlook import outlook
from plans.templatetags.bluegreen import duration
from plans.validation import Issue, PlannedWave, PlanRequest, Severity, Summary

GROUPS_MAX = 50

Lines = Mapping[str, int]


def of_preview(
    preview: Preview, request: PlanRequest, lines: Lines, start: int = 0
) -> dict[str, Any]:
    """Waves in numbers, the blast radius, the findings, and the tenants from place `start` on."""
    places = Counter(tenant.environment for tenant in preview.tenants)
    total = len(preview.tenants)
    waves, begun = [], 0
    for number, wave in enumerate(preview.waves, 1):
        planned = {"number": number, "size": wave.size, "mode": wave.mode, "after": begun}
        waves.append(planned | {"gate": _gate(wave)})
        begun += wave.size
    return of_summary(preview.summary, lines) | {
        "target": Environment(preview.target) if preview.target in Environment.values else None,
        "places": [(place, places[place.value]) for place in Environment if places[place.value]],
        "moving": total - places.get(preview.target or "", 0),
        "total": total,
        "waves": waves,
        # Also those that cannot be in it: waves are cut from all that were named.
        "planned": begun,
        "words": _blast(request, len(waves)),
        "outlook": outlook(preview, request, start) if preview.tenants else None,
    }


def _blast(request: PlanRequest, waves: int) -> list[str]:
    """What else is to be known before it is created, a sentence each."""
    how = ngettext(
        "At most %(limit)s at once, in %(count)s wave.",
        "At most %(limit)s at once, in %(count)s waves.",
        waves,
    )
    policy = request.failure_policy
    said = FailurePolicy(policy).label if policy in FailurePolicy.values else policy
    return [
        how % {"limit": request.max_concurrency, "count": waves},
        _("When a tenant fails: %(policy)s.") % {"policy": said},
        _("Reversible: it can be paused at any time, and every switched tenant rolled back."),
    ]


def _gate(wave: PlannedWave) -> str:
    """The gate after a wave in words; empty where there is none."""
    soak = _("soaks %(time)s") % {"time": duration(wave.soak_seconds)} if wave.soak_seconds else ""
    approval = _("a second person approves") if wave.approval else ""
    return ", ".join(part for part in (soak, approval) if part)


def of_summary(summary: Summary, lines: Lines) -> dict[str, Any]:
    """The findings grouped: those of the plan, then by tenant, errors first.

    `lines` says on which line of the table a tenant stands.
    """
    grouped = summary.by_tenant
    whole = grouped.pop("", [])
    tenants = sorted(grouped.items(), key=lambda item: not _has_error(item[1]))
    return {
        "errors": summary.error_count,
        "warnings": len(summary.warnings),
        "whole": whole,
        "tenants": [(pk, lines.get(pk), issues) for pk, issues in tenants[:GROUPS_MAX]],
        "more": max(0, len(tenants) - GROUPS_MAX),
    }


def _has_error(issues: list[Issue]) -> bool:
    return any(issue.severity is Severity.ERROR for issue in issues)
