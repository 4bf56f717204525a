"""Which operations a plan or a task allows now, and why not where it does not."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_fsm import can_proceed

from plans.actor import Actor, Permission
from plans.models import Control, Decision, Plan, PlanState, Task, TaskState
from plans.queries import gates
from plans.queries.tally import Tally

LABELS = {
    "start": gettext_lazy("Start"),
    "pause": gettext_lazy("Pause"),
    "resume": gettext_lazy("Resume"),
    "retry": gettext_lazy("Retry failed"),
    "rollback": gettext_lazy("Roll back"),
    "cancel": gettext_lazy("Cancel"),
}
BEGIN_THE_REST = gettext_lazy("Begin the rest")
FAILED_STATES = (TaskState.FAILED, TaskState.ROLLBACK_FAILED, TaskState.ROLLED_BACK)
GATE_LABELS = {"approve": gettext_lazy("Approve"), "reject": gettext_lazy("Reject")}
PLAN_VERBS = (*LABELS, *GATE_LABELS)
TASK_VERBS = ("pause", "resume", "retry", "rollback", "cancel")
TASK_LABELS = {**LABELS, "retry": gettext_lazy("Retry")}
METHODS = {"rollback": "roll_back"}


@dataclass(frozen=True)
class Choice:
    """One button. `why_not` is empty where the operation is possible."""

    verb: str
    label: str
    why_not: str = ""


def of_plan(plan: Plan, tally: Tally) -> list[Choice]:
    """All operations on a plan, in the order of the buttons; on its gate only while it has one."""
    gate = gates.closed_gate(plan) if plan.current_wave else None
    decisions = [of_gate(plan, verb) for verb in GATE_LABELS] if gate and gate.approval else []
    labels = LABELS
    if plan.state == PlanState.FAILED and not tally.count(*FAILED_STATES):
        labels = LABELS | {"retry": BEGIN_THE_REST}
    others = [Choice(v, str(labels[v]), _plan_refusal(plan, v, tally)) for v in labels]
    return [*decisions, *others]


def of_gate(plan: Plan, verb: str, actor: Actor | None = None) -> Choice:
    """The decision `verb` about the plan's gate; for `actor`, if one is named."""
    label = str(GATE_LABELS[verb])
    gate = gates.closed_gate(plan)
    if gate is None or not gate.approval:
        return Choice(verb, label, _("The plan stands at no gate that waits for approval."))
    if verb == "approve" and gate.decision == Decision.APPROVED:
        why = _("%(who)s has already approved.") % {"who": gate.decided_by}
        return Choice(verb, label, why)
    if actor is None:
        return Choice(verb, label)
    if not actor.may(Permission.APPROVE):
        return Choice(verb, label, _("Your role may not decide about gates: ask an approver."))
    if actor.name in (plan.created_by, plan.started_by):
        why = _("You created or started this plan: somebody else must decide about its gates.")
        return Choice(verb, label, why)
    return Choice(verb, label)


def _plan_refusal(plan: Plan, verb: str, tally: Tally) -> str:
    state = plan.get_state_display()
    if verb == "retry":
        failed = tally.count(TaskState.FAILED)
        if plan.state == PlanState.FAILED or (plan.state == PlanState.RUNNING and failed):
            return ""
        return _("Nothing to retry: the plan is %(state)s. Failed tasks: %(failed)s.") % {
            "state": state,
            "failed": failed,
        }
    if verb == "cancel" and plan.state == PlanState.FAILED and tally.count(TaskState.PENDING):
        return _(
            "The plan is failed: cancel its pending tasks in the table, or roll the plan back, "
            "which cancels them too."
        )
    if not can_proceed(getattr(plan, METHODS.get(verb, verb))):
        return _("The plan is %(state)s.") % {"state": state}
    if verb == "rollback" and not tally.changed:
        return _("This plan has not changed any tenant: there is nothing to roll back.")
    return ""


def of_task(task: Task) -> list[Choice]:
    """All operations on a task, in the order of the buttons."""
    return [Choice(v, str(TASK_LABELS[v]), _task_refusal(task, v)) for v in TASK_VERBS]


def _task_refusal(task: Task, verb: str) -> str:
    plan = task.plan
    plan_is = _("Its plan is %(state)s.") % {"state": plan.get_state_display()}
    if verb == "resume" and (task.state == TaskState.PAUSED or task.control == Control.PAUSE):
        return "" if plan.state == PlanState.RUNNING else plan_is
    if verb in ("pause", "cancel") and task.control:
        asked = Control(task.control).label
        return _("%(who)s has already asked for: %(what)s.") % {
            "who": task.control_by,
            "what": asked,
        }
    if verb == "rollback" and not task.has_changed_its_tenant:
        return _("The task has not changed its tenant: there is nothing to roll back.")
    if not can_proceed(getattr(task, METHODS.get(verb, verb))):
        return _("The task is %(state)s.") % {"state": task.get_state_display()}
    if verb == "retry" and plan.state not in (PlanState.RUNNING, PlanState.FAILED):
        return plan_is
    return ""
