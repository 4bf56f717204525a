"""One run: a lane of faults each for processes, stores and the outside, operators, then calm."""

import random
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field

from plans.models import Plan, StageRun, Task
from plans.stores import tenant_config
from tests.chaos import outside_faults, process_faults, store_faults  # noqa: F401  they register
from tests.chaos.checker import check
from tests.chaos.diary import Diary
from tests.chaos.evidence import Evidence, Page
from tests.chaos.faults import REGISTRY, Fault, NotHere, Scene
from tests.chaos.figures import summary
from tests.chaos.installation import Installation
from tests.chaos.invariants import rest
from tests.chaos.operators import Operators
from tests.chaos.verdict import Verdict
from tests.support.waiting import wait_until

REST_SECONDS = 180.0
END_SECONDS = 180.0
"""For what is being done when the time is over: operators ask several things, patiently."""
PAUSE_SECONDS = (0.5, 2.5)


@dataclass
class Lane:
    """Faults one after another, in an order that the seed decides."""

    name: str
    deck: list[tuple[str, Fault]]
    scene: Scene
    skipped: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def strike(self) -> None:
        """Until the run is over: all that there are, shuffled, and again."""
        while True:
            for name, fault in self.scene.chance.sample(self.deck, len(self.deck)):
                if self.scene.over.wait(self.scene.chance.uniform(*PAUSE_SECONDS)):
                    return
                if name in self.skipped:
                    continue
                try:
                    fault(self.scene)
                    self.scene.diary.fault(name)
                except NotHere as reason:
                    self.skipped[name] = str(reason)
                except Exception as error:
                    self.broken.append(f"{name}: {type(error).__name__}: {error}")
                    self.scene.diary.tell(f"{name} could not be made: {error}")


@dataclass
class Report:
    """What a run found."""

    verdicts: list[Verdict]
    figures: list[str]
    skipped: dict[str, str]
    broken: list[str]

    @property
    def holds(self) -> bool:
        return all(verdict.holds for verdict in self.verdicts) and not self.broken

    def __str__(self) -> str:
        lines = [*map(str, self.verdicts), *self.figures]
        lines += [f"not made: {name} ({why})" for name, why in self.skipped.items()]
        lines += [f"a fault itself failed: {what}" for what in self.broken]
        return "\n".join(lines)


class Run:
    """Everything that is broken in one installation, from one seed."""

    def __init__(
        self,
        site: Installation,
        operators: Operators,
        diary: Diary,
        seed: int,
        only: Collection[str] = (),
    ) -> None:
        """`only` names the faults to be made; none: all that there are."""
        self.site, self.operators, self.diary = site, operators, diary
        self.over = threading.Event()
        self.lanes = []
        for name, faults in REGISTRY.items():
            deck = [each for each in faults if not only or each[0] in only]
            scene = Scene(site, random.Random(f"{seed} {name}"), diary, self.over)
            self.lanes.append(Lane(name, deck, scene))

    def break_for(self, seconds: float, wait: Callable[[float], object] = time.sleep) -> None:
        """Strike in every lane, and operate, for `seconds`; then mend everything."""
        doing = [lane.strike for lane in self.lanes]
        doing.append(lambda: self.operators.work(self.over))
        threads = [threading.Thread(target=work, name="chaos", daemon=True) for work in doing]
        for thread in threads:
            thread.start()
        try:
            wait(seconds)
        finally:
            self.over.set()
            for thread in threads:
                thread.join(END_SECONDS)
        self.diary.tell("calm: everything is mended")
        self.site.mend()

    def come_to_rest(self) -> None:
        """Let people go on with what they paused, and wait until nothing is under way."""
        self.operators.let_go_on()
        with suppress(AssertionError):
            wait_until(lambda: not unrest(), REST_SECONDS)
        with suppress(AssertionError):
            wait_until(lambda: all(call["ended"] for call in self.site.sandbox.calls()))

    def report(self, pages: Collection[Page] | None) -> Report:
        """Ask the checker; about pages only where there are any to be looked at."""
        ids = list(Plan.objects.values_list("pk", flat=True))
        tenants = self.site.sandbox.state()["tenants"]
        evidence = Evidence.gather(
            ids,
            self.site.sandbox.calls(),
            tenants,
            self.diary.crashes,
            configs={tenant: tenant_config.read(tenant) for tenant in tenants},
            pages=pages or (),
        )
        skipped = {name: why for lane in self.lanes for name, why in lane.skipped.items()}
        broken = [what for lane in self.lanes for what in lane.broken]
        verdicts = check(evidence)
        if pages is None:
            verdicts.pop()
        return Report(verdicts, summary(self.diary, ids, self.site.folder / "log"), skipped, broken)


def unrest() -> list[str]:
    """What is still under way."""
    plans, tasks = list(Plan.objects.order_by("pk")), list(Task.objects.order_by("pk"))
    runs = list(StageRun.objects.filter(finished_at=None))
    _looked_at, found = rest.look(Evidence(plans, tasks, runs, [], [], {}, 0))
    return found
