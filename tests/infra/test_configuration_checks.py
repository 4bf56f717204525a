"""What is not configured is named, each by its name, before anything starts."""

import os
import runpy
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from bluegreen.secret_key import kept_secret_key
from plans import conf
from plans.checks import CONFIGURATION

ROOT = Path(__file__).resolve().parents[2]


READ = [str(ROOT / "bluegreen" / "settings.py"), str(ROOT / "plans" / "conf.py")]
CHECK = ["manage.py", "check", "--deploy", "--tag", "configuration"]
RENEWALS = ["manage.py", "renewals"]
WEB = ["-m", "daphne", "-p", "0", "bluegreen.asgi:application"]


def check(command: Sequence[str] = CHECK, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a command says in this environment alone; as a rule, `manage.py check`."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in ("OB_SERVICE_URL", "GATEWAY_URL", "ALLOWED_ENDPOINT_NETWORKS")
    }
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,  # Who is not refused would run for ever.
    )


def test_each_missing_setting_is_named() -> None:
    result = check()
    assert result.returncode == 1
    for name in ("OB_SERVICE_URL", "GATEWAY_URL", "ALLOWED_ENDPOINT_NETWORKS"):
        assert f"{name} is not set" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_address_of_another_kind_is_refused() -> None:
    result = check(
        OB_SERVICE_URL="ftp://ob.example.net",
        GATEWAY_URL="http://gateway.example.net",
        ALLOWED_ENDPOINT_NETWORKS="127.0.0.0/8",
    )
    assert result.returncode == 1
    assert "OB_SERVICE_URL is no HTTP address" in result.stderr
    assert "GATEWAY_URL" not in result.stderr


def test_with_all_of_them_nothing_is_said() -> None:
    result = check(
        OB_SERVICE_URL="https://ob.example.net",
        GATEWAY_URL="http://gateway.example.net",
        ALLOWED_ENDPOINT_NETWORKS="10.0.0.0/8, fd00::/8",
    )
    assert result.returncode == 0, result.stderr


CONFIGURED = {
    "OB_SERVICE_URL": "https://ob.example.net",
    "GATEWAY_URL": "http://gateway.example.net",
    "ALLOWED_ENDPOINT_NETWORKS": "10.0.0.0/8",
}


def test_services_that_cannot_be_read_are_refused_with_the_entry() -> None:
    result = check(**CONFIGURED, NOTIFY_SERVICES="instances=direct_rpc,billing=pigeon")
    assert result.returncode == 1
    assert "NOTIFY_SERVICES cannot be read: entry 2, 'billing=pigeon'" in result.stderr
    assert "choose one of direct_rpc, redis_rpc" in result.stderr


def test_a_wrong_setting_does_not_show_the_password_in_it() -> None:
    result = check(
        OB_SERVICE_URL="ftp://olga:s3cret@ob.example.net",
        GATEWAY_URL="olga:s3cret@gateway.example.net",
        ALLOWED_ENDPOINT_NETWORKS="10.0.0.0/8",
        NOTIFY_SERVICES="billing=direct_rpc@https://olga:s3cret@billing.example.net",
    )
    assert result.returncode == 1
    for name in ("OB_SERVICE_URL", "GATEWAY_URL", "NOTIFY_SERVICES"):
        assert f"{name} " in result.stderr
    assert "s3cret" not in result.stderr


def test_a_service_that_may_not_be_called_is_warned_of() -> None:
    result = check(**CONFIGURED, NOTIFY_SERVICES="billing=direct_rpc@http://192.0.2.7:80")
    assert result.returncode == 0, result.stderr
    assert "billing cannot be told" in result.stderr


@pytest.mark.parametrize(
    ("seconds", "code"), [("0", 0), ("90", 0), ("10", 1), ("-5", 1), ("99999999999", 1)]
)
def test_a_configuration_that_would_run_out_before_it_is_renewed_is_refused(
    seconds: str, code: int
) -> None:
    result = check(**CONFIGURED, CONFIG_TTL_SECONDS=seconds)
    assert (result.returncode, "CONFIG_TTL_SECONDS cannot be" in result.stderr) == (code, code == 1)


REFUSED = {
    "HTTP_TIMEOUT_SECONDS": ["500ms", "nan", "0", "-1"],
    "LEASE_SECONDS": ["0"],
    "HEARTBEAT_SECONDS": ["0", "31"],  # The lease of the tests is 60 s.
    "WORKER_THREADS": ["many", "0"],
    "WORKER_GRACE_SECONDS": ["-5"],
    "HEALTH_ATTEMPTS": ["0"],
    "RENEWAL_LEASE_SECONDS": ["0", "40"],
    "INSTANCE_URL_TEMPLATE": ["{host}", "{endpoint", "http://x", "{endpoint}/{host}"],
    "ALLOWED_ENDPOINT_NETWORKS": ["10.0.0/8"],
    "PROXIES": ["one", "-1"],
    "TIME_ZONE": ["Mars/Base", "America", ""],
    "LOG_LEVEL": ["verbose"],
    "LOG_FORMAT": ["xml"],
    "DEBUG": ["ture"],
    "VAR_DIR": ["/dev/null/var"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in REFUSED.items() for value in values]
)
def test_a_wrong_value_is_refused_in_one_line_that_names_it(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured) as refused:
        read()
    [line] = str(refused.value).splitlines()
    assert line.startswith(f"{name} ")
    assert f"{name}=" in line, "it says how to write it"


