"""A subject made of numbers, and pages that watch it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from plans.live.feeds import watching
from plans.live.source import Changed, Source
from plans.live.viewer import Viewer
from plans.rendering.regions import Region

WAIT_SECONDS = 60.0


@dataclass
class FakeRegion:
    content: str

    def html(self) -> str:
        return self.content


class Numbers(Source):
    """The numbers up to `seq`, each a cell; `beats` counts what changes without an event."""

    group = "numbers"
    tables = ("table",)

    def __init__(self) -> None:
        super().__init__("en")
        self.seq = 0
        self.beats = 0
        self.looks = self.renders = 0
        self.breaks = False
        self._seen = 0

    def change(self) -> None:
        self.seq += 1

    def look(self) -> str:
        if self.breaks:
            raise OSError("away")
        self.looks += 1
        self._seen = self.seq
        return str(self._seen)

    def age_order(self, cursor: str) -> int:
        return int(cursor)

    def changed_since(self, cursor: str) -> Changed:
        if self._seen - int(cursor) > 100:
            return self.everything()
        return Changed(frozenset(range(int(cursor) + 1, self._seen + 1)))

    def regions(self) -> Iterable[Region]:
        self.renders += 1
        return [FakeRegion(f'<p id="beats">{self.beats}</p>')]  # type: ignore[list-item]

    def cells(self, ids: Collection[int] | None) -> Iterable[Sequence[str]]:
        return [[f"cell-{n}", "on", ""] for n in ids or range(1, self._seen + 1)]


class Watcher:
    """A page that shows what it is told."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    async def receive(self, *, acknowledge: bool = True) -> dict[str, Any]:
        async with asyncio.timeout(WAIT_SECONDS):
            message = json.loads(await self.viewer.next_message())
        if acknowledge:
            self.viewer.saw()
        return message

    async def is_silent(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self.viewer.next_message()
        except TimeoutError:
            return True
        return False


def play(numbers: Numbers, scene: Callable[..., Awaitable[None]], cursors: Sequence[str]) -> None:
    """Let one viewer for each of `cursors` watch, and run `scene(feed, *watchers)`."""

    async def nested(left: Sequence[str], watchers: list[Watcher]) -> None:
        viewer = Viewer(left[0])
        async with watching("numbers", lambda: numbers, viewer) as feed:
            watchers.append(Watcher(viewer))
            if left[1:]:
                await nested(left[1:], watchers)
            else:
                await scene(feed, *watchers)

    asyncio.run(nested(cursors, []))
