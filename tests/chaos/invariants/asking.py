"""4. Each stage's effect was asked for at least once, and not too often between checkpoints.

At most (1 + crashes + tries) times: a try is a stage run, written down before it asks.
"""

from collections import Counter
from collections.abc import Iterator

from plans import conf
from plans.models import StageRunState
from tests.chaos.evidence import STEP_OF, Ask, Call, Evidence, ask_for

TITLE = "each effect was asked for, and not too often"
ONCE = {"gateway.put_route", "ob.put_status"}
"""What a stage run asks for one time; a connection that broke unanswered is used again once."""
TOLD = "instance.notify"
OK = 200


def look(evidence: Evidence) -> tuple[str, list[str]]:
    violations = [*_never(evidence), *_without_a_run(evidence), *_too_often(evidence)]
    calls = sum(len(calls) for calls in evidence.asked.values())
    if not calls:
        violations.append("there was nothing to look at")
    return f"{calls} calls for {len(evidence.runs)} stage runs", violations


def _never(evidence: Evidence) -> Iterator[str]:
    """Stages that stand completed, and nobody outside was asked."""
    for run in evidence.runs:
        step = STEP_OF.get(run.stage)
        if run.state != StageRunState.COMPLETED or step is None:
            continue
        asked = evidence.asked.get(ask_for(run), ())
        if not any(call["step"] == step and call["status"] == OK for call in asked):
            yield f"{run} stands completed, and nobody was asked for it ({step})"


def _without_a_run(evidence: Evidence) -> Iterator[str]:
    written = {ask_for(run) for run in evidence.runs}
    for ask, calls in evidence.asked.items():
        if ask not in written:
            yield f"{len(calls)} calls for {_named(ask)}, which was never written down"


def _too_often(evidence: Evidence) -> Iterator[str]:
    for ask, calls in evidence.asked.items():
        yield from _put_too_often(ask, [c for c in calls if c["step"] in ONCE], evidence.crashes)
        yield from _told_too_often(ask, [c for c in calls if c["step"] == TOLD], evidence.crashes)


def _put_too_often(ask: Ask, puts: list[Call], crashes: int) -> Iterator[str]:
    # One try of one stage: each worker that held it asks once, and only crashes make more of them.
    workers = Counter(call["fence"] for call in puts)
    if len(workers) > 1 + crashes:
        yield f"{_named(ask)} was asked for by {len(workers)} workers with {crashes} crashes"
    for fence, times in workers.items():
        unanswered = sum(c["fence"] == fence and c["status"] is None for c in puts)
        if times > 1 + min(1, unanswered):
            yield f"{_named(ask)} was asked for {times} times by one worker (epoch {fence})"


def _told_too_often(ask: Ask, tellings: list[Call], crashes: int) -> Iterator[str]:
    for instance, times in Counter(call["instance"] for call in tellings).items():
        if times > crashes + conf.STAGE_TRIES:
            yield (
                f"{_named(ask)}: instance {instance} was told {times} times with {crashes} "
                f"crashes and {conf.STAGE_TRIES} tries"
            )


def _named(ask: Ask) -> str:
    return f"task {ask.task_id}, {ask.stage} {ask.direction}, try {ask.attempt}"
