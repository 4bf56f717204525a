"""The blast radius of an operation, in words, before anybody confirms it."""

from collections import Counter

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from plans.models import Environment, Plan, PlanState, Task, TaskState, Wave
from plans.queries import eligible, gates
from plans.queries.tally import Tally

TYPED_NAME_ABOVE_TENANTS = 500
"""Above this the plan's name is typed to confirm what cannot simply be resumed."""
TYPED_VERBS = ("start", "cancel", "rollback")


def of_plan(plan: Plan, verb: str, tally: Tally) -> list[str]:
    """What `verb` would do to how many tenants, one sentence an effect."""
    return _PLAN[verb](plan, tally)


def needs_typed_name(tally: Tally, verb: str) -> bool:
    """Whether so many tenants are concerned that a click is too little."""
    return verb in TYPED_VERBS and tally.total > TYPED_NAME_ABOVE_TENANTS


def _start(plan: Plan, tally: Tally) -> list[str]:
    waves = plan.waves.count()
    return [
        ngettext(
            "%(count)s tenant will be switched to %(target)s, at most %(limit)s at once.",
            "%(count)s tenants will be switched to %(target)s, at most %(limit)s at once.",
            tally.total,
        )
        % {
            "count": tally.total,
            "target": plan.get_target_display(),
            "limit": plan.max_concurrency,
        },
        ngettext("It runs in %(count)s wave.", "It runs in %(count)s waves.", waves)
        % {"count": waves},
        _("Reversible: it can be paused at any time, and every switched tenant rolled back."),
    ]


def _pause(plan: Plan, tally: Tally) -> list[str]:
    running = tally.count(TaskState.RUNNING)
    return [
        ngettext(
            "%(count)s running task stops at its next stage boundary.",
            "%(count)s running tasks stop at their next stage boundary.",
            running,
        )
        % {"count": running},
        *_pending(tally, _("%(count)s pending are not handed out.")),
        *_stay(plan, tally),
        _("Reversible: resuming goes on where it stopped."),
    ]


def _resume(plan: Plan, tally: Tally) -> list[str]:
    paused = tally.count(TaskState.PAUSED)
    return [
        ngettext("%(count)s paused task goes on.", "%(count)s paused tasks go on.", paused)
        % {"count": paused},
        *_pending(tally, _("%(count)s pending are handed out again.")),
    ]


def _cancel(plan: Plan, tally: Tally) -> list[str]:
    running = tally.count(TaskState.RUNNING, TaskState.PAUSED)
    return [
        *_pending(tally, _("%(count)s pending never begin.")),
        ngettext(
            "%(count)s task under way stops at its next stage boundary and stays where it is.",
            "%(count)s tasks under way stop at their next stage boundary and stay where they are.",
            running,
        )
        % {"count": running},
        *_stay(plan, tally),
        _("Not reversible: a cancelled plan cannot be resumed. It can be rolled back."),
    ]


def _retry(plan: Plan, tally: Tally) -> list[str]:
    by_state = eligible.retryable(plan).order_by().values_list("state").annotate(Count("pk"))
    count = Counter(dict(by_state))
    failed, back = count[TaskState.FAILED], count[TaskState.ROLLED_BACK]
    words = []
    if failed:
        text = ngettext(
            "%(count)s failed tenant is tried again towards %(target)s.",
            "%(count)s failed tenants are tried again towards %(target)s.",
            failed,
        )
        words.append(text % {"count": failed, "target": plan.get_target_display()})
    if back:
        text = ngettext(
            "%(count)s that had failed and was rolled back is tried again, too.",
            "%(count)s that had failed and were rolled back are tried again, too.",
            back,
        )
        words.append(text % {"count": back})
    words += _pending(tally, _("%(count)s pending are handed out again."))
    return words or [_("Nothing of it can be tried again or begun.")]


def _rollback(plan: Plan, tally: Tally) -> list[str]:
    running = tally.count(TaskState.RUNNING)
    changed = eligible.reversible(plan, once_more=True).count()
    words = [
        ngettext(
            "%(count)s tenant that this plan has changed goes back to where it was.",
            "%(count)s tenants that this plan has changed go back to where they were.",
            changed,
        )
        % {"count": changed}
    ]
    if running:
        words.append(_("%(count)s running stop first, then go back too.") % {"count": running})
    words += _pending(tally, _("%(count)s pending are cancelled."))
    words.append(_("Not reversible as a whole: a rolled back plan cannot be started again."))
    return words


def _approve(plan: Plan, tally: Tally) -> list[str]:
    gate = gates.closed_gate(plan)
    if gate is None:
        return []
    following = Wave.objects.filter(plan=plan, index=gate.index + 1).first()
    failed = Task.objects.filter(eligible.FAILED, wave=gate).count()
    words = [
        _("Wave %(number)s has ended: %(failed)s of its %(total)s tenants failed.")
        % {"number": gate.number, "failed": failed, "total": gate.size},
        ngettext(
            "Wave %(number)s begins: %(count)s more tenant goes to %(target)s.",
            "Wave %(number)s begins: %(count)s more tenants go to %(target)s.",
            following.size if following else 0,
        )
        % {
            "number": gate.number + 1,
            "count": following.size if following else 0,
            "target": plan.get_target_display(),
        },
    ]
    if gate.soak_until is not None and gate.soak_until > timezone.now():
        words.append(_("Not at once: the soak goes on first."))
    if plan.state == PlanState.PAUSED:
        words.append(_("Not at once: the plan is paused, and must be resumed first."))
    return words


def _reject(plan: Plan, tally: Tally) -> list[str]:
    return [
        _("The plan is paused at its gate; nothing of the next wave begins."),
        *_stay(plan, tally),
        _("Reversible: resuming asks for approval anew. It can also be rolled back."),
    ]


def _pending(tally: Tally, template: str) -> list[str]:
    pending = tally.count(TaskState.PENDING)
    return [template % {"count": pending}] if pending else []


def _stay(plan: Plan, tally: Tally) -> list[str]:
    done = tally.count(TaskState.COMPLETED)
    values = {"count": done, "target": plan.get_target_display()}
    return [_("%(count)s already switched stay %(target)s.") % values] if done else []


_PLAN = {
    "start": _start,
    "pause": _pause,
    "resume": _resume,
    "cancel": _cancel,
    "retry": _retry,
    "rollback": _rollback,
    "approve": _approve,
    "reject": _reject,
}


def of_task(task: Task, verb: str) -> list[str]:
    """What `verb` would do to the task's tenant."""
    target = task.plan.get_target_display()
    queue_note = [] if task.plan.state == PlanState.RUNNING else _plan_note(task, verb)
    return {
        "pause": [_("The tenant stops at its next stage boundary."), _("Reversible: resume.")],
        "resume": [_("The tenant goes on towards %(target)s.") % {"target": target}],
        "cancel": [
            _("The tenant stops at its next stage boundary and stays where it is then."),
            _("Not reversible; what was changed can be rolled back."),
        ],
        "retry": [_("The tenant is tried again towards %(target)s.") % {"target": target}],
        "rollback": [
            _("Traffic and configuration go back to %(environment)s, where they were.")
            % {"environment": Environment.name_of((task.previous or {}).get("environment", "?"))},
            _("The rest of the plan is not touched."),
        ],
    }[verb] + queue_note


def _plan_note(task: Task, verb: str) -> list[str]:
    if verb == "retry" and task.plan.state == PlanState.FAILED:
        return [_("Its plan, which is failed, runs again for it.")]
    return []