def test_the_heartbeat_follows_a_short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEARTBEAT_SECONDS")
    for lease, heartbeat in (("10", 3.0), ("1.5", 0.5)):
        monkeypatch.setenv("LEASE_SECONDS", lease)
        assert read()["HEARTBEAT_SECONDS"] == heartbeat


def read() -> dict[str, Any]:
    """What all settings are in this environment."""
    return {each: value for path in READ for each, value in runpy.run_path(path).items()}


def errors() -> str:
    """What the checks say of the settings of this process."""
    found = run_checks(tags=[CONFIGURATION], include_deployment_checks=True)
    return "\n".join(str(each) for each in found)


@pytest.mark.parametrize(
    "url", ["http://u:s3cret@h:99999/", "http://", "http://a b/", "https://h/?tenant=x"]
)
def test_an_address_that_cannot_be_called_is_refused(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conf, "OB_SERVICE_URL", url)
    assert "OB_SERVICE_URL cannot be called" in errors()
    assert "s3cret" not in errors()


def test_a_service_may_stand_behind_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "OB_SERVICE_URL", "https://olga:s3cret@ob.example.net:8443")
    assert errors() == ""


OPEN: list[tuple[dict[str, Any], str]] = [
    ({"SECRET_KEY": "x"}, "SECRET_KEY can be guessed"),
    ({"SECRET_KEY": "x" * 50}, "SECRET_KEY can be guessed"),
    ({"ALLOWED_HOSTS": ["*"]}, "ALLOWED_HOSTS allows every name"),
    ({"CSRF_TRUSTED_ORIGINS": ["bluegreen.example.net"]}, "CSRF_TRUSTED_ORIGINS names an origin"),
    ({"DEBUG": True, "ALLOWED_HOSTS": ["bluegreen.example.net"]}, "DEBUG is on"),
    ({"DEBUG": True, "ALLOWED_HOSTS": []}, "DEBUG is on"),
]


@pytest.mark.parametrize(("settings", "said"), OPEN, ids=str)
def test_what_would_open_the_pages_is_refused_behind_tls(
    settings: dict[str, Any], said: str
) -> None:
    with override_settings(**{"INSECURE_COOKIES": False, **settings}):
        [found] = run_checks(tags=[CONFIGURATION], include_deployment_checks=True)
    assert said in found.msg
    assert found.is_serious()


@pytest.mark.parametrize(
    "settings", [{"SECRET_KEY": "x"}, {"ALLOWED_HOSTS": ["*"]}, {"DEBUG": True}], ids=str
)
def test_without_tls_it_is_a_warning(settings: dict[str, Any]) -> None:
    with override_settings(**{"ALLOWED_HOSTS": ["bluegreen.example.net"], **settings}):
        [found] = run_checks(tags=[CONFIGURATION], include_deployment_checks=True)
    assert not found.is_serious()


def test_on_the_loopback_debugging_is_nobody_elses_business() -> None:
    with override_settings(DEBUG=True, ALLOWED_HOSTS=["127.0.0.1", "localhost", "[::1]"]):
        assert errors() == ""


@pytest.mark.parametrize("kept", ["", "\n"])
def test_an_empty_secret_key_is_no_key(kept: str, tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text(kept)
    with pytest.raises(ImproperlyConfigured, match="secret_key is empty"):
        kept_secret_key(tmp_path / "secret_key")


@pytest.mark.parametrize(
    ("settings", "said"),
    [({}, "OB_SERVICE_URL is not set"), ({**CONFIGURED, "PROXIES": "-1"}, "PROXIES cannot be -1")],
    ids=["nothing is set", "one is wrong"],
)
def test_a_web_process_refuses_with_words(settings: dict[str, str], said: str) -> None:
    result = check(WEB, **settings)
    assert result.returncode == 1
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_renewals_refuse_a_configuration_that_runs_out_before_they_renew_it() -> None:
    result = check(RENEWALS, CONFIG_TTL_SECONDS="10")
    assert result.returncode == 1
    assert "CONFIG_TTL_SECONDS cannot be 10" in result.stderr
    assert "OB_SERVICE_URL" not in result.stderr, "they call no service"
