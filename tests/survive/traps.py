"""Named points at which a worker kills itself, once for each tenant that is named for it.

`taken`, and for every stage S: `before S`, `after S` (its effect is there, nothing is stored),
`committing S` (stored, not committed) and `committed S`.
"""

import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from plans.engine.task_run import TaskRun
from plans.stages.base import Stage, Wait
from plans.stores import journey
from plans.stores.journey import Statement, StatementResult

PLAN_OF_DEATHS = "points.json"


class Traps:
    """FOLDER/points.json names a point for each tenant.

    FOLDER/TENANT then tells at which epoch it was reached.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._points: dict[str, str] = json.loads((folder / PLAN_OF_DEATHS).read_text())
        # One thread runs tasks: what it is at needs no lock.
        self._committing: tuple[str, int, str] | None = None

    def spring(self, tenant_id: str, epoch: int, point: str) -> None:
        """Kill this process if the tenant's point is reached for the first time."""
        if not self._is_laid(tenant_id, point):
            return
        try:
            mark = os.open(self._folder / tenant_id, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except FileExistsError:  # Whoever has replaced this worker was quicker.
            return
        os.write(mark, str(epoch).encode())
        os.kill(os.getpid(), signal.SIGKILL)

    def _is_laid(self, tenant_id: str, point: str) -> bool:
        return self._points.get(tenant_id) == point and not (self._folder / tenant_id).exists()

    def lay(self, stages: list[type[Stage]]) -> None:
        """Put the points into the engine and into `stages`."""
        self._lay_into_taking()
        self._lay_into_commits()
        for stage in stages:
            for act in ("run", "undo"):
                self._lay_into_stage(stage, act)

    def _lay_into_taking(self) -> None:
        take = TaskRun.take

        def trapped(task_id: int, worker: str) -> TaskRun | None:
            task_run = take(task_id, worker)
            if task_run is not None:
                self.spring(task_run.task.tenant_id, task_run.lease.epoch, "taken")
            return task_run

        TaskRun.take = staticmethod(trapped)  # type: ignore[assignment,method-assign]

    def _lay_into_commits(self) -> None:
        advance, run_last = TaskRun.advance, journey.run_last

        def trapped_advance(task_run: TaskRun, *ending: Any) -> None:
            tenant_id, step = task_run.task.tenant_id, task_run.task.step
            epoch = task_run.lease.epoch
            self._committing = (tenant_id, epoch, f"committing {step}")
            advance(task_run, *ending)
            self._committing = None
            self.spring(tenant_id, epoch, f"committed {step}")

        def trapped_last(statements: Sequence[Statement]) -> list[StatementResult]:
            if self._committing and self._is_laid(self._committing[0], self._committing[2]):
                journey.run(statements)  # Without the commit that travels with the last ones.
                self.spring(*self._committing)
            return run_last(statements)

        TaskRun.advance = trapped_advance  # type: ignore[method-assign]
        journey.run_last = trapped_last

    def _lay_into_stage(self, stage: type[Stage], act: str) -> None:
        original = getattr(stage, act)

        def trapped(self_: Stage, context: Any) -> Any:
            self.spring(context.tenant_id, context.call.fence, f"before {stage.name}")
            outcome = original(self_, context)
            if not isinstance(outcome, Wait):
                self.spring(context.tenant_id, context.call.fence, f"after {stage.name}")
            return outcome

        setattr(stage, act, trapped)
