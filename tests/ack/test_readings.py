"""Which version is expected of a value, and which one is read from an answer."""

import hashlib
import json
import time
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from plans.ack import Digest, Header, JsonField, JsonPath, Pattern, readers
from plans.ack.json_path import steps_of
from plans.ack.unreadable import Unreadable
from plans.clients.http import Reply
from tests.support.waiting import WAIT_SECONDS


def reply(content: str | bytes = "", **headers: str) -> Reply:
    data = content.encode() if isinstance(content, str) else content
    return Reply(data, httpx.Headers({name.replace("_", "-"): v for name, v in headers.items()}))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("$.version", {"version": "20"}),
        ("$.version", {"version": 20}),
        ("$['version']", {"version": "20"}),
        ("$.config.active[1].version", {"config": {"active": [{}, {"version": 20}]}}),
        ('$["a b"][0]', {"a b": ["20"]}),
        ("$", "20"),
        ("$[0]", [20]),
    ],
)
def test_a_version_is_read_by_its_path(path: str, body: Any) -> None:
    assert JsonPath(json_path=path)(reply(json.dumps(body))) == "20"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no JSON",
        "[" * 5000,
        b"\xff",
        "{}",
        "null",
        "[1]",
        '"version"',
        '{"version": null}',
        '{"version": true}',
        '{"version": 1.5}',
        '{"version": {"is": 20}}',
        '{"version": ["20"]}',
        '{"version": ' + "9" * 4000 + "1}" + "9" * 400,
    ],
)
def test_what_holds_no_version_at_its_path_is_unreadable(content: str | bytes) -> None:
    with pytest.raises(Unreadable):
        JsonPath(json_path="$.version")(reply(content))


@pytest.mark.parametrize(
    "path", ["", "version", "$version", "$.", "$..a", "$.a[", "$[-1]", "$[*]", "$.a.*", "$" * 300]
)
def test_what_is_no_path_is_refused_before_anybody_is_asked(path: str) -> None:
    for make in (lambda: JsonPath(json_path=path), lambda: JsonField(field=path)):
        with pytest.raises(ValidationError):
            make()


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True)


@given(st.lists(NAMES | st.integers(0, 5), max_size=6), st.integers(0, 10**18))
def test_every_place_of_a_document_has_a_path(steps: list[str | int], version: int) -> None:
    document: Any = version
    for step in reversed(steps):
        document = {step: document} if isinstance(step, str) else [None] * step + [document]
    path = "$" + "".join(f".{s}" if isinstance(s, str) else f"[{s}]" for s in steps)
    assert steps_of(path) == tuple(steps)
    assert JsonPath(json_path=path)(reply(json.dumps(document))) == str(version)


def test_a_pattern_gives_its_first_group_or_all_that_it_finds() -> None:
    page = reply("config_version 20\nconfig_version 19")
    assert Pattern(pattern=r"config_version (\d+)")(page) == "20"
    assert Pattern(pattern=r"\d+")(page) == "20"


@pytest.mark.parametrize("content", ["", "nothing here", "x" * 5000 + "v20", b"\xff\xfe"])
def test_a_pattern_that_finds_nothing_in_the_first_part_is_unreadable(
    content: str | bytes,
) -> None:
    with pytest.raises(Unreadable):
        Pattern(pattern=r"v(\d+)")(reply(content))


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        r"(\w*)*",
        "(a|aa){2,}",
        ".*.*.*.*x",
        "(a|a)" * 30 + "b",
        "a?" * 30 + "a" * 30,
        "}?" * 30 + "}" * 30,
        "(?#[)" + "a?" * 30 + "]",
        "(?sx: #[\n" + "a?" * 30 + "#]\n)",
        "(",
        "a" * 300,
    ],
)
def test_a_pattern_that_could_take_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError):
        Pattern(pattern=pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"\(v\)+(\d+)",
        r"[)]*(\d+)",
        r"v=(?P<n>\d+)[^)+]*;",
        r"(?:a|b|c|d)(?i:v)=??(\d+?)\.[|?]",
        r"\(?x(\d+)\)?[#?]",
    ],
)
def test_what_only_looks_like_it_is_not(pattern: str) -> None:
    Pattern(pattern=pattern)


@pytest.mark.parametrize("pattern", ["x*x*x*y", "x*?x*?x*?(?:y|z|y|z|y|z|y)", ".*.*.*y"])
def test_a_pattern_that_takes_long_is_given_up(pattern: str) -> None:
    began = time.monotonic()
    with pytest.raises(Unreadable):
        Pattern(pattern=pattern)(reply("x" * 4096))
    assert time.monotonic() - began < 120  # Without an end it would be hours.


def test_a_version_is_not_cut_where_the_window_of_the_search_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(readers, "SEARCH_SECONDS", WAIT_SECONDS)
    line = "x" * 253 + "v12345;" + "x" * 1000
    assert Pattern(pattern=r".*v(\d+)")(reply(line)) == "12345"
    assert Pattern(pattern=r"x+v(\d+)\b")(reply(line)) == "12345"
    assert Pattern(pattern=r"v(\d+)$")(reply("v1 " * 200 + "v12345")) == "12345"


def test_a_header_is_read_in_whatever_case() -> None:
    reader = Header(header="X-Config-Version")
    assert reader(reply(x_config_version=" 20 ")) == "20"
    with pytest.raises(Unreadable):
        reader(reply(version="20"))


def test_the_expected_version_is_a_field_or_a_digest_of_the_value() -> None:
    value = '{"revision": 7, "名": "é"}'
    assert JsonField(field="$.revision")(value) == "7"
    assert Digest(digest="sha256")(value) == hashlib.sha256(value.encode()).hexdigest()
    assert Digest(digest="md5")(value) == hashlib.md5(value.encode()).hexdigest()
    with pytest.raises(ValidationError):
        Digest(digest="crc")
    with pytest.raises(Unreadable):
        JsonField(field="$.version")(value)


@given(st.text(), st.text())
def test_different_values_have_different_digests(one: str, other: str) -> None:
    assert (Digest(digest="sha256")(one) == Digest(digest="sha256")(other)) is (one == other)
