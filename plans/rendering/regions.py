"""The live regions of each page: a template with one root, and the context it is rendered from.

The page includes the same templates with the same contexts, so a frame and a fresh page agree.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.template.loader import render_to_string

from plans.actor import Actor
from plans.models import Event, Plan, PlanState, Task, TaskState
from plans.queries import (
    blast,
    choices,
    config_diff,
    effects,
    failures,
    feed,
    funnel,
    instances,
    plan_list,
    plan_page,
    task_page,
    task_table,
    timeline,
    waiting,
)
from plans.queries.bar import segments
from plans.queries.pace import Ends, Pace, pace_of
from plans.queries.stop import active_stop
from plans.queries.tally import Tally
from plans.queries.timeline import Timeline


class Region(NamedTuple):
    """A part of a page that changes as one; `html()` has the root element with its stable id."""

    template: str
    context: dict[str, Any]

    @property
    def name(self) -> str:
        """The template's name without folder, underscore and ending."""
        return self.template.rpartition("/")[2].removeprefix("_").removesuffix(".html")

    def html(self) -> str:
        return render_to_string(self.template, self.context)


def by_name(regions: Iterable[Region]) -> dict[str, dict[str, Any]]:
    """The contexts by what the page calls them: `_plan_header.html` is `plan_header`."""
    return {region.name: region.context for region in regions}


def plan_regions(plan: Plan) -> list[Region]:
    """The plan's header, bar, waves, stages, failures, timeline.

    The number of statements does not grow with the plan.
    """
    tally = Tally.of(plan)
    header = {
        "plan": plan,
        "tally": tally,
        "choices": choices.of_plan(plan, tally),
        "reasons": plan_page.why_still(plan, tally),
        "budget_used": plan_page.budget_used(plan),
    }
    times, pace = _times(plan, tally)
    bar = segments(tally.by_state)
    progress = {"plan": plan, "tally": tally, "segments": bar, "pace": pace}
    waves = {"plan": plan, "waves": plan_page.wave_ladder(plan, tally)}
    stages = {"plan": plan, "stages": funnel.stage_funnel(plan, tally)}
    groups = {"plan": plan, "groups": failures.failure_groups(plan)}
    return [
        Region("plans/_plan_header.html", header),
        Region("plans/_plan_progress.html", progress),
        Region("plans/_plan_waves.html", waves),
        Region("plans/_plan_stages.html", stages),
        Region("plans/_plan_failures.html", groups),
        Region("plans/_plan_timeline.html", {"plan": plan, "timeline": times}),
    ]


def _times(plan: Plan, tally: Tally) -> tuple[Timeline | None, Pace]:
    """The plan's timeline and its pace, which are both read from the ends of its tasks."""
    waves = list(plan.waves.all())
    axis = timeline.axis_of(plan)
    ends = Ends.of(plan, axis.end)
    is_back = plan.state == PlanState.ROLLING_BACK
    ahead = (TaskState.ROLLING_BACK,) if is_back else (TaskState.PENDING, TaskState.RUNNING)
    is_held = plan.halt is not None or active_stop() is not None
    pace = pace_of(plan, waves, ends, tally.count(*ahead), is_held)
    return timeline.timeline_of(plan, waves, ends, axis), pace


def task_regions(task: Task) -> list[Region]:
    """All of a task's page but its events (with plan, wave and tenant read)."""
    runs = task_page.stage_runs(task)
    header = {
        "task": task,
        "condition": task_page.condition(task),
        "traffic": task_page.traffic_moved(task, runs),
        "choices": choices.of_task(task),
        "holds": waiting.holds_of(task),
    }
    failure = {
        "task": task,
        "failure": task_page.failure_of(task, runs),
        "again": task_page.stages_of(task, "retry"),
        "over": task_page.stages_of(task, "retry", from_checkpoint=False),
        "choices": {choice.verb: choice for choice in choices.of_task(task)},
    }
    return [
        Region("plans/_task_header.html", header),
        Region("plans/_task_failure.html", failure),
        Region("plans/_task_rail.html", {"task": task, "steps": task_page.rail(task, runs)}),
        Region(
            "plans/_task_instances.html",
            {"task": task, "instances": instances.instances_of(task, runs)},
        ),
        Region("plans/_task_diff.html", {"task": task, "diff": config_diff.config_diff(task)}),
        Region("plans/_task_effects.html", {"task": task, "effects": effects.effects_of(runs)}),
        Region("plans/_task_facts.html", {"task": task}),
    ]


def plan_list_regions() -> list[Region]:
    """The list's counts by state."""
    return [Region("plans/_plan_counts.html", {"counts": plan_list.counts()})]


def plan_rows(plan_ids: Iterable[int]) -> list[Region]:
    """The rows `#plan-<id>` of those plans; two statements."""
    rows = plan_list.rows_of(Plan.objects.filter(pk__in=list(plan_ids)))
    return [Region("plans/_plan_row.html", {"row": row}) for row in rows]


def task_rows(plan: Plan, task_ids: Iterable[int]) -> list[Region]:
    """The rows `#task-<id>` of the task table; one statement."""
    tasks = Task.objects.filter(plan=plan, pk__in=list(task_ids))
    rows = task_table.rows_of(tasks.select_related("tenant", "wave"))
    return [Region("plans/_task_row.html", {"row": row}) for row in rows]


def event_items(events: Iterable[Event]) -> list[Region]:
    """The items `#event-<journal>-<seq>` of a feed, in the order of `events`; one statement."""
    return [Region("plans/_event.html", {"item": item}) for item in feed.items_of(events)]


def stop_banner() -> Region:
    """What every page says at its top while everything is stopped; one statement."""
    return Region("plans/_stop_banner.html", {"stop": active_stop()})


def confirmation(plan: Plan, verb: str, actor: Actor) -> dict[str, Any]:
    """What a confirmation of `verb` says: whether it is possible, and its blast radius."""
    tally = Tally.of(plan)
    if verb in choices.GATE_LABELS:
        choice = choices.of_gate(plan, verb, actor)
    else:
        choice = next(each for each in choices.of_plan(plan, tally) if each.verb == verb)
    return {
        "plan": plan,
        "choice": choice,
        "effects": [] if choice.why_not else blast.of_plan(plan, verb, tally),
        "typed": blast.needs_typed_name(tally, verb),
        # A state does not say at which of its gates the plan stands.
        "seen": plan.revision if verb in choices.GATE_LABELS else plan.state,
    }
