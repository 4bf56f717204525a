"""Figure: how long a plan takes with a fault every few seconds, as a multiple of without."""

import random
import threading
import time

from plans import operations
from plans.models import Task
from plans.queries import eligible
from tests.chaos.diary import Diary
from tests.chaos.faults import REGISTRY, Fault, NotHere, Scene
from tests.chaos.installation import Installation
from tests.chaos.kills import is_under_way, start
from tests.support.driving import OPERATOR

EVERY_SECONDS = 5.0
AWAY_SECONDS = 5.0


def measure(site: Installation, diary: Diary, chance: random.Random) -> list[str]:
    """Lines: seconds without and with faults, and how many retries operators had to ask for."""
    calm, _retries = _run_to_the_end(site.scale.tenants, "green")
    diary.tell(f"undisturbed: {calm:.1f} s")
    over = threading.Event()
    striking = threading.Thread(
        target=_strike, args=(Scene(site, chance, diary, over, AWAY_SECONDS),), daemon=True
    )
    striking.start()
    try:
        rough, retries = _run_to_the_end(site.scale.tenants, "blue")
    finally:
        over.set()
        striking.join(60)
        site.mend()
    faults = sum(diary.faults.values())
    return [
        f"a plan of {site.scale.tenants}: {calm:.1f} s undisturbed, {rough:.1f} s with "
        f"{faults} faults, one every {EVERY_SECONDS:g} s: {rough / calm:.1f} times as long; "
        f"{retries} failed tasks were retried by hand"
    ]


def _run_to_the_end(tenants: int, target: str) -> tuple[float, int]:
    """Seconds until every tenant is there; failed tasks are retried as soon as the plan rests."""
    began = time.monotonic()
    plan = start(tenants, target)
    retries = 0
    while True:
        while is_under_way(plan):
            time.sleep(0.1)
        failed = eligible.retryable(plan).count()
        if not failed:
            assert not Task.objects.filter(plan=plan).exclude(state="COMPLETED").exists()
            return time.monotonic() - began, retries
        retries += failed
        operations.retry_plan(plan.pk, OPERATOR)


def _strike(scene: Scene) -> None:
    """One fault every few seconds, in any lane in which the one before is over."""
    lanes = {name: threading.Lock() for name in REGISTRY}
    decks: dict[str, list[tuple[str, Fault]]] = {name: [] for name in REGISTRY}
    while not scene.over.wait(EVERY_SECONDS):
        free = [name for name, lock in lanes.items() if not lock.locked()]
        if not free:
            continue
        lane = scene.chance.choice(free)
        decks[lane] = decks[lane] or scene.chance.sample(REGISTRY[lane], len(REGISTRY[lane]))
        name, fault = decks[lane].pop()
        lanes[lane].acquire()
        making = threading.Thread(target=_make, args=(scene, name, fault, lanes[lane]), daemon=True)
        making.start()


def _make(scene: Scene, name: str, fault: Fault, lane: threading.Lock) -> None:
    try:
        fault(scene)
        scene.diary.fault(name)
    except NotHere:
        pass
    finally:
        lane.release()
