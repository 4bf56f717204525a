"""The form of a new plan, made into a request for the validation chain."""

import re
from dataclasses import replace
from typing import Any, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _

from plans import conf
from plans.models import Environment, FailurePolicy, WaveMode
from plans.pipelines import PIPELINES
from plans.validation import PlanRequest, TenantRequest, WaveRequest
from plans.validation.parameters import PARAMETERS_MAX_CHARS, parameters_of
from plans.validation.tenant_csv import TenantTable, parse_tenants
from plans.validation.wave_text import parse_duration, parse_wave

NUMBER_MAX = 2_000_000_000
LINES_SHOWN_MAX = 50


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

    csv = forms.CharField(
        label=_("Tenants as a table"),
        required=False,
        max_length=conf.CSV_MAX_CHARS,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "wrap": "off"}),
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

    def clean_csv(self) -> TenantTable:
        """The tenants of the table; every line that cannot be read is an error of its own."""
        table = parse_tenants(self.cleaned_data["csv"])
        if table.errors:
            raise forms.ValidationError(
                [
                    forms.ValidationError(
                        _("Line %(line)s: %(what)s"),
                        params={"line": each.line, "what": str(each.message)},
                    )
                    for each in table.errors[:LINES_SHOWN_MAX]
                ]
            )
        return table

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
            tenants=(
                *map(TenantRequest, tenant_ids(cast(QueryDict, self.data))),
                *said["csv"].tenants,
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


def submitted(request: HttpRequest) -> QueryDict:
    """What the form sent; a file that came with it stands in `csv`, in place of what was there."""
    data = request.POST.copy()
    file = request.FILES.get("csv_file")
    if isinstance(file, UploadedFile):
        # One byte more than is taken, so that the form says that it is too much.
        raw = file.read(conf.CSV_MAX_CHARS + 1)
        data["csv"] = raw.decode("utf-8-sig", "replace")
    return data
