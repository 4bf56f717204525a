"""What must be configured before Bluegreen may run: Django's system checks.

They count as deployment checks: `migrate` and `makemigrations` work without them. What serves asks
for them at its start: `check --deploy --tag configuration`, or in a command
``self.check(tags=[CONFIGURATION], include_deployment_checks=True)``. The renewal of keys calls no
service and shows no page: it asks for `RENEWALS` alone. What cannot be read at all, or is out of
its limits, is refused where it is read (`bluegreen.environment`).
"""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from plans import conf, notify
from plans.clients.address import without_credentials, written_problems
from plans.renewal.spec import margin_seconds

CONFIGURATION = "configuration"
RENEWALS = "renewals"
LOOPBACK = {"127.0.0.1", "localhost", ".localhost", "[::1]"}
SECRET_KEY_MIN_CHARS = 32
SECRET_KEY_MIN_DISTINCT_CHARS = 5


@register(CONFIGURATION, deploy=True)
def addresses_are_named(
    app_configs: Sequence[AppConfig] | None = None, **options: Any
) -> list[CheckMessage]:
    """One error for each address that is missing or is no HTTP address."""
    messages: list[CheckMessage] = []
    named = {"OB_SERVICE_URL": conf.OB_SERVICE_URL, "GATEWAY_URL": conf.GATEWAY_URL}
    for number, (name, url) in enumerate(named.items(), start=1):
        if not url:
            messages.append(
                Error(
                    f"{name} is not set.",
                    hint=f"Set it to the base address of the service, as "
                    f"{name}=https://service.example.net",
                    id=f"bluegreen.E00{number}",
                )
            )
        elif not url.startswith(("http://", "https://")):
            messages.append(
                Error(
                    # Not which one: where a password stands in it nobody knows.
                    f"{name} is no HTTP address.",
                    hint="It begins with http:// or https://",
                    id=f"bluegreen.E01{number}",
                )
            )
        elif problems := written_problems(without_credentials(url)):
            messages.append(
                Error(
                    f"{name} cannot be called.",
                    hint=" ".join(map(str, problems)),
                    id=f"bluegreen.E01{number}",
                )
            )
    return messages


@register(CONFIGURATION, deploy=True)
def endpoint_networks_are_named(
    app_configs: Sequence[AppConfig] | None = None, **options: Any
) -> list[CheckMessage]:
    """An error when no network is allowed: every tenant's endpoint would be refused."""
    if conf.ALLOWED_ENDPOINT_NETWORKS:
        return []
    return [
        Error(
            "ALLOWED_ENDPOINT_NETWORKS is not set.",
            hint="Name the networks where tenants' endpoints may point, as "
            "ALLOWED_ENDPOINT_NETWORKS=10.20.0.0/16,192.0.2.0/24",
            id="bluegreen.E003",
        )
    ]


@register(CONFIGURATION, deploy=True)
def services_can_be_told(
    app_configs: Sequence[AppConfig] | None = None, **options: Any
) -> list[CheckMessage]:
    """An error when NOTIFY_SERVICES cannot be read; a warning for who cannot be told as it is.

    A warning only, because a name may become known, or a service move, after this start.
    """
    try:
        services = notify.configured()
    except notify.BadServices as bad:
        return [
            Error(
                f"NOTIFY_SERVICES cannot be read: {bad}",
                hint="Name the services as NOTIFY_SERVICES=instances=direct_rpc,"
                "billing=redis_rpc@https://billing.example.net (without an address: the tenant's "
                "instances; none for no services).",
                id="bluegreen.E004",
            )
        ]
    return [
        Warning(
            f"NOTIFY_SERVICES: {service.name} cannot be told: {problem}",
            hint="Plans whose pipeline notifies services fail while this is so.",
            id="bluegreen.W001",
        )
        for service in services
        for problem in service.problems()
    ]


@register(CONFIGURATION, RENEWALS, deploy=True)
def configurations_outlive_a_renewal(
    app_configs: Sequence[AppConfig] | None = None, **options: Any
) -> list[CheckMessage]:
    """An error when configurations would run out before they are renewed for the first time."""
    seconds = conf.CONFIG_TTL_SECONDS
    least = conf.PLAN_KEYS_INTERVAL_SECONDS + margin_seconds()
    if seconds == 0 or least <= seconds:
        return []
    return [
        Error(
            f"CONFIG_TTL_SECONDS cannot be {seconds:g}.",
            hint=f"It is 0, for none, or {least:g} and more: with less, a "
            "tenant's configuration would be gone before it is renewed.",
            id="bluegreen.E005",
        )
    ]


@register(CONFIGURATION, deploy=True)
def pages_are_for_those_who_may(
    app_configs: Sequence[AppConfig] | None = None, **options: Any
) -> list[CheckMessage]:
    """What is wrong with each setting that would open the pages to those who are to stay out.

    Behind TLS, so in production, it is an error; without, as on somebody's own machine, a warning.
    """
    messages: list[CheckMessage] = []
    grave: type[Error | Warning] = Warning if settings.INSECURE_COOKIES else Error
    key, hosts = settings.SECRET_KEY, set(settings.ALLOWED_HOSTS)
    if len(key) < SECRET_KEY_MIN_CHARS or len(set(key)) < SECRET_KEY_MIN_DISTINCT_CHARS:
        messages.append(
            grave(
                "SECRET_KEY can be guessed, and with it everybody's session.",
                hint=f"Give it {SECRET_KEY_MIN_CHARS} random characters or more, or leave it out: "
                "one is made and kept in VAR_DIR.",
                id="bluegreen.E006",
            )
        )
    if "*" in hosts:
        messages.append(
            grave(
                "ALLOWED_HOSTS allows every name: pages of other sites could act under theirs.",
                hint="Name the hosts, as ALLOWED_HOSTS=bluegreen.example.net",
                id="bluegreen.E007",
            )
        )
    if not all(
        origin.startswith(("http://", "https://")) for origin in settings.CSRF_TRUSTED_ORIGINS
    ):
        messages.append(
            Error(
                "CSRF_TRUSTED_ORIGINS names an origin without its scheme.",
                hint="Write it as CSRF_TRUSTED_ORIGINS=https://bluegreen.example.net",
                id="bluegreen.E008",
            )
        )
    if settings.DEBUG and (hosts - LOOPBACK or not settings.INSECURE_COOKIES):
        messages.append(
            grave(
                "DEBUG is on, and others than this machine may ask: errors would show them code "
                "and settings.",
                hint="Set DEBUG=false, or leave ALLOWED_HOSTS and INSECURE_COOKIES as they are "
                "by default.",
                id="bluegreen.E009",
            )
        )
    return messages
