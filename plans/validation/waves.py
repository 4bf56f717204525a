"""Waves: from sizes, percentages and "the rest" to numbers of tasks."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from django.utils.translation import gettext_noop as _

from plans import conf
from plans.models import WaveMode
from plans.validation.chain import register
from plans.validation.request import WaveRequest
from plans.validation.subject import Subject
from plans.validation.summary import Issue, error, warning


@dataclass(frozen=True)
class PlannedWave:
    """A wave with its number of tasks, and the gate after it."""

    size: int
    mode: str
    soak_seconds: int = 0
    approval: bool = False

    @property
    def has_gate(self) -> bool:
        return bool(self.soak_seconds or self.approval)


def resolve(waves: Sequence[WaveRequest], total: int) -> list[PlannedWave]:
    """The waves in numbers. Percentages are of all tasks, rounded up, at most what is left.

    Without waves there is one with all tasks. Empty waves are left out, and the gate after the
    last one. The result may cover fewer tasks than `total`; the validator says so.
    """
    if not waves:
        return [PlannedWave(total, WaveMode.CONCURRENT.value)]
    left = total
    planned = []
    for wave in waves:
        if wave.rest:
            size = left
        elif wave.percent is not None:
            # What is out of range (or no number) is the validator's to say; it must not break
            # the sum. As a decimal: 1.1 % of 1000 is 11, whatever floats make of it.
            share = Fraction(str(wave.percent)) if 0 < wave.percent <= 100 else 0
            size = min(left, math.ceil(total * share / 100))
        else:
            size = min(left, max(wave.size or 0, 0))
        left -= size
        if size:
            planned.append(PlannedWave(size, wave.mode, wave.soak_seconds, wave.approval))
    if planned:
        planned[-1] = replace(planned[-1], soak_seconds=0, approval=False)
    return planned


@register
def validate_waves(subject: Subject) -> Iterable[Issue]:
    """Every wave says one size that makes sense, and together they hold all tenants."""
    waves = subject.request.waves
    total = len(subject.request.tenants)
    if len(waves) > conf.WAVES_PER_PLAN_MAX:
        yield error(
            "TOO_MANY_WAVES",
            "waves",
            _("%(count)s waves are too many: at most %(limit)s."),
            count=len(waves),
            limit=conf.WAVES_PER_PLAN_MAX,
        )
        return
    for number, wave in enumerate(waves, 1):
        yield from _issues_of(wave, number)
    if waves and (waves[-1].soak_seconds or waves[-1].approval):
        yield warning(
            "GATE_AT_THE_END",
            "waves",
            _("The gate after the last wave holds nothing back: no wave comes after it."),
        )
    if waves and (covered := sum(wave.size for wave in resolve(waves, total))) < total:
        yield error(
            "WAVES_INCOMPLETE",
            "waves",
            _("The waves hold %(covered)s of %(total)s tenants: add a last wave with the rest."),
            covered=covered,
            total=total,
        )


def _issues_of(wave: WaveRequest, number: int) -> Iterable[Issue]:
    given = [wave.size is not None, wave.percent is not None, wave.rest]
    if sum(given) != 1:
        yield error(
            "WAVE_MALFORMED",
            "waves",
            _("Wave %(number)s needs exactly one of size, percent and rest."),
            number=number,
        )
    elif wave.size is not None and wave.size < 1:
        yield error(
            "WAVE_SIZE", "waves", _("Wave %(number)s needs a size of 1 or more."), number=number
        )
    elif wave.percent is not None and not 0 < wave.percent <= 100:
        yield error(
            "WAVE_PERCENT",
            "waves",
            _("Wave %(number)s needs a percentage above 0 and at most 100."),
            number=number,
        )
    if not 0 <= wave.soak_seconds <= conf.SOAK_SECONDS_MAX:
        yield error(
            "WAVE_SOAK",
            "waves",
            _("Wave %(number)s needs a soak time from 0 to %(limit)s seconds."),
            number=number,
            limit=conf.SOAK_SECONDS_MAX,
        )
    if wave.mode not in WaveMode.values:
        yield error(
            "WAVE_MODE",
            "waves",
            _("Wave %(number)s needs the mode CONCURRENT or FIFO."),
            number=number,
        )
