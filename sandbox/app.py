"""The ASGI application: lifespan, and the first look at each request."""

import asyncio
import logging
from urllib.parse import parse_qsl, urlsplit

from sandbox import calls, control, page
from sandbox.asgi import (
    BodyTooLarge,
    Receive,
    Scope,
    Send,
    read_body,
    send_bytes,
    send_error,
    send_json,
)
from sandbox.faults import BadFault, parse_fault
from sandbox.world import World

log = logging.getLogger("sandbox")

HTML = b"text/html; charset=utf-8"


class App:
    """Services and control over one World."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        try:
            if scope["path"].startswith(("/i/", "/ob/", "/gateway/")):
                await calls.serve(self.world, scope, receive, send)
            else:
                await self._operate(scope, receive, send)
        except BodyTooLarge:
            await send_error(send, 413, "The body is larger than 1 MiB.")

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        watch = self.world.watch
        watching = asyncio.create_task(watch.run()) if watch else None
        if watching:
            watching.add_done_callback(_say_if_broken)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if watching:
            watching.cancel()
            await asyncio.wait([watching])
        await send({"type": "lifespan.shutdown.complete"})

    async def _operate(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        if method != "GET" and _from_elsewhere(scope):
            await send_error(send, 403, "A page of another site may not change the sandbox.")
        elif path.startswith("/control/"):
            body = b"" if method == "GET" else await read_body(receive)
            request = control.Request.of(method, path[9:], scope["query_string"], body)
            try:
                await send_json(send, 200, control.answer(self.world, request))
            except (control.BadRequest, BadFault) as error:
                await send_error(send, 400, str(error))
            except control.NotFound as error:
                await send_error(send, 404, str(error))
        elif path == "/" and method == "GET":
            await send_bytes(send, 200, page.render(self.world), HTML)
        elif path.startswith("/faults") and method == "POST":
            await self._submit(path.split("/")[2:], await read_body(receive), send)
        else:
            await send_error(send, 404, "There is nothing at this address.")

    async def _submit(self, path: list[str], body: bytes, send: Send) -> None:
        """The page's forms: `/faults` adds, `/faults/clear`, `/faults/{id}/remove`."""
        faults = self.world.faults
        match path:
            case []:
                form = dict(parse_qsl(body.decode("latin-1")))
                try:
                    faults.add(parse_fault(page.fault_from_form(form)))
                except BadFault as error:
                    await send_bytes(send, 400, page.render(self.world, str(error)), HTML)
                    return
            case ["clear"]:
                faults.clear()
            case [fault_id, "remove"] if fault_id.isascii() and fault_id[:18].isdigit():
                faults.remove(int(fault_id[:18]))
            case _:
                await send_error(send, 404, "There is nothing at this address.")
                return
        await send_bytes(send, 303, b"", HTML, [(b"location", b"/#faults")])


def _from_elsewhere(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    origin = headers.get(b"origin")
    return origin is not None and urlsplit(origin).netloc != headers.get(b"host")


def _say_if_broken(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception():
        log.error("The watch on Redis has ended.", exc_info=task.exception())
