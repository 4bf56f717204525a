"""One consumer a kind of page: lets the viewer in, then passes on what its feed sends."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Hashable
from typing import Any
from urllib.parse import parse_qs

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django import db

from plans import conf
from plans.live.admission import Close, language_of, refusal
from plans.live.feed import Feed
from plans.live.feeds import watching
from plans.live.fleet_source import OverviewSource, PlanListSource
from plans.live.plan_source import PlanSource
from plans.live.source import Source
from plans.live.task_source import TaskSource
from plans.live.viewer import Viewer
from plans.models import Plan, Task
from plans.queries.lists import ID_MAX

CURSOR_MAX_CHARS = 2000
MESSAGE_MAX_CHARS = 40_000

logger = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class PageConsumer(AsyncJsonWebsocketConsumer):
    """A socket. The address carries `?cursor=`; later the page says `{"cursor": …}` to start anew
    from there, `{"shown": […]}` with the element ids of the rows that it shows, so that it is told
    of no others, and `{"seen": true}` for each message that it has shown.
    """

    # The feeds hear the doorbells; without Redis a page still opens.
    channel_layer_alias = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._watching: asyncio.Task[None] | None = None
        self._viewer = Viewer("")
        self._feed: Feed | None = None

    def find(self) -> object | None:
        """The subject, None if there is no such thing. Runs in a thread."""
        return self

    def subject(self) -> Hashable:
        """What names the subject among all."""
        return type(self).__name__

    def source(self, found: Any, language: str) -> Source:
        """The source of a feed for what `find` found."""
        raise NotImplementedError

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Handle a message of the server.

        Channels would first send a thread to close old database connections, for each message of
        each page; here whoever uses the database does that.
        """
        await getattr(self, get_handler_name(message))(message)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self._watching is not None:
                self._watching.cancel()
                await asyncio.gather(self._watching, return_exceptions=True)

    async def connect(self) -> None:
        # A code to close with can only be sent over a socket that was accepted.
        await self.accept()
        try:
            code, found = await database_sync_to_async(self._admit)()
        except db.Error as error:
            logger.warning("A page is told to come back later: %s", error)
            code, found = Close.LATER, None
        if code is not None:
            await self._end(code)
            return
        query = parse_qs(self.scope["query_string"].decode("latin1"))
        self._viewer = Viewer(query.get("cursor", [""])[0][:CURSOR_MAX_CHARS])
        self._watching = asyncio.create_task(self._watch(found))

    async def receive_json(self, content: Any, **_: Any) -> None:
        if not isinstance(content, dict):
            return
        if content.get("seen"):
            self._viewer.saw()
        if isinstance(shown := content.get("shown"), list):
            self._viewer.show(frozenset(row for row in shown if isinstance(row, str)))
        if isinstance(content.get("cursor"), str):
            self._viewer.unsettle(content["cursor"][:CURSOR_MAX_CHARS])
        if self._feed is not None and not self._viewer.is_settled:
            self._feed.wake()

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any
    ) -> None:
        if text_data is None or len(text_data) > MESSAGE_MAX_CHARS:
            await self._end(Close.TOO_LARGE)
            return
        try:
            await super().receive(text_data)
        except (ValueError, RecursionError):
            await self._end(Close.NONSENSE)

    async def _end(self, code: Close) -> None:
        await self.close(int(code))  # The server takes a plain number only.

    def _admit(self) -> tuple[Close | None, object | None]:
        code = refusal(self.scope["cookies"])
        found = None if code else self.find()
        return code or (Close.UNKNOWN if found is None else None), found

    async def _watch(self, found: object) -> None:
        language = self._language()
        async with watching(
            (self.subject(), language), lambda: self.source(found, language), self._viewer
        ) as self._feed:
            pump = asyncio.create_task(self._pump())
            try:
                await self._end(await self._wait_for_an_end())
            finally:
                pump.cancel()
                await asyncio.gather(pump, return_exceptions=True)

    async def _pump(self) -> None:
        while True:
            await self.send(await self._viewer.next_message())

    async def _wait_for_an_end(self) -> Close:
        """Wait until the viewer may not watch any more, or does not."""
        while True:
            await asyncio.sleep(conf.LIVE_ACCESS_SECONDS)
            if self._viewer.is_stalled:
                return Close.STALLED
            # While the database is away nothing new is shown either.
            with contextlib.suppress(db.Error):
                code = await database_sync_to_async(refusal)(self.scope["cookies"])
                if code is not None:
                    return code

    def _language(self) -> str:
        headers = dict(self.scope["headers"])
        accepted = headers.get(b"accept-language", b"").decode("latin1")
        return language_of(self.scope["cookies"], accepted)


class OverviewConsumer(PageConsumer):
    """`/ws/overview/`"""

    def source(self, found: Any, language: str) -> Source:
        return OverviewSource(language)


class PlanListConsumer(PageConsumer):
    """`/ws/plans/`"""

    def source(self, found: Any, language: str) -> Source:
        return PlanListSource(language)


class RowConsumer(PageConsumer):
    """A page about one row of the database."""

    @property
    def row_id(self) -> int:
        row_id: int = self.scope["url_route"]["kwargs"]["pk"]
        return min(row_id, ID_MAX)

    def subject(self) -> Hashable:
        return type(self).__name__, self.row_id


class PlanConsumer(RowConsumer):
    """`/ws/plans/<id>/`"""

    def find(self) -> Plan | None:
        return Plan.objects.filter(pk=self.row_id).first()

    def source(self, found: Any, language: str) -> Source:
        return PlanSource(found, language)


class TaskConsumer(RowConsumer):
    """`/ws/tasks/<id>/`"""

    def find(self) -> Task | None:
        return Task.objects.select_related("plan").filter(pk=self.row_id).first()

    def source(self, found: Any, language: str) -> Source:
        return TaskSource(found, language)


class NowhereConsumer(PageConsumer):
    """Any other address."""

    def find(self) -> None:
        return None
