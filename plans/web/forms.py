"""What browsers send, made into what the facade takes."""

import re
from dataclasses import replace
from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from plans import conf
from plans.actor import Actor, Permission
from plans.errors import MalformedRequest
from plans.models import Environment, EventKind, FailurePolicy, Plan, Task, TaskState, WaveMode
from plans.pipelines import PIPELINES
from plans.queries import blast
from plans.queries.event_log import GROUPS, EventFilter
from plans.queries.tally import Tally
from plans.queries.task_table import PAGE_SIZES, SORTS, VIEWS, TaskFilter
from plans.validation import PlanRequest, TenantRequest, WaveRequest
from plans.validation.parameters import PARAMETERS_MAX_CHARS, parameters_of
from plans.validation.wave_text import parse_duration, parse_wave

ID = re.compile(r"[0-9]{1,18}")
PINNED = re.compile(r"(?:([A-Z_]{1,20}):)?([0-9]{1,18}(?:,[0-9]{1,18})*)")
NUMBER_MAX = 2_000_000_000


class PlanForm(forms.Form):
    """A new plan. Whether the values make sense together is for the validation chain."""

    name = forms.CharField(label=_("Name"), max_length=conf.NAME_MAX_CHARS)
    executor_type = forms.ChoiceField(label=_("Pipeline"))
    target = forms.ChoiceField(
        label=_("Target environment"),
        required=False,
        choices=[("", _("where none of the tenants is now")), *Environment.choices],
    )
    tenants = forms.CharField(label=_("Tenants"), required=False, widget=forms.Textarea)
    waves = forms.CharField(label=_("Waves"), required=False, max_length=2000)
    wave_mode = forms.ChoiceField(
        label=_("Inside a wave"), choices=WaveMode.choices, initial=WaveMode.CONCURRENT
    )
    soak = forms.CharField(label=_("Soak between waves"), required=False, max_length=12)
    approval = forms.BooleanField(label=_("A second person approves between waves"), required=False)
    max_concurrency = forms.IntegerField(
        label=_("At most at once"),
        min_value=1,
        max_value=conf.CONCURRENCY_MAX,
        initial=conf.CONCURRENCY_DEFAULT,
    )
    failure_policy = forms.ChoiceField(
        label=_("When a tenant fails"), choices=FailurePolicy.choices, initial=FailurePolicy.HALT
    )
    failure_budget = forms.IntegerField(
        label=_("Failures tolerated"), required=False, min_value=0, max_value=NUMBER_MAX
    )

    parameters = forms.CharField(
        label=_("Parameters of stages"),
        required=False,
        max_length=PARAMETERS_MAX_CHARS,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pipelines = forms.ChoiceField(
            label=_("Pipeline"), choices=[(name, name) for name in PIPELINES]
        )
        self.fields["executor_type"] = pipelines
        for field in self.fields.values():
            field.widget.attrs["aria-describedby"] = "preview"

    def clean_waves(self) -> tuple[WaveRequest, ...]:
        """`1, 10%, rest`; what a wave may add: see `wave_text`."""
        parts = [part.strip() for part in self.cleaned_data["waves"].split(",")]
        mode = self.data.get("wave_mode") or WaveMode.CONCURRENT.value
        return tuple(_wave(part, str(mode)) for part in parts if part)

    def clean_parameters(self) -> dict[str, dict[str, Any]]:
        """Those that differ from the defaults, by stage."""
        try:
            return parameters_of(self.cleaned_data["parameters"].strip() or "{}")
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def clean_soak(self) -> int:
        """Seconds."""
        try:
            return parse_duration(self.cleaned_data["soak"].strip().lower() or "0")
        except ValueError:
            raise forms.ValidationError(
                _("This is no duration: write 90s, 15m, 2h or 1d.")
            ) from None

    def _waves(self) -> tuple[WaveRequest, ...]:
        """The waves, with a gate after each but the last where the form asks for gates."""
        said = self.cleaned_data
        *waves, last = said["waves"] or (None,)
        gate = {"soak_seconds": said["soak"], "approval": said["approval"]}
        gated = [w if w.soak_seconds or w.approval else replace(w, **gate) for w in waves]
        return (*gated, last) if last else ()

    def as_request(self) -> PlanRequest:
        """The request for the validation chain; the form must be valid."""
        said = self.cleaned_data
        return PlanRequest(
            name=said["name"],
            tenants=tuple(
                TenantRequest(tenant_id) for tenant_id in tenant_ids(cast(QueryDict, self.data))
            ),
            executor_type=said["executor_type"],
            target=said["target"] or None,
            waves=self._waves(),
            max_concurrency=said["max_concurrency"],
            failure_policy=said["failure_policy"],
            failure_budget=said["failure_budget"],
            parameters=said["parameters"],
        )


def _wave(text: str, mode: str) -> WaveRequest:
    try:
        return parse_wave(text, mode)
    except ValueError:
        raise forms.ValidationError(
            _(
                "“%(text)s” is no wave: write a number, a percentage such as 10%%, or rest; then "
                "perhaps fifo, soak 15m, approval."
            ),
            params={"text": text[:40]},
        ) from None


def split_ids(text: str) -> list[str]:
    """The words of `text`, with any of space, comma, semicolon between."""
    return [word for word in re.split(r"[\s,;]+", text) if word]


def tenant_ids(data: QueryDict) -> list[str]:
    """The tenants of a plan's form: pasted ones, then ticked ones.

    Each once for what is ticked; what is pasted twice stays, for the chain to point out.
    """
    pasted = split_ids(data.get("tenants", ""))
    known = set(pasted)
    return pasted + [each for each in data.getlist("pick") if each and each not in known]


def task_filter(data: QueryDict) -> TaskFilter:
    """The filter of the task table that an address names; nonsense is left out."""
    states = [state.upper() for state in data.getlist("state")]
    wave, sort, size = data.get("wave", ""), data.get("sort", ""), data.get("size", "")
    return TaskFilter(
        states=tuple(state for state in states if state in TaskState.values),
        text=data.get("q", "").replace("\x00", "").strip()[:100],
        wave=int(wave) if re.fullmatch(r"[0-9]{1,6}", wave) else None,
        stage=data.get("stage", "").replace("\x00", "")[:64],
        code=data.get("code", "").replace("\x00", "")[:64],
        at=data.get("at", "").replace("\x00", "")[:64],
        sort=sort.removeprefix("-") if sort.removeprefix("-") in SORTS else "position",
        descending=sort.startswith("-"),
        size=next((each for each in PAGE_SIZES if str(each) == size), conf.PAGE_SIZE),
        view=data.get("view", "") if data.get("view", "") in VIEWS else "list",
    )


def event_filter(data: QueryDict) -> EventFilter:
    """The filter of the event log that an address names; nonsense is left out."""
    kind = data.get("kind", "")
    return EventFilter(
        kind=kind if kind in GROUPS or kind in EventKind.values else "",
        tenant=data.get("tenant", "").replace("\x00", "").strip()[:100],
        who=data.get("who", "").replace("\x00", "").strip()[:100],
    )


def command_of(data: QueryDict, verb: str) -> dict[str, Any]:
    """`seen` (a state, or a revision as a number), `reason`, and for a retry where from.

    Raises `MalformedRequest`.
    """
    seen, reason = data.get("seen", "").strip(), data.get("reason", "").strip()
    if "\x00" in seen + reason:
        raise MalformedRequest(gettext_noop("The reason holds a character that cannot be stored."))
    if len(reason) > conf.REASON_MAX_CHARS:
        raise MalformedRequest(
            gettext_noop("The reason has %(count)s characters: at most %(limit)s."),
            count=len(reason),
            limit=conf.REASON_MAX_CHARS,
        )
    command: dict[str, Any] = {"seen": _seen(seen), "reason": reason}
    if verb == "retry":
        command["from_checkpoint"] = data.get("from_checkpoint", "1") != "0"
    return command


def _seen(text: str) -> str | int | None:
    if ID.fullmatch(text):
        return int(text)
    return text or None


def require_typed_name(data: QueryDict, plan: Plan, verb: str, actor: Actor) -> None:
    """Above a threshold the plan's name is typed. Raises `MalformedRequest`."""
    if not actor.may(Permission.OPERATE) or data.get("typed_name", "").strip() == plan.name:
        return
    if blast.needs_typed_name(Tally.of(plan), verb):
        raise MalformedRequest(
            gettext_noop("Type the plan's name, “%(name)s”, to confirm: it concerns many tenants."),
            name=plan.name,
        )


def selected_tasks(data: QueryDict, plan: Plan) -> QuerySet[Task]:
    """The tasks that a form of the task table means. `scope` is one of `selected` (the ticked
    ones: `task`), `page` (the ones listed: `listed`) and `all` (all that match the filter).
    """
    scope = data.get("scope", "selected")
    if scope == "all":
        return task_filter(data).apply(plan)
    ids = data.get("listed", "").split(",") if scope == "page" else data.getlist("task")
    known = [int(each) for each in ids if ID.fullmatch(each)][: conf.PAGE_SIZE_MAX]
    if not known:
        raise MalformedRequest(gettext_noop("No task is selected: tick some, then try again."))
    return Task.objects.filter(plan=plan, pk__in=known).order_by("position")


def pinned_tasks(data: QueryDict, plan: Plan) -> dict[str, list[int]]:
    """The task ids that were confirmed, by the state in which they were then (`selection`:
    `STATE:1,2 STATE:3`); those of another plan are left out. Raises `MalformedRequest`.
    """
    words = data.get("selection", "").split() or [",".join(data.getlist("task"))]
    own = set(Task.objects.filter(plan=plan).values_list("pk", flat=True))
    found: dict[str, list[int]] = {}
    for word in words:
        match = PINNED.fullmatch(word)
        if match is None:
            raise MalformedRequest(gettext_noop("The selection cannot be read: select again."))
        ids = [int(each) for each in match[2].split(",")]
        found.setdefault(match[1] or "", []).extend(pk for pk in ids if pk in own)
    return found
