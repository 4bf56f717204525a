"""Django's page for errors while `DEBUG` is on, without the passwords that stand in addresses."""

import re

from django.views.debug import SafeExceptionReporterFilter


class WithoutAddresses(SafeExceptionReporterFilter):
    """Settings that hold the address of a Redis, and maybe its password, are stars as well."""

    hidden_settings = re.compile(
        f"{SafeExceptionReporterFilter.hidden_settings.pattern}|REDIS|RQ_QUEUES|CHANNEL_LAYERS|URL$",
        re.IGNORECASE,
    )
