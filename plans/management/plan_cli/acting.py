"""`plan start|pause|resume|cancel|retry|rollback|approve|reject`: a plan, or some of its tasks."""

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from plans import operations
from plans.management.plan_cli import arguments, watching, who
from plans.management.plan_cli.exits import Exit
from plans.management.plan_cli.screen import Screen
from plans.models import Task


def add(action: str, parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("plan", type=int, nargs="?", metavar="PLAN", help=_("the plan's id"))
    if action in operations.OF_TASKS:
        parser.add_argument(
            "--task",
            dest="tasks",
            type=int,
            nargs="+",
            metavar="ID",
            help=_("act on these tasks, not on a plan"),
        )
    parser.add_argument("--reason", type=arguments.reason, default="", help=_("for the audit"))
    parser.add_argument(
        "--seen",
        type=arguments.seen,
        metavar="STATE",
        help=_("refuse unless it is still in this state, or has this revision"),
    )
    if action == "retry":
        parser.add_argument(
            "--from-scratch",
            action="store_true",
            help=_("run all stages again (default: continue from the checkpoint)"),
        )
    arguments.add_waiting(parser)
    arguments.add_actor(parser)


def run(options: dict[str, Any], screen: Screen) -> Exit:
    """Act, and wait if asked."""
    action: str = options["action"]
    plan: int | None = options["plan"]
    tasks: list[int] = list(dict.fromkeys(options.get("tasks") or []))
    if (plan is None) == (not tasks):
        options["parser"].error(
            _("name either a plan or tasks") if action in operations.OF_TASKS else _("which plan?")
        )
    actor = who.acting(options["as_user"])
    details = {"seen": options["seen"], "reason": options["reason"]}
    if action == "retry":
        details["from_checkpoint"] = not options["from_scratch"]
    code = Exit.DONE
    if plan is not None:
        state = operations.OF_PLANS[action](plan, actor, **details).state
        screen.say(_("Plan %(id)s is %(state)s.") % {"id": plan, "state": state})
        look = watching.of_plan(plan, action)
    elif len(tasks) == 1:
        state = operations.OF_TASKS[action](tasks[0], actor, **details).state
        screen.say(_("Task %(id)s is %(state)s.") % {"id": tasks[0], "state": state})
        look = watching.of_tasks(tasks, action)
    else:
        code, done = _on_each(tasks, partial(operations.OF_TASKS[action], **details), actor, screen)
        look = watching.of_tasks(done, action)
    if options["wait"]:
        code = max(code, watching.wait(look, screen, options["timeout"]))
    return code


def _on_each(
    tasks: list[int], operation: Callable[..., Task], actor: Any, screen: Screen
) -> tuple[Exit, list[int]]:
    """Some may be refused: 1, and the others are done all the same."""
    results = operations.for_each(tasks, operation, actor)
    refused = [*results.skipped, *results.failed]
    for task, why in refused:
        screen.warn(_("Task %(id)s: %(why)s") % {"id": task, "why": why})
    screen.say(
        _("Done for %(done)s of %(all)s tasks.") % {"done": len(results.done), "all": len(tasks)}
    )
    return (Exit.REFUSED if refused else Exit.DONE), results.done
