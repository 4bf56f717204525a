"""What is not configured is named, each by its name, before anything starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def check(**environment: str) -> subprocess.CompletedProcess[str]:
    """`manage.py check` of the configuration in this environment alone."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in ("OB_SERVICE_URL", "GATEWAY_URL", "ALLOWED_ENDPOINT_NETWORKS")
    }
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--tag", "configuration"],
        cwd=ROOT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
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
