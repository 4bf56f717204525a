"""Log lines: what they are about, as JSON by setting, and never a secret."""

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from bluegreen.logs import JsonFormatter, LineFormatter
from plans import events, log_fields, operations
from plans.actor import SYSTEM
from plans.models import EventKind
from plans.redaction import redacted
from tests.plans.rows import make_rows
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.processes import Processes
from tests.support.sandbox import Sandbox

TOKEN = "bg_0123456789abcdefghijklmnopqrstuvwxyz-_"
SECRETS = {
    "an address with a user": ("postgres://bg:s3cret@db:5432/x", "postgres://•••@db:5432/x"),
    "a password with an @": ("redis://:s3c@ret@redis/0 is away", "redis://•••@redis/0 is away"),
    "a query string": (
        "GET http://x.example/a?key=s3cret&b=1 failed",
        "GET http://x.example/a?•••",
    ),
    "a path's query string": ("Not Found: /plans/?q=s3cret", "Not Found: /plans/?•••"),
    "a token of ours": (f"sent {TOKEN}.", "sent •••."),
    "a bearer": ("Authorization: Bearer s3cret.abc", "•••"),
    "a field": ("password=s3cret, user=olga", "password=•••, user=olga"),
    "a header": ("{'Cookie': 'sessionid=s3cret; x=1'}", "{'Cookie': •••}"),
    "a JSON field": ('{"apiKey": "s3cret words"}', '{"apiKey": •••}'),
    "a password with a blank": ("postgres://u:s3 s3cret@h/db", "postgres://•••@h/db"),
    "another scheme": ("Authorization: Token s3cret", "Authorization: •••"),
    "a scheme with parts": ('Authorization: Digest a=1, b="s3cret"', "Authorization: •••"),
    "a header of one's own": ("-H 'X-Auth-Token: abc s3cret' http://x/", "Token: •••' http://x/"),
    "cookies": ("Cookie: a=1; b=s3cret\nHost: x", "Cookie: •••\nHost: x"),
    "a raw request": (r"\r\nAuthorization: Token s3cret\r\nHost: x", r": •••\r\nHost: x"),
    "a scheme in a field": ("authorization=Token s3cret, user=olga", "=•••, user=olga"),
    "a secret key": ("SECRET_KEY=s3cret DEBUG=1", "SECRET_KEY=••• DEBUG=1"),
    "a secret key in quotes": ("SECRET_KEY: 's3cret words'", "SECRET_KEY: •••"),
    "a key of a cloud": ("AWS_SECRET_ACCESS_KEY=s3cret", "AWS_SECRET_ACCESS_KEY=•••"),
    "an access key": ("access_key=s3cret", "access_key=•••"),
    "a short name": ("pwd=s3cret", "pwd=•••"),
    "JSON in JSON": (
        r"{\"password\": \"s3cret\", \"user\": \"olga\"}",
        r"{\"password\": •••, \"user\": \"olga\"}",
    ),
    "a quote in JSON in JSON": (r"{\"token\": \"a\\\"s3cret\", \"n\": 1}", r", \"n\": 1}"),
    "a quote in a password": (r"password='a\'s3cret', user='olga'", "password=•••, user='olga'"),
    "what was cut off": ("password='two s3cret", "password=•••"),
    "a pair": ("[('password', 's3cret'), ('user', 'olga')]", "('password', •••), ('user', 'olga')"),
    "a pair of bytes": ("(b'authorization', b'Token s3cret')", "(b'authorization', •••)"),
    "a JWT": ("got eyJhbGciOiJI.eyJs3cretMjM.dozs3cret_-x back", "got ••• back"),
    "a private key": (
        "a -----BEGIN RSA PRIVATE KEY-----\ns3cret\n-----END RSA PRIVATE KEY----- b",
        "a ••• b",
    ),
    "a private key that was cut off": ("-----BEGIN PRIVATE KEY-----\ns3cret+/", "•••"),
}


@pytest.mark.parametrize("what", SECRETS)
def test_secrets_are_dots(what: str) -> None:
    text, shown = SECRETS[what]
    assert shown in redacted(text)
    assert "s3c" not in redacted(text)
    assert TOKEN not in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "Is it there? yes=1",
        "task=7 tenant=t-1 by=olga",
        "a 5 % tokenless line",
        "a@b.example",
        "the secretary: olga; the cookie here, a token there",
        "max_tokens=5 token_count=5 primary_key=3 key: 7",
        "('wave', 'token') and ['token', 'name']",
        "http://host:8000 and mail a@b.example",
        "https://x.example: connection refused, mail ops@x.example",
        "http://[::1]:8000 answers a@b.example",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


