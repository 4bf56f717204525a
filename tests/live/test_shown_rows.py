"""A page is told of the rows that it shows, and of no others."""

import asyncio
import json
import re
import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import pytest
from django.test import Client

from plans import conf, operations
from plans.live.feeds import watching
from plans.live.source import Changed, Source
from plans.live.viewer import Viewer
from plans.models import Task
from plans.rendering.cursors import plan_cursor
from plans.rendering.regions import Region
from tests.live.sockets import WAIT_SECONDS, Socket, Sockets
from tests.support.driving import OPERATOR, make_plan, work_off
from tests.support.sandbox import Sandbox


class Lines(Source):
    """Rows `line-<number>` with a text each; the cursor counts their changes."""

    group = "lines"
    tables = ("table",)
    row_prefix = "line-"

    def __init__(self) -> None:
        super().__init__("en")
        self.texts: dict[int, str] = {}
        self._changes: list[int] = []

    def write(self, number: int, text: str) -> None:
        self.texts[number] = text
        self._changes.append(number)

    def look(self) -> str:
        return str(len(self._changes))

    def age_order(self, cursor: str) -> int:
        return int(cursor)

    def changed_since(self, cursor: str) -> Changed:
        return Changed(frozenset(self._changes[int(cursor) :]))

    def rows(self, ids: Collection[int]) -> Iterable[Region]:
        return [Line(number, self.texts[number]) for number in ids]  # type: ignore[misc]

    def told(self, before: str, *shown: str) -> set[str]:
        """The texts of the rows that viewers at `before` are told when those are shown."""
        reading = self.read(before, (), False, frozenset(shown))
        return {re.sub("<.*?>", "", html) for html in reading.news.rows.values()}


@dataclass
class Line:
    number: int
    text: str

    def html(self) -> str:
        return f'<tr id="line-{self.number}">{self.text}</tr>'


def test_only_what_is_shown_is_rendered() -> None:
    lines = Lines()
    for number in (1, 2, 3):
        lines.write(number, f"text {number}")
    assert lines.told("0", "line-2", "line-9") == {"text 2"}
    assert lines.told("0") == set()


def test_who_shows_a_row_later_is_told_when_it_is_again_as_it_was() -> None:
    lines = Lines()
    lines.write(1, "as it was")
    assert lines.told("0", "line-1") == {"as it was"}
    lines.write(1, "as it is in between")
    assert lines.told("1") == set()
    lines.write(1, "as it was")
    assert lines.told("2", "line-1") == {"as it was"}


def test_a_page_fetches_its_table_when_more_of_its_rows_changed_than_a_frame_holds() -> None:
    lines = Lines()
    for number in range(conf.ROWS_PER_FRAME_MAX + 1):
        lines.write(number, "text")
    names = [f"line-{number}" for number in lines.texts]
    reading = lines.read("0", (), False, frozenset(names))
    assert (list(reading.news.rows), reading.news.refresh) == ([], ["table"])
    reading = lines.read("0", (), False, frozenset(names[1:]))
    assert (sorted(reading.news.rows), reading.news.refresh) == (sorted(names[1:]), [])


def test_a_row_that_a_page_shows_while_changes_are_read_is_told_in_the_next_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("LIVE_POLL_SECONDS", "LIVE_REFRESH_SECONDS", "LIVE_HEARTBEAT_SECONDS"):
        monkeypatch.setattr(conf, name, 600.0)
    lines, viewer = Lines(), Viewer("0")
    reads, goes_on = threading.Event(), threading.Event()
    goes_on.set()

    def hold() -> Iterable[Region]:
        reads.set()
        assert goes_on.wait(WAIT_SECONDS)
        return []

    monkeypatch.setattr(lines, "regions", hold)
    lines.write(1, "one")

    async def next_told() -> str:
        async with asyncio.timeout(WAIT_SECONDS):
            message = json.loads(await viewer.next_message())
        viewer.saw()
        return str(message.get("rows", ""))

    async def scene() -> None:
        viewer.show(frozenset(["line-1"]))
        async with watching("lines", lambda: lines, viewer) as feed:
            assert "one" in await next_told()
            goes_on.clear()
            reads.clear()
            lines.write(1, "one again")
            lines.write(2, "two")
            feed.wake()
            await asyncio.to_thread(reads.wait, WAIT_SECONDS)
            viewer.show(frozenset(["line-1", "line-2"]))
            feed.wake()
            goes_on.set()
            told = await next_told()
            assert "one again" in told
            assert "two" in told

    asyncio.run(scene())


@pytest.mark.django_db(transaction=True)
def test_each_page_of_a_plan_gets_its_own_rows(
    sandbox: Sandbox, sockets: Sockets, viewer: Client
) -> None:
    plan = make_plan(["tenant-001", "tenant-002", "tenant-003"])
    first, second, third = (f"task-{pk}" for pk in Task.objects.values_list("pk", flat=True))
    began = plan_cursor(plan)
    one, two, every = (
        sockets.watch(f"/ws/plans/{plan.pk}/?cursor={began}", viewer) for _ in range(3)
    )
    for socket in (one, two, every):
        socket.receive()
    for socket, shown in ((one, [first]), (two, [second, third])):
        socket.say({"cursor": "nonsense", "shown": shown})
        while not socket.receive().get("whole"):  # The answer: what it said is known now.
            pass

    operations.start_plan(plan.pk, OPERATOR)
    work_off()

    cursor = plan_cursor(plan)
    assert rows_until(cursor, one) == {first}
    assert rows_until(cursor, two) == {second, third}
    assert rows_until(cursor, every) == {first, second, third}

    # It turns a page of its table, which it fetched when the plan had just begun.
    one.say({"cursor": began, "shown": [second, 7, None]})
    assert rows_until(cursor, one) == {second}


def rows_until(cursor: str, socket: Socket) -> set[str]:
    """The ids of the rows in all messages up to the one at `cursor`."""
    told = ""
    while True:
        message = socket.receive()
        told += message.get("rows", "")
        if message["cursor"] == cursor:
            return set(re.findall(r'<tr id="(task-\d+)"', told))
