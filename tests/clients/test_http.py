"""One outgoing call: what is sent, and which error each misbehaviour becomes."""

import gzip
import json
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from plans import conf, errors
from plans.clients.http import Call, request, segment
from tests.clients.conftest import Serve
from tests.clients.raw_server import Connection, RawServer, always, answer

CALL = Call(idempotency_key="12-switch_route-forward-1", fence=7)


def ask(server: RawServer, path: str = "/x", call: Call | None = None) -> dict:
    return request("OB_SERVICE", "GET", server.url + path, call).body


def test_a_call_carries_its_key_its_fence_and_its_json(serve: Serve) -> None:
    server = serve(always(answer('{"color": "blue"}', "200 OK", "ETag: abc")))

    body, headers = request("GATEWAY", "PUT", f"{server.url}/routes/a", CALL, {"color": "blue"})

    assert (body, headers["etag"]) == ({"color": "blue"}, "abc")
    head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"PUT /routes/a HTTP/1.1"
    assert b"Idempotency-Key: 12-switch_route-forward-1" in lines
    assert b"Bluegreen-Fence: 7" in lines
    assert b"Content-Type: application/json" in lines
    assert f"Host: 127.0.0.1:{server.port}".encode() in lines
    assert json.loads(sent) == {"color": "blue"}


def test_calls_share_a_connection(serve: Serve) -> None:
    server = serve(always(answer()))
    for _ in range(5):
        ask(server)
    assert (server.accepted, len(server.requests)) == (1, 5)


