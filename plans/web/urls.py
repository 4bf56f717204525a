"""The dashboard's addresses."""

from django.urls import path, re_path

from plans import operations
from plans.web import (
    actions,
    bulk,
    events,
    metrics,
    new_plan,
    overview,
    plan,
    plans,
    replay,
    stop,
    system,
    task,
)

PLAN_VERB = f"(?P<verb>{'|'.join(operations.OF_PLANS)})"
TASK_VERB = f"(?P<verb>{'|'.join(operations.OF_TASKS)})"
ID = "[0-9]{1,18}"

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("plans/", plans.plans, name="plan_list"),
    path("plans/new/", new_plan.plan_new, name="plan_new"),
    path("plans/new/preview/", new_plan.plan_preview, name="plan_preview"),
    path("plans/new/table/", new_plan.plan_table, name="plan_table"),
    path("plans/new/tenants/", new_plan.plan_tenants, name="plan_tenants"),
    re_path(rf"^plans/(?P<plan_id>{ID})/$", plan.plan, name="plan"),
    re_path(rf"^plans/(?P<plan_id>{ID})/replay/$", replay.replay, name="plan_replay"),
    re_path(rf"^plans/(?P<plan_id>{ID})/events/$", events.events, name="plan_events"),
    re_path(
        rf"^plans/(?P<plan_id>{ID})/events\.(?P<ending>csv|json)$",
        events.download,
        name="plan_events_download",
    ),
    re_path(rf"^plans/(?P<plan_id>{ID})/{PLAN_VERB}/$", actions.plan_action, name="plan_action"),
    re_path(rf"^plans/(?P<plan_id>{ID})/tasks/{TASK_VERB}/$", bulk.bulk_action, name="bulk_action"),
    re_path(rf"^tasks/(?P<task_id>{ID})/$", task.task, name="task"),
    re_path(rf"^tasks/(?P<task_id>{ID})/{TASK_VERB}/$", actions.task_action, name="task_action"),
    path("stop/", stop.stop, name="stop"),
    path("stop/lift/", stop.lift, name="stop_lift"),
    path("system/", system.system, name="system"),
    path("metrics", metrics.metrics, name="metrics"),
]
