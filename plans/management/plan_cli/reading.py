"""`plan show`, `plan list` and `plan watch`."""

import argparse
from typing import Any

from django.utils.translation import gettext as _

from plans.actor import Permission
from plans.management.plan_cli import answers, arguments, watching, who
from plans.management.plan_cli.exits import Exit
from plans.management.plan_cli.screen import Screen
from plans.models import Plan, PlanState
from plans.queries import counts
from plans.queries.existing import existing_plan, existing_task

LISTED = 20


def add_show(parser: argparse.ArgumentParser) -> None:
    """The arguments of `show`."""
    parser.add_argument("plan", type=int, nargs="?", metavar="PLAN", help=_("the plan's id"))
    parser.add_argument("--task", type=int, metavar="ID", help=_("show this task, not a plan"))
    arguments.add_json(parser)
    arguments.add_actor(parser)


def show(options: dict[str, Any], screen: Screen) -> Exit:
    """One plan or task."""
    who.acting(options["as_user"]).require(Permission.VIEW)
    if (options["plan"] is None) == (options["task"] is None):
        options["parser"].error(_("name either a plan or a task"))
    if options["task"] is not None:
        task = existing_task(options["task"])
        return _print(screen, answers.task_json(task), answers.task_lines(task))
    plan = existing_plan(options["plan"])
    return _print(screen, answers.plan_json(plan), answers.plan_lines(plan))


def add_list(parser: argparse.ArgumentParser) -> None:
    """The arguments of `list`."""
    parser.add_argument("--state", choices=PlanState.values, help=_("only plans in this state"))
    parser.add_argument("--limit", type=arguments.count, default=LISTED)
    arguments.add_json(parser)
    arguments.add_actor(parser)


def listing(options: dict[str, Any], screen: Screen) -> Exit:
    """The latest plans, latest first."""
    who.acting(options["as_user"]).require(Permission.VIEW)
    found = Plan.objects.order_by("-pk")
    if options["state"]:
        found = found.filter(state=options["state"])
    plans = list(found[: options["limit"]])
    if screen.is_json:
        screen.json([answers.plan_json(plan) for plan in plans])
        return Exit.DONE
    by_plan = counts.of_plans(plans)
    for plan in plans:
        by_state = by_plan[plan.pk]
        progress = f"{answers.finished(by_state)}/{sum(by_state.values())}"
        screen.say(f"{plan.pk:>6}  {plan.state:<15}  {progress:>11}  {plan.target:<5}  {plan.name}")
    if not plans:
        screen.warn(_("There are no such plans."))
    return Exit.DONE


def add_watch(parser: argparse.ArgumentParser) -> None:
    """The arguments of `watch`."""
    parser.add_argument("plan", type=int, metavar="PLAN", help=_("the plan's id"))
    arguments.add_waiting(parser, optional=False)
    arguments.add_actor(parser)


def watch(options: dict[str, Any], screen: Screen) -> Exit:
    """Watch a plan until it ends."""
    who.acting(options["as_user"]).require(Permission.VIEW)
    look = watching.of_plan(options["plan"], "watch")
    code = watching.wait(look, screen, options["timeout"])
    if code is Exit.FAILED:
        for line in answers.failure_lines(Plan.objects.get(pk=options["plan"])):
            screen.say(line)
    return code


def _print(screen: Screen, as_json: dict[str, Any], lines: Any) -> Exit:
    if screen.is_json:
        screen.json(as_json)
    else:
        for line in lines:
            screen.say(line)
    return Exit.DONE
