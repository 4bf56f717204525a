"""Parameters of stages, as people write them: JSON."""

import json
from typing import Any

from django.utils.translation import gettext as _

PARAMETERS_MAX_CHARS = 100_000


def parameters_of(text: str) -> dict[str, dict[str, Any]]:
    """What `{"STAGE": {"PARAMETER": VALUE}}` says; raises ValueError with what to write.

    Whether there are such stages and parameters is for the chain.
    """
    try:
        parameters = json.loads(text)
    except (ValueError, RecursionError):
        parameters = None
    if not isinstance(parameters, dict) or not all(
        isinstance(each, dict) for each in parameters.values()
    ):
        raise ValueError(_('Parameters are JSON by stage, as {"check_health": {"attempts": 20}}.'))
    return parameters
