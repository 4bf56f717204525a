"""What is stored: fields, constraints and the transitions between states."""

from plans.models.api_token import ApiToken, TokenScope
from plans.models.environment import Environment
from plans.models.event import Event, EventKind
from plans.models.journal import INSTALLATION, Journal
from plans.models.leadership import Leadership
from plans.models.plan import (
    MOVING_PLAN_STATES,
    UNDER_WAY_PLAN_STATES,
    UNFINISHED_PLAN_STATES,
    FailurePolicy,
    Plan,
    PlanState,
)
from plans.models.renewal import Renewal, RenewalProcess, StopReason
from plans.models.sign_in_count import SignInCount
from plans.models.stage_run import Direction, StageRun, StageRunState
from plans.models.stop import Stop
from plans.models.task import ACTIVE_STATES, UNFINISHED_STATES, Control, Task, TaskState
from plans.models.tenant import TENANT_ID_PATTERN, Tenant
from plans.models.wave import Decision, Wave, WaveMode

__all__ = [
    "ACTIVE_STATES",
    "INSTALLATION",
    "MOVING_PLAN_STATES",
    "TENANT_ID_PATTERN",
    "UNDER_WAY_PLAN_STATES",
    "UNFINISHED_PLAN_STATES",
    "UNFINISHED_STATES",
    "ApiToken",
    "Control",
    "Decision",
    "Direction",
    "Environment",
    "Event",
    "EventKind",
    "FailurePolicy",
    "Journal",
    "Leadership",
    "Plan",
    "PlanState",
    "Renewal",
    "RenewalProcess",
    "SignInCount",
    "StageRun",
    "StageRunState",
    "Stop",
    "StopReason",
    "Task",
    "TaskState",
    "Tenant",
    "TokenScope",
    "Wave",
    "WaveMode",
]
