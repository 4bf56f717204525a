"""The cursor of pages that show the whole fleet."""

from datetime import UTC, datetime

import pytest

from plans.queries import tenants
from plans.rendering.cursors import LISTED_MAX, FleetCursor, FleetHead
from tests.plans.rows import make_tenant


def head(seqs: dict[int, int]) -> FleetHead:
    return FleetHead(seqs, registry=0, cursor="")


def cursor(seqs: dict[int, int], listed: set[int]) -> FleetCursor:
    """The cursor of a page that was loaded when the journals stood at `seqs`."""
    text = FleetCursor(
        sum(seqs.values()), max(seqs, default=0), 0, {j: seqs[j] for j in sorted(listed)}
    )
    return FleetCursor.parse(str(text))


def test_nothing_moved() -> None:
    assert head({1: 5, 2: 7}).moved_since(cursor({1: 5, 2: 7}, {2})) == {}


def test_a_listed_journal_and_a_new_one_moved() -> None:
    before = cursor({1: 5, 2: 7}, {2})
    assert head({1: 5, 2: 9, 3: 4}).moved_since(before) == {2: 7, 3: 0}


def test_a_journal_that_was_not_listed_moved_and_nobody_knows_from_where() -> None:
    assert head({1: 6, 2: 7}).moved_since(cursor({1: 5, 2: 7}, {2})) is None


@pytest.mark.parametrize("seqs", [{}, {1: 5}, {1: 5, 2: 3}, {1: 9, 2: 3}])
def test_a_database_that_lost_its_days_is_another_one(seqs: dict[int, int]) -> None:
    assert head(seqs).moved_since(cursor({1: 5, 2: 7}, {2})) is None


@pytest.mark.parametrize(
    "text", ["", "1", "1.2", "1.2.x", "1.2.3.4", "1.2.3.4:5:6", "1.2.3" + ".1:1" * (LISTED_MAX + 1)]
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        FleetCursor.parse(text)


@pytest.mark.django_db
@pytest.mark.parametrize("microsecond", [*range(1, 1_000_000, 47_623), 999_999])
def test_a_tenant_read_just_then_is_not_read_since(microsecond: int) -> None:
    at = datetime(2026, 11, 22, 5, 11, 7, microsecond, tzinfo=UTC)
    make_tenant("tenant-001", synced_at=at)
    assert tenants.read_since(tenants.last_read()) == []
    assert tenants.read_since(tenants.last_read() - 1) == ["tenant-001"]
