"""Tables of tenants: columns, separators, line numbers, what cannot be read."""

import pytest

from plans.preview.changes import changes
from plans.validation import TenantRequest
from plans.validation.tenant_csv import VERSION_MAX, parse_tenants


def read(text: str) -> list[tuple[str, int | None, object]]:
    table = parse_tenants(text)
    assert not table.errors, table.errors
    return [(each.tenant_id, each.version, each.payload) for each in table.tenants]


@pytest.mark.parametrize(
    "text",
    [
        't-1,20,"{""a"": 1}"\nt-2\n',
        't-1;20;"{""a"": 1}"\r\nt-2;;\r\n',
        't-1\t20\t"{""a"": 1}"\nt-2\t\t',
        'tenantId,version,payload\nt-1,20,"{""a"": 1}"\nt-2,,\n',
        '\ufeffTENANT_ID,Payload,Version\nt-1,"{""a"": 1}",20\nt-2,,\n',
        '\n\n t-1 , 20 ,"{""a"":\n 1}"\n\nt-2\n',
    ],
)
def test_columns_come_in_many_ways(text: str) -> None:
    assert read(text) == [("t-1", 20, {"a": 1}), ("t-2", None, None)]


@pytest.mark.parametrize("text", ["", "\n \n", "tenantId\n"])
def test_nothing_is_no_error(text: str) -> None:
    assert read(text) == []


def test_lines_are_counted_as_an_editor_does() -> None:
    table = parse_tenants('tenantId,version,payload\n\nt-1,,"{""a"":\n1}"\nt-2,0\nt-1\n')
    assert table.lines == {"t-1": 3}
    assert [(each.line, each.message.values.get("line")) for each in table.errors] == [
        (5, None),
        (6, 3),
    ]
    assert table.tenants == [TenantRequest("t-1", None, {"a": 1})]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a b", "is no tenant id"),
        ("x" * 65, "is no tenant id"),
        (",20", "is no tenant id"),
        ("t-1,-1", "is no version"),
        ("t-1,1.5", "is no version"),
        ("t-1,٣", "is no version"),
        (f"t-1,{VERSION_MAX + 1}", "is no version"),
        ("t-1," + "9" * 5000, "is no version"),
        ("t-1,,[]", "is no JSON object"),
        ("t-1,,{", "is no JSON object"),
        ('t-1,,"{""a"": NaN}"', "is no JSON object"),
        ("t-1,," + '{"a":' * 30 + "1" + "}" * 30, "is no JSON object"),
        ('t-1,1,{"a": 1, "b": 2}', "put a payload into quotes"),
        ("t-\ufffd", "not UTF-8"),
        ("t-1,\x00", "not UTF-8"),
        ("tenantId,owner", "There is no column"),
        ('t-1,,"{', "breaks off"),
    ],
)
def test_what_cannot_be_read_is_said_and_shortly(line: str, said: str) -> None:
    errors = parse_tenants(f"{line}\n").errors
    assert [said in str(each.message) for each in errors] == [True]
    assert len(str(errors[0].message)) < 200


def test_a_diff_names_paths_and_hides_secrets() -> None:
    before = {"a": {"b": 1, "same": 0}, "list": [1, 2], "gone": None, "dbPassword": "old"}
    after = {"a": {"b": 2, "same": 0}, "list": [1], "new": {}, "dbPassword": "new", "token": "t"}
    assert [(each.path, each.kind, each.before, each.after) for each in changes(before, after)] == [
        ("a.b", "changed", "1", "2"),
        ("dbPassword", "changed", '"•••"', '"••• (changed)"'),
        ("gone", "removed", "null", ""),
        ("list[1]", "removed", "2", ""),
        ("new", "added", "", "{}"),
        ("token", "added", "", '"•••"'),
    ]
    assert changes({}, None) == changes(None, {}) == []
    assert [each.before for each in changes("not JSON", {})] == ['"not JSON"']
