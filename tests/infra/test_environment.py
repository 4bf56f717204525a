"""Settings are read strictly: what is no number, or beyond its limits, is refused in words."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from bluegreen import environment

NAME = "A_SETTING"


def number(written: str, monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setenv(NAME, written)
    return environment.number(NAME, default=5, least=0, most=3600)


@pytest.mark.parametrize(
    ("written", "read"),
    [("7", 7.0), ("0.25", 0.25), (" 2 ", 2.0), ("1e3", 1000.0), (".5", 0.5), ("0", 0.0)],
)
def test_a_number_is_what_python_reads(
    written: str, read: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert number(written, monkeypatch) == read


@pytest.mark.parametrize(
    "written", ["500ms", "1m", "0.5,5", "0,5", "1 000", "nan", "inf", "-inf", "s3cret", ""]
)
def test_what_is_no_number_is_refused_and_not_repeated(
    written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        number(written, monkeypatch)
    assert str(refused.value) == (
        f"{NAME} is no number. It goes from 0 to 3600. Write it as {NAME}=5."
    )


@pytest.mark.parametrize("written", ["-1", "3600.5", "1e9"])
def test_a_number_beyond_its_limits_is_refused(
    written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} cannot be .*from 0 to 3600"):
        number(written, monkeypatch)


def test_without_a_word_the_default_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAME, raising=False)
    assert environment.number(NAME, default=5, least=0, most=9) == 5
    assert environment.whole_number(NAME, default=5, least=0, most=9) == 5
    assert environment.yes_or_no(NAME, default=True) is True
    assert environment.networks(NAME) == ()


@pytest.mark.parametrize("written", ["2.0", "many", "11", "-1", ""])
def test_a_count_is_a_whole_number(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, written)
    with pytest.raises(ImproperlyConfigured, match=NAME):
        environment.whole_number(NAME, default=5, least=0, most=9)


@pytest.mark.parametrize(
    ("written", "read"), [("True", True), ("1", True), ("off", False), ("no", False), ("", False)]
)
def test_yes_and_no_are_read(written: str, read: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, written)
    assert environment.yes_or_no(NAME, default=not read) is read


def test_what_is_neither_yes_nor_no_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "ture")
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} is neither true nor false"):
        environment.yes_or_no(NAME, default=True)


def test_a_level_may_be_written_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "warning")
    assert environment.log_level(NAME, "INFO") == "WARNING"
