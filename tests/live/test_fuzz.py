"""Pages that say what no page says: nothing breaks, others go on, and the truth is to be had.

`make fuzz` says more of it, from another seed each time.
"""

import json
import logging
import os
import re
from itertools import count
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from plans import conf, operations
from plans.live.admission import Close
from plans.live.viewer import Viewer
from plans.models import Plan, Task
from tests.live.sockets import Socket, Sockets
from tests.support.driving import OPERATOR, make_plan
from tests.support.sandbox import Sandbox

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
"""Pages for each address; 0: few, and always the same ones."""
NONSENSE_CODES = (Close.NONSENSE, Close.TOO_LARGE)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
CURSORS = st.one_of(
    st.text(st.characters(codec=None), max_size=12),
    st.integers().map(str),
    st.lists(st.integers(-5, 10**9).map(str), max_size=4).map(".".join),
    st.sampled_from(["", "0", "-1", "9" * 4999, "1_0", "１２", "NaN", "\x00", "\ud800", " 7 "]),
)
ROWS = st.lists(st.sampled_from(["task-1", "plan-1", "", "x" * 99]) | JSON, max_size=5)
SAID = st.fixed_dictionaries(
    {}, optional={"cursor": CURSORS | JSON, "shown": ROWS | JSON, "seen": st.just(True) | JSON}
)
FRAMES = st.lists(
    st.one_of(
        st.text(max_size=50),
        st.binary(max_size=50),
        JSON.map(json.dumps),
        SAID.map(json.dumps),
        SAID.map(json.dumps),
        SAID.map(json.dumps),
        st.sampled_from(["[" * 30_000, '{"a":' * 7000, "x" * 10**6, b"\xff" * 10**6, "1" * 39_000]),
        st.sampled_from([['{"seen":true}'] * 200, [f'{{"cursor":"{n}"}}' for n in range(100)]]),
    ),
    max_size=12,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(3600 if EXAMPLES else 600),
]


@pytest.mark.parametrize("path", ["/ws/overview/", "/ws/plans/", "/ws/plans/{}/", "/ws/tasks/{}/"])
def test_whatever_a_page_says_all_pages_are_told_the_truth(
    path: str,
    sandbox: Sandbox,
    sockets: Sockets,
    viewer: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(conf, "FRAMES_PER_SECOND", 100.0)
    plan = make_plan(["tenant-001", "tenant-002"])
    row = Task.objects.get(tenant="tenant-001").pk if "tasks" in path else plan.pk
    path = path.format(row)
    other = sockets.watch(path, viewer)
    truth = told(ask(other, "the truth"))
    times = count()

    @settings(
        max_examples=EXAMPLES or 10,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(frames=FRAMES, leaves=st.booleans())
    def meddle(frames: list[Any], leaves: bool) -> None:
        page = sockets.watch(path, viewer)
        for frame in frames:
            say(page, frame)
        if not leaves:
            answer = ask(page, f"anew {next(times)}")
            assert answer in NONSENSE_CODES or told(answer) == truth
        page.close()
        another = sockets.watch(path, viewer)
        assert told(ask(another, "another page")) == truth
        another.close()

    meddle()
    operations.start_plan(plan.pk, OPERATOR)
    assert Plan.objects.get().state == "RUNNING"
    assert told(ask(other, "what is true now")) != truth or path == "/ws/plans/"
    wrong = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert wrong == [], caplog.text


def say(page: Socket, frame: Any) -> None:
    for each in frame if isinstance(frame, list) else [frame]:
        if isinstance(each, bytes):
            page.say_bytes(each)
        else:
            page.say_text(each)


def ask(page: Socket, cursor: str) -> dict[str, Any] | int:
    """Ask for everything, as a page does that knows nothing; what it is told, or the code with
    which it was closed."""
    page.say({"cursor": cursor, "shown": []})
    try:
        while not (message := page.receive()).get("whole"):
            pass
    except ConnectionError as closed:
        return int(closed.args[0])
    return message


def told(message: dict[str, Any] | int) -> dict[str, Any]:
    """What it says, apart from when."""
    assert isinstance(message, dict), f"closed with {message}"
    fresh = {name: value for name, value in message.items() if name not in ("at", "cursor")}
    text = re.sub(r'<span class=\\"ago\\">[^<]*</span>', "", json.dumps(fresh))
    return dict(json.loads(text))


def test_a_page_that_says_it_saw_what_was_not_sent_yet_gets_no_more() -> None:
    viewer = Viewer("")
    for _time in range(conf.LIVE_UNSEEN_FRAMES_MAX):
        viewer.offer("a message that the socket does not take")
    for _time in range(5):
        viewer.saw()
    assert not viewer.has_room
