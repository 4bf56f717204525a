"""The global stop."""

from datetime import datetime
from typing import Any, Self

from ninja import Router

from plans import operations
from plans.actor import Permission
from plans.api.auth import ApiRequest, needs
from plans.api.commands import Reason
from plans.api.schemas import Answer, Id, Request, answers
from plans.models import Stop
from plans.queries.stop import active_stop

router = Router(tags=["stop"], by_alias=True)


class StopCommand(Request):
    """Body of a stop; it may be left out."""

    reason: Reason = ""


class LiftCommand(Request):
    """Body of a lift; it may be left out. `seen` is the `stopId` that you saw."""

    reason: Reason = ""
    seen: Id | None = None


class StopAnswer(Answer):
    """Whether everything is stopped, and if so by which stop."""

    stopped: bool
    stop_id: int | None = None
    reason: str | None = None
    stopped_by: str | None = None
    stopped_at: datetime | None = None

    @classmethod
    def of(cls, stop: Stop | None) -> Self:
        if stop is None or not stop.active:
            return cls(stopped=False)
        return cls(
            stopped=True,
            stop_id=stop.pk,
            reason=stop.reason or None,
            stopped_by=stop.stopped_by,
            stopped_at=stop.stopped_at,
        )


COMMANDED: dict[str, Any] = {
    "response": answers(StopAnswer, 409, 413),
    "auth": needs(Permission.OPERATE),
}


@router.get("/stop", response=answers(StopAnswer), summary="Look whether everything is stopped")
def get_stop(request: ApiRequest) -> StopAnswer:
    """While it is, nothing is handed out in the whole installation."""
    return StopAnswer.of(active_stop())


@router.post("/stop", summary="Stop everything", **COMMANDED)
def stop_everything(request: ApiRequest, command: StopCommand | None = None) -> StopAnswer:
    """Hand out nothing more; running tasks stand still at their next stage boundary."""
    command = command or StopCommand()
    return StopAnswer.of(operations.stop_everything(request.auth, reason=command.reason))


@router.post("/stop/lift", summary="Lift the stop", **COMMANDED)
def lift_stop(request: ApiRequest, command: LiftCommand | None = None) -> StopAnswer:
    """Let everything go on from where it stands."""
    command = command or LiftCommand()
    stop = operations.lift_stop(request.auth, seen=command.seen, reason=command.reason)
    return StopAnswer.of(stop)
