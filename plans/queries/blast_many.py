"""The blast radius of one operation on many tasks, in words, before anybody confirms it."""

from collections import Counter

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from plans.models import Environment, Plan, PlanState, Task, TaskState
from plans.queries import eligible
from plans.queries.wall import switching_index


def of_tasks(plan: Plan, tasks: QuerySet[Task], verb: str, by_state: Counter[str]) -> list[str]:
    """What `verb` would do to `tasks`, all of which are in a state that allows it.

    One sentence an effect. At most five statements, however many there are.
    """
    return _EFFECTS[verb](plan, tasks, by_state)


def _retry(plan: Plan, tasks: QuerySet[Task], by_state: Counter[str]) -> list[str]:
    words = [
        ngettext(
            "%(count)s tenant is tried again towards %(target)s, at most %(limit)s at once.",
            "%(count)s tenants are tried again towards %(target)s, at most %(limit)s at once.",
            by_state.total(),
        )
        % {
            "count": by_state.total(),
            "target": plan.get_target_display(),
            "limit": plan.max_concurrency,
        }
    ]
    if plan.state == PlanState.FAILED:
        words.append(_("Its plan, which is failed, runs again for them and begins nothing else."))
    elif plan.state != PlanState.RUNNING:
        words.append(_("The plan is %(state)s.") % {"state": plan.get_state_display()})
    words += _overtaken(tasks)
    words.append(_("Reversible: each can be paused, and rolled back to where it was."))
    return words


def _rollback(plan: Plan, tasks: QuerySet[Task], by_state: Counter[str]) -> list[str]:
    changed = tasks.filter(eligible.CHANGED)
    counted = changed.order_by().values_list("previous__environment", "reached")
    homes: Counter[str] = Counter()
    moved, switch = 0, switching_index(plan)
    for environment, reached in counted:
        homes[environment] += 1
        moved += reached > switch
    words = [_goes_home(environment, count) for environment, count in homes.most_common()]
    if moved:
        text = ngettext(
            "Traffic moves back for %(count)s of them.",
            "Traffic moves back for %(count)s of them.",
            moved,
        )
        words.append(text % {"count": moved})
    if still := homes.total() - moved:
        text = ngettext(
            "%(count)s has not moved its traffic: what it changed before goes back.",
            "%(count)s have not moved their traffic: what they changed before goes back.",
            still,
        )
        words.append(text % {"count": still})
    if unchanged := by_state.total() - homes.total():
        text = ngettext(
            "%(count)s has changed nothing and will be skipped.",
            "%(count)s have changed nothing and will be skipped.",
            unchanged,
        )
        words.append(text % {"count": unchanged})
    words += _overtaken(tasks)
    words.append(_("The rest of the plan is not touched."))
    return words


def _goes_home(environment: str, count: int) -> str:
    values = {"count": count, "home": Environment.name_of(environment)}
    text = ngettext(
        "%(count)s tenant goes back to %(home)s.",
        "%(count)s tenants go back to %(home)s.",
        count,
    )
    return text % values


def _cancel(plan: Plan, tasks: QuerySet[Task], by_state: Counter[str]) -> list[str]:
    words = []
    if pending := by_state[TaskState.PENDING]:
        text = ngettext(
            "%(count)s pending never begins.", "%(count)s pending never begin.", pending
        )
        words.append(text % {"count": pending})
    if under_way := by_state.total() - pending:
        text = ngettext(
            "%(count)s under way stops at its next stage boundary and stays where it is then.",
            "%(count)s under way stop at their next stage boundary and stay where they are then.",
            under_way,
        )
        words.append(text % {"count": under_way})
    words.append(_("Not reversible; what was changed can be rolled back."))
    return words


def _pause(plan: Plan, tasks: QuerySet[Task], by_state: Counter[str]) -> list[str]:
    running = by_state.total()
    queued = tasks.filter(admitted=False).count()
    text = ngettext(
        "%(count)s running task stops at its next stage boundary.",
        "%(count)s running tasks stop at their next stage boundary.",
        running - queued,
    )
    words = [text % {"count": running - queued}]
    if queued:
        words.append(_("%(count)s that wait for a slot stop at once.") % {"count": queued})
    words.append(_("Reversible: resuming goes on where it stopped."))
    return words


def _resume(plan: Plan, tasks: QuerySet[Task], by_state: Counter[str]) -> list[str]:
    count = by_state.total()
    text = ngettext(
        "%(count)s paused task goes on towards %(target)s, at most %(limit)s at once.",
        "%(count)s paused tasks go on towards %(target)s, at most %(limit)s at once.",
        count,
    )
    values = {"target": plan.get_target_display(), "limit": plan.max_concurrency}
    return [text % {"count": count, **values}]


def _overtaken(tasks: QuerySet[Task]) -> list[str]:
    count = tasks.filter(Q(eligible.overtaken())).count()
    if not count:
        return []
    text = ngettext(
        "A later task has changed %(count)s of these tenants since: it will be skipped.",
        "Later tasks have changed %(count)s of these tenants since: they will be skipped.",
        count,
    )
    return [text % {"count": count}]


_EFFECTS = {
    "retry": _retry,
    "rollback": _rollback,
    "cancel": _cancel,
    "pause": _pause,
    "resume": _resume,
}
