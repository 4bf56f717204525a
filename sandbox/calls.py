"""One call of a service from beginning to end: record, faults, fence, effect, answer."""

from sandbox import routes
from sandbox.answers import Answer, refusal
from sandbox.asgi import Receive, Scope, Send, close_connection, read_body, send_error, send_json
from sandbox.breakage import break_answer, break_before, spoil
from sandbox.record import MAX_BODY_KEPT_BYTES, Call
from sandbox.world import World

WHY = {404: "There is nothing at this address.", 405: "This address has another method."}


async def serve(world: World, scope: Scope, receive: Receive, send: Send) -> None:
    method, path = scope["method"], scope["path"]
    target = routes.find(world.fleet, method, path, scope["query_string"])
    if isinstance(target, int):
        await send_error(send, target, WHY[target])
        return
    call = world.record.begin(target.step, method, path)
    call.tenant, call.instance = target.tenant, target.instance
    _note_headers(call, scope)
    try:
        body = b"" if method == "GET" else await read_body(receive)
        call.body = body[:MAX_BODY_KEPT_BYTES]
        delay, fault = world.faults.take(target.tenant or "", target.step, target.instance)
        if delay:
            # A caller that gives up meanwhile does not stop the effect: real services are so.
            generation = world.fleet.generation
            await world.pause(delay)
            if world.fleet.generation != generation:
                # Late for tenants that are gone: the new ones must not feel it.
                await close_connection(scope, receive)
                return
        if fault is not None:
            call.fault = fault.kind
            if await break_before(fault, call, scope, receive, send):
                return
        answer = _act(world, target, call, body)
        call.applied = answer.applied
        if fault is None or answer.status != 200:
            call.end(answer.status)
            await send_json(send, answer.status, answer.payload)
        elif not await break_answer(fault, call, scope, receive, send):
            answer = spoil(fault, answer)
            call.end(answer.status)
            await send_json(send, answer.status, answer.payload)
    finally:
        if call.ended is None:
            call.end(None)


def _act(world: World, target: routes.Target, call: Call, body: bytes) -> Answer:
    if call.method == "PUT" and not world.fences.admits(target.tenant or "", call.fence):
        highest = world.fences.highest(target.tenant or "")
        return refusal(409, f"The fence {call.fence} is older than {highest}.")
    return target.act(body)


def _note_headers(call: Call, scope: Scope) -> None:
    for name, value in scope["headers"]:
        if name == b"bluegreen-fence":
            if value.isdigit() and len(value) <= 18:
                call.fence = int(value)
        elif name == b"idempotency-key":
            call.idempotency_key = value.decode("latin-1")
