"""What a stage is: the smallest part of a task that is run, checkpointed, retried and undone."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from plans import conf
from plans.clients.http import Call
from plans.message import Message


@dataclass(frozen=True)
class Target:
    """Where a stage drives its tenant: forward to the plan's target, back to what was before.

    `version` and `payload` are None where the stage is to find them itself.
    """

    environment: str
    version: int | None = None
    payload: dict[str, Any] | None = None


@dataclass(frozen=True)
class Done:
    """The stage is finished.

    `data` joins the task's context for later stages; `result` is kept with the stage run for
    people; `previous` (only from the first stage) is the tenant's state before any change.
    """

    data: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    previous: dict[str, Any] | None = None


@dataclass(frozen=True)
class Skipped:
    """There was nothing to do, and why."""

    why: Message


@dataclass(frozen=True)
class Wait:
    """Call again in `seconds`; `note` says for what, `memo` is handed back at the next call.

    A wait of `conf.WAIT_IN_THREAD_MAX_SECONDS` or more parks the task: no worker is held.
    """

    seconds: float
    note: Message
    memo: dict[str, Any] = field(default_factory=dict)


Outcome = Done | Skipped | Wait


@dataclass(frozen=True)
class RetryPolicy:
    """How often a stage is tried before its task fails, and how long between tries."""

    tries: int = conf.STAGE_TRIES
    first_seconds: float = conf.STAGE_RETRY_FIRST_SECONDS
    max_seconds: float = conf.STAGE_RETRY_MAX_SECONDS

    def delay_seconds(self, failed_tries: int, asked_seconds: float | None) -> float:
        """Exponential with a cap; what the other side asked for (`Retry-After`) is honoured."""
        return max(
            asked_seconds or 0.0,
            min(self.first_seconds * 2 ** (failed_tries - 1), self.max_seconds),
        )


@dataclass(frozen=True)
class StageContext:
    """What a stage knows.

    `data` is what earlier stages left, `memo` what this run's last `Wait` kept. `call` carries
    the idempotency key and the fence, and refuses to send once the lease is lost.
    """

    task_id: int
    tenant_id: str
    target: Target
    previous: dict[str, Any] | None
    data: dict[str, Any]
    memo: dict[str, Any]
    call: Call
    elapsed_seconds: float
    is_rollback: bool

    @property
    def endpoints(self) -> list[str]:
        """The addresses of the tenant's instances, as the OB service named them."""
        endpoints: list[str] = self.data.get("endpoints") or (self.previous or {})["endpoints"]
        return endpoints


class NoParams(BaseModel):
    """The parameters of a stage that has none."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Stage:
    """One stage, in one file, registered by its name.

    A stage drives the tenant to `context.target`, so running it twice is the same as once. It
    returns what comes next and never sleeps; it fails by raising a `StageError`.
    """

    name: ClassVar[str]
    title: ClassVar[Any]
    checkpoint: ClassVar[str]
    """The name of the checkpoint after it."""
    Params: ClassVar[type[BaseModel]] = NoParams
    retry: ClassVar[RetryPolicy] = RetryPolicy()

    def __init__(self, params: Any = None) -> None:
        self.params: Any = params if params is not None else self.Params()

    def run(self, context: StageContext) -> Outcome:
        """Drive the tenant to `context.target`."""
        raise NotImplementedError

    def undo(self, context: StageContext) -> Outcome:
        """Take the tenant back: the same, with the recorded previous state as the target."""
        return self.run(context)
