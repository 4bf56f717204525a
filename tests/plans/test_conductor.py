"""The conductor goes on, whatever one plan, or one of its rounds, makes of it."""

import threading

import pytest
from django.db import connections

from plans import registry_sync
from plans.engine.conductor import Conductor
from plans.models import Journal, Plan
from tests.plans.rows import make_rows
from tests.support.waiting import WAIT_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)

SEQ_MAX = 2**63 - 1
"""After this event of a journal no other can be stored."""


def states() -> list[str]:
    return list(Plan.objects.order_by("pk").values_list("state", flat=True))


def test_a_plan_that_cannot_be_settled_holds_up_no_other_and_is_said_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is done in a thread that would outlive the test, and write into the next one's database.
    monkeypatch.setattr(registry_sync, "sync_tenants", lambda: 0)
    broken, _ = make_rows("RUNNING", "COMPLETED")
    Journal.objects.filter(pk=broken.journal_id).update(last_seq=SEQ_MAX)
    make_rows("RUNNING", "COMPLETED")
    for _ in range(2):
        Conductor().conduct()
        assert states() == ["RUNNING", "COMPLETED"]
    [said] = [each for each in caplog.records if "settled" in each.getMessage()]
    assert (said.getMessage(), vars(said)["plan"]) == (
        f"Plan {broken.pk} cannot be settled; trying again",
        broken.pk,
    )

    Journal.objects.filter(pk=broken.journal_id).update(last_seq=0)
    Conductor().conduct()
    assert states() == ["COMPLETED", "COMPLETED"]


class Stumbling(Conductor):
    """Breaks in its first round."""

    def __init__(self) -> None:
        super().__init__()
        self.rounds = 0
        self.went_on = threading.Event()

    def conduct(self) -> None:
        self.rounds += 1
        if self.rounds == 1:
            raise RuntimeError("stumbled")
        self.went_on.set()


def test_a_round_that_fails_is_not_the_last(caplog: pytest.LogCaptureFixture) -> None:
    conductor = Stumbling()

    def run() -> None:
        try:
            conductor.run()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    went_on = conductor.went_on.wait(WAIT_SECONDS)
    conductor.stop()
    thread.join(WAIT_SECONDS)
    assert went_on
    assert "A round failed; trying again" in caplog.text
