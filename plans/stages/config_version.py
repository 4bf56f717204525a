"""Under which version a tenant's configuration is written, and that nothing newer stands there."""

from typing import Any

from plans.errors import StaleVersion
from plans.models import Direction, StageRun, StageRunState
from plans.stages import delivered
from plans.stages.base import StageContext
from plans.stores import tenant_config
from plans.stores.tenant_config import StoredConfig


def version_forward(context: StageContext, held: StoredConfig | None, present: int) -> int:
    """The version that the task delivers.

    The one that its plan names, else one above what Redis (`held`) and the OB service (`present`)
    have, and above what earlier tasks are known to have written there: Redis may have lost it, and
    instances would take what they already have for the new configuration.

    A named one that Redis is past is left to be refused, because somebody else's newer
    configuration must not be overwritten; but where what stands there, or stood there, is this very
    task's, put back by its rollback or delivered before it was started over, then it is one above.
    """
    named = context.target.version
    if named is None:
        highest = delivered.highest_of_tenant(context.tenant_id)
        return 1 + max(present, held.version if held else 0, highest)
    own = delivered.highest_of_task(context.task_id)
    is_past = held is not None and held.version >= own and not _is_own(context.task_id, held)
    return 1 + own if own > named and not is_past else named


def version_back(context: StageContext, held: StoredConfig | None) -> int:
    """The version under which what was before is written: instances never see it go down.

    A stage that was undone before may have put it back already (`version_back`). Where Redis has
    lost it, what later tasks of the tenant delivered, which are back by now, is known here alone.
    """
    put_back = int(context.data.get("version_back", 0))
    if put_back and held is not None and held.version == put_back:
        return put_back
    highest = delivered.highest_of_tenant(context.tenant_id)
    own = int(context.data.get("version", 0))
    return 1 + max(held.version if held else 0, own, put_back, highest)


def payload_of(context: StageContext) -> Any:
    """What is written: the target's configuration, or the previous one where it has none."""
    payload = context.target.payload
    if payload is None:
        payload = (context.previous or {}).get("payload") or {}
    return payload


def write(context: StageContext, version: int, *, unless_held: bool = False) -> None:
    """Write the target's configuration under `version` and publish a notice.

    Raises RedisUnavailable, `Superseded`, and
    StaleVersion where Redis holds a newer one.
    """
    context.call.before()  # Not one byte once the lease is lost.
    result = tenant_config.write(
        context.tenant_id,
        version=version,
        epoch=context.call.fence,
        color=context.target.environment,
        payload=payload_of(context),
        unless_held=unless_held,
    )
    if not result.written:
        raise StaleVersion(
            tenant=context.tenant_id,
            version=version,
            epoch=context.call.fence,
            held_version=result.held_version,
            held_epoch=result.held_epoch,
        )


def _is_own(task_id: int, held: StoredConfig) -> bool:
    """Whether the task itself wrote what Redis holds: a finished stage run of it says so.

    Its epoch tells it from what somebody else wrote under the same version.
    """
    finished = StageRun.objects.filter(task=task_id, state=StageRunState.COMPLETED)
    return any(
        held.epoch >= epoch
        and str(held.version) == str((result or {}).get(delivered.SAID_BY[Direction(direction)]))
        for direction, epoch, result in finished.values_list("direction", "epoch", "result")
    )