def record_of(message: str, *args: object, **extra: Any) -> logging.LogRecord:
    return logging.getLogger("plans.x").makeRecord(
        "plans.x", logging.WARNING, "x.py", 1, message, args, extra.pop("exc", None), extra=extra
    )


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece",
    [
        *("9", "a-", "token", 'token="', "bearer ", "://a", "?a", "bg_-", "secret_", "x-key", " "),
        *('password=\\"', "password='\\", "('password', '", "('a_", "eyJ-", "eyJaaaaaaaa.", "\\"),
        *("://u:p ", "authorization:", "x-key:", "cookie:", "-----BEGIN PRIVATE KEY-----", "-"),
    ],
)
def test_a_long_line_that_a_stranger_chose_takes_no_longer_than_its_length(piece: str) -> None:
    text = piece * (500_000 // len(piece))  # A square of that takes hours.
    assert len(redacted(text)) > 0


def test_a_json_line_says_what_it_is_about_and_hides_secrets_of_its_arguments() -> None:
    record = record_of("No answer: %s\nnext", "http://u:s3cret@x.example/", plan=7, task=8)
    text = JsonFormatter().format(record)
    line = json.loads(text)
    assert "\n" not in text
    assert line["message"] == "No answer: http://•••@x.example/\nnext"
    assert (line["level"], line["logger"], line["plan"], line["task"]) == (
        "WARNING",
        "plans.x",
        7,
        8,
    )
    assert line["time"].endswith("+00:00")
    assert "tenant" not in line


def test_a_traceback_is_one_field_without_secrets() -> None:
    try:
        raise ValueError("password=s3cret")
    except ValueError:
        record = record_of("It broke", exc=sys.exc_info())
    line = json.loads(JsonFormatter().format(record))
    assert "Traceback" in line["exception"]
    for text in (line["exception"], LineFormatter("%(message)s").format(record)):
        assert "password=•••" in text
        assert "s3cret" not in text


def test_what_is_given_counts_more_than_what_runs_here() -> None:
    with log_fields.bound(lambda: {"plan": 1, "task": 2, "stage": "soak"}):
        assert log_fields.fields_of(record_of("x")) == {"plan": 1, "task": 2, "stage": "soak"}
        assert log_fields.fields_of(record_of("x", plan=3)) == {"plan": 3}
    assert log_fields.fields_of(record_of("x")) == {}


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """What is logged meanwhile, as JSON."""
    kept: list[dict[str, Any]] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append(json.loads(JsonFormatter().format(record)))

    handler = Keeper()
    logging.getLogger("plans").addHandler(handler)
    yield kept
    logging.getLogger("plans").removeHandler(handler)


@pytest.mark.django_db(transaction=True)
def test_what_a_stage_logs_names_its_plan_task_tenant_stage_and_epoch(
    sandbox: Sandbox, lines: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Bursting:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("the gateway's client is broken")

    monkeypatch.setattr("plans.stages.switch_route.gateway", Bursting())
    plan = make_plan(["tenant-001"])
    task = plan.tasks.get()
    operations.start_plan(plan.pk, OPERATOR)
    work_off()
    (line,) = [line for line in lines if "exception" in line]
    about = {name: line[name] for name in log_fields.NAMES}
    assert about == {
        "plan": plan.pk,
        "task": task.pk,
        "tenant": "tenant-001",
        "stage": "switch_route",
        "epoch": 1,
    }


@pytest.mark.django_db(transaction=True)
def test_an_events_line_names_what_the_event_is_about(lines: list[dict[str, Any]]) -> None:
    plan, (task,) = make_rows("RUNNING", "RUNNING")
    with events.record(plan, SYSTEM) as record:
        record.note(EventKind.STAGE_FAILED, task=task, data={"stage": "soak"})
    (line,) = [line for line in lines if line["logger"] == "plans.events"]
    assert (line["plan"], line["task"], line["stage"]) == (plan.pk, task.pk, "soak")


@pytest.mark.processes
def test_a_process_writes_nothing_but_json_by_setting(processes: Processes) -> None:
    worker = processes.worker(LOG_FORMAT="json")
    worker.wait_for_log("runs up to")
    worker.terminate()
    assert worker.wait() == 0
    read = [json.loads(line) for line in worker.log.splitlines()]
    assert [line["level"] for line in read] == ["INFO"] * len(read)
    assert "has stopped" in read[-1]["message"]
