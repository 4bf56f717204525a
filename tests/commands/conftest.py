"""Run a management command as a script would, and see what it printed and how it ended."""

from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO

import pytest
from django.core.management import call_command


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Manage = Callable[..., Ended]


@pytest.fixture
def manage() -> Manage:
    """`manage("plan", "show", 5)` runs `manage.py plan show 5` in this process."""

    def run(*arguments: object) -> Ended:
        out, err = StringIO(), StringIO()
        code: object = 0
        try:
            call_command(*map(str, arguments), stdout=out, stderr=err)
        except SystemExit as ended:
            code = ended.code
        assert isinstance(code, int)
        return Ended(code, out.getvalue(), err.getvalue())

    return run
