"""What a fault does to a call."""

from dataclasses import replace

from sandbox.answers import Answer
from sandbox.asgi import (
    Receive,
    Scope,
    Send,
    close_connection,
    reset_connection,
    send_bytes,
    wait_for_disconnect,
)
from sandbox.faults import NEEDED_FIELD, Fault
from sandbox.record import Call

GARBAGE = b"<!doctype html><title>Maintenance</title><p>Back soon."
HUGE = b'{"filler": "' + b"x" * (1024 * 1024 + 64) + b'"}'


async def break_before(
    fault: Fault, call: Call, scope: Scope, receive: Receive, send: Send
) -> bool:
    """Faults that keep the call from having an effect. True if the call is over."""
    if fault.kind == "status":
        headers = [(b"retry-after", fault.retry_after.encode())] if fault.retry_after else []
        call.end(fault.code)
        await send_bytes(send, fault.code, b'{"error": "a fault on demand"}', headers=headers)
    elif fault.kind == "hang":
        await wait_for_disconnect(receive)
    elif fault.kind == "drop":
        call.end(None)
        await close_connection(scope, receive)
    else:
        return False
    return True


async def break_answer(
    fault: Fault, call: Call, scope: Scope, receive: Receive, send: Send
) -> bool:
    """Faults that come after the effect. True if the call is over."""
    if fault.kind == "drop_after_apply":
        call.end(None)
        await reset_connection(scope, receive)
    elif fault.kind == "hang_after_headers":
        headers = [(b"content-type", b"application/json"), (b"content-length", b"64")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await wait_for_disconnect(receive)
    elif fault.kind == "garbage":
        call.end(200)
        await send_bytes(send, 200, GARBAGE, content_type=b"text/html")
    elif fault.kind == "huge":
        call.end(200)
        await send_bytes(send, 200, HUGE)
    else:
        return False
    return True


def spoil(fault: Fault, answer: Answer) -> Answer:
    """The answer with the fault's lie or gap in it."""
    payload = dict(answer.payload)
    if fault.kind == "missing_field":
        payload.pop(fault.field or NEEDED_FIELD[fault.step], None)
    elif fault.kind == "unhealthy":
        payload["status"] = "DOWN"
    elif fault.kind == "wrong_version":
        payload["configVersion" if fault.step == "ob.get_tenant" else "version"] = fault.version
    return replace(answer, payload=payload)