def test_many_threads_call_at_once(serve: Serve) -> None:
    server = serve(always(answer('{"a": 1}')))
    answers: list[dict] = []
    threads = [
        threading.Thread(target=lambda: answers.extend(ask(server) for _ in range(20)))
        for _ in range(conf.WORKER_THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [{"a": 1}] * (20 * conf.WORKER_THREADS)


def test_nothing_is_sent_once_the_lease_is_lost(serve: Serve) -> None:
    server = serve(always(answer()))

    def lost() -> None:
        raise errors.Superseded

    with pytest.raises(errors.Superseded):
        ask(server, call=Call("k", 1, before=lost))
    assert server.accepted == 0


def test_any_2xx_is_success_and_an_empty_body_an_empty_object(serve: Serve) -> None:
    assert ask(serve(always(answer("", "204 No Content")))) == {}
    assert ask(serve(always(answer(" \n", "202 Accepted")))) == {}


@pytest.mark.parametrize(
    ("status", "error", "code", "retryable"),
    [
        ("400 Bad Request", errors.ServiceRejected, "OB_SERVICE_REJECTED", False),
        ("404 Not Found", errors.ServiceRejected, "OB_SERVICE_REJECTED", False),
        ("408 Request Timeout", errors.ServiceRejected, "OB_SERVICE_REJECTED", True),
        ("409 Conflict", errors.ServiceRejected, "OB_SERVICE_REJECTED", False),
        ("425 Too Early", errors.ServiceRejected, "OB_SERVICE_REJECTED", True),
        ("429 Too Many Requests", errors.ServiceRejected, "OB_SERVICE_REJECTED", True),
        ("500 Oops", errors.ServiceUnavailable, "OB_SERVICE_UNAVAILABLE", True),
        ("503 Busy", errors.ServiceUnavailable, "OB_SERVICE_UNAVAILABLE", True),
    ],
)
def test_a_refusing_status_becomes_its_error(
    serve: Serve, status: str, error: type[errors.StageError], code: str, retryable: bool
) -> None:
    server = serve(always(answer("<h1>no</h1>", status)))
    with pytest.raises(error) as raised:
        ask(server)
    assert (raised.value.code, raised.value.retryable) == (code, retryable)
    assert raised.value.message.values["status"] == int(status[:3])


@pytest.mark.parametrize("status", ["429 Slow", "503 Busy"])
def test_retry_after_is_handed_on(serve: Serve, status: str) -> None:
    server = serve(always(answer("{}", status, "Retry-After: 7")))
    with pytest.raises(errors.StageError) as raised:
        ask(server)
    assert raised.value.retry_after_seconds == 7


def test_retry_after_may_be_a_date_and_is_capped(serve: Serve) -> None:
    far = format_datetime(datetime.now(UTC) + timedelta(days=3), usegmt=True)
    server = serve(always(answer("{}", "503 Busy", f"Retry-After: {far}")))
    with pytest.raises(errors.ServiceUnavailable) as raised:
        ask(server)
    assert raised.value.retry_after_seconds == conf.RETRY_AFTER_MAX_SECONDS


def test_a_redirect_is_not_followed(serve: Serve) -> None:
    elsewhere = serve(always(answer('{"stolen": true}')))
    server = serve(always(answer("", "302 Found", f"Location: {elsewhere.url}/x")))
    with pytest.raises(errors.ServiceBadAnswer, match="status 302; redirects are not followed"):
        ask(server)
    assert elsewhere.accepted == 0


@pytest.mark.parametrize("location", ["", "mailto:x", "http://[::1", "http://a b/", "data:,\x7f"])
def test_a_redirect_to_nowhere_is_a_redirect_like_any_other(serve: Serve, location: str) -> None:
    server = serve(always(answer("", "302 Found", f"Location: {location}")))
    with pytest.raises(errors.ServiceBadAnswer, match="status 302; redirects are not followed"):
        ask(server)


def test_a_password_in_an_address_is_sent_as_basic_authentication(serve: Serve) -> None:
    server = serve(always(answer("{}")))
    request("OB_SERVICE", "GET", f"http://Aladdin:open%20sesame@127.0.0.1:{server.port}/x")
    # The example of RFC 7617, section 2.
    assert b"authorization: basic qwxhzgrpbjpvcgvuihnlc2ftzq==" in server.requests[0].lower()


def test_a_cookie_is_not_sent_back(serve: Serve) -> None:
    server = serve(always(answer("{}", "200 OK", "Set-Cookie: who=tenant-1; Path=/")))
    ask(server)
    ask(server)
    assert b"cookie" not in server.requests[1].lower()


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ("<html>", "not JSON"),
        ("[1]", "not a JSON object"),
        ("null", "not a JSON object"),
        ('{"a": ', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"a": ' + "9" * 10_000 + "}", "not JSON"),
    ],
)
def test_an_answer_that_is_no_json_object_is_a_bad_one(serve: Serve, body: str, cause: str) -> None:
    with pytest.raises(errors.ServiceBadAnswer, match=cause) as raised:
        ask(serve(always(answer(body))))
    assert (raised.value.code, raised.value.retryable) == ("OB_SERVICE_BAD_ANSWER", False)


def test_an_answer_without_end_is_cut_off_at_its_limit(serve: Serve) -> None:
    def flood(connection: Connection) -> None:
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.send(b"x" * 65536)

    with pytest.raises(errors.ServiceBadAnswer, match="larger than 1048576 bytes"):
        ask(serve(flood))


def test_a_packed_answer_that_nobody_asked_for_is_not_unpacked(serve: Serve) -> None:
    bomb = gzip.compress(b" " * 50 * conf.HTTP_ANSWER_MAX_BYTES)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
    with pytest.raises(errors.ServiceBadAnswer, match="not JSON"):
        ask(serve(always(head.encode() + bomb)))


def test_the_connection_of_a_bad_answer_does_not_spoil_the_next_call(serve: Serve) -> None:
    def play(connection: Connection) -> None:
        connection.request()
        huge = "x" * (conf.HTTP_ANSWER_MAX_BYTES + 1)
        connection.send(answer(huge) if connection.number == 1 else answer('{"ok": 1}'))

    server = serve(play)
    with pytest.raises(errors.ServiceBadAnswer):
        ask(server)
    assert ask(server) == {"ok": 1}


def test_a_message_holds_neither_credentials_nor_the_query(serve: Serve) -> None:
    server = serve(always(answer("{}", "500 Oops")))
    url = f"http://user:secret@127.0.0.1:{server.port}/x?token=secret#secret"
    with pytest.raises(errors.ServiceUnavailable) as raised:
        request("OB_SERVICE", "GET", url)
    assert "secret" not in str(raised.value)
    assert raised.value.message.values["url"] == f"http://127.0.0.1:{server.port}/x"


@pytest.mark.parametrize(
    ("service", "url"),
    [
        ("OB_SERVICE", "file:///etc/passwd"),
        ("OB_SERVICE", ""),
        ("OB_SERVICE", "http://ünï/"),
        ("OB_SERVICE", "http://:80/"),
        ("INSTANCE", "file:///etc/passwd"),
        ("INSTANCE", ""),
        ("INSTANCE", "http://ünï/"),
        ("INSTANCE", "http://:80/"),
        ("INSTANCE", "http://127.0.0.1/a b"),
    ],
)
def test_an_address_that_cannot_be_called_is_an_error_of_its_own(service: str, url: str) -> None:
    with pytest.raises(errors.EndpointForbidden) as raised:
        request(service, "GET", url)
    assert (raised.value.code, raised.value.retryable) == (f"{service}_REJECTED", False)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [("a/b c", "a%2Fb%20c"), ("..", "%2E%2E"), ("t.1", "t.1"), ("é?", "%C3%A9%3F")],
)
def test_an_id_is_one_segment_of_a_path(text: str, quoted: str) -> None:
    assert segment(text) == quoted
