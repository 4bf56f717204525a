"""What must be configured before Bluegreen may run: Django's system checks.

They count as deployment checks: `migrate` and `makemigrations` work without them. What serves asks
for them at its start: `check --deploy --tag configuration`, or in a command
``self.check(tags=[CONFIGURATION], include_deployment_checks=True)``.
"""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Warning, register

from plans import conf, notify
from plans.renewal.spec import margin_seconds
from plans.renewal.ttl import TTL_MAX_SECONDS

CONFIGURATION = "configuration"


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


@register(CONFIGURATION, deploy=True)
def configurations_outlive_a_renewal(
    app_configs: Sequence[AppConfig] | None = None, **options: Any
) -> list[CheckMessage]:
    """An error when configurations would run out before they are renewed for the first time."""
    seconds = conf.CONFIG_TTL_SECONDS
    least = conf.PLAN_KEYS_INTERVAL_SECONDS + margin_seconds()
    if seconds == 0 or least <= seconds <= TTL_MAX_SECONDS:
        return []
    return [
        Error(
            f"CONFIG_TTL_SECONDS cannot be {seconds:g}.",
            hint=f"It is 0, for none, or from {least:g} to {TTL_MAX_SECONDS}: with less, a "
            "tenant's configuration would be gone before it is renewed.",
            id="bluegreen.E005",
        )
    ]
