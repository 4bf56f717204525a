"""The form to sign in, on the dashboard's page and on the admin's."""

from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import Any, TypeVar

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import ngettext

from plans import conf
from plans.operations import sign_in

Answer = TypeVar("Answer", bound=HttpResponseBase)

IPV6_PREFIX = 64
"""One customer of a network provider has at least so many addresses: they count as one."""


class SignInForm(AuthenticationForm):
    """`wait_seconds` is above 0 where the try was refused, and nothing was looked at."""

    wait_seconds = 0

    def clean(self) -> dict[str, Any]:
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if name is None or not password:
            return super().clean()
        address = address_of(self.request)
        self.wait_seconds = ceil(sign_in.admit(name, address))
        if self.wait_seconds:
            raise ValidationError(
                ngettext(
                    "Too many tries to sign in. Wait %(count)d second, then try again.",
                    "Too many tries to sign in. Wait %(count)d seconds, then try again.",
                    self.wait_seconds,
                )
                % {"count": self.wait_seconds},
                code="throttled",
            )
        cleaned = super().clean()
        sign_in.succeeded(name, address)
        return cleaned


def told_to_wait(answer: Answer, form: object) -> Answer:
    """`answer`, which shows `form`: 429 with `Retry-After` where its try was refused."""
    if isinstance(form, SignInForm) and form.wait_seconds:
        answer.status_code = 429
        answer["Retry-After"] = str(form.wait_seconds)
    return answer


def address_of(request: HttpRequest | None) -> str:
    """Who asks, as far as our own proxies saw it; what lies further back anybody can invent."""
    if request is None:
        return "unknown"
    sent = [each.strip() for each in request.headers.get("X-Forwarded-For", "").split(",") if each]
    behind_proxy = 0 < conf.PROXIES <= len(sent)
    seen = sent[-conf.PROXIES] if behind_proxy else request.META.get("REMOTE_ADDR") or ""
    try:
        address = ip_address(seen)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ip_network((int(address), IPV6_PREFIX), strict=False))
    return str(address)
