"""`plan create`."""

import argparse
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from plans import conf, operations
from plans.actor import Actor
from plans.management.plan_cli import answers, arguments, watching, who
from plans.management.plan_cli.exits import Exit
from plans.management.plan_cli.screen import Screen
from plans.models import Environment, FailurePolicy, Plan, WaveMode
from plans.validation import PlanRequest, TenantRequest, WaveRequest

EXECUTOR_TYPE = "BLUE_GREEN_SWITCH"


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("--name", type=arguments.text, required=True)
    parser.add_argument(
        "--tenants",
        nargs="+",
        required=True,
        metavar="ID",
        help=_("tenant ids; “all” of the registry; “-” reads them from standard input, one a line"),
    )
    parser.add_argument(
        "--target",
        choices=Environment.values,
        help=_("the target environment (default: the one where none of the tenants is now)"),
    )
    parser.add_argument("--executor-type", type=arguments.text, default=EXECUTOR_TYPE)
    parser.add_argument(
        "--wave",
        dest="waves",
        type=arguments.wave,
        action="append",
        default=[],
        metavar="WAVE",
        help=_(
            "5, 10%% (of all tenants, rounded up) or rest, in quotes perhaps with a gate after it: "
            "“10%% soak 15m approval”; again for each further wave"
        ),
    )
    parser.add_argument("--fifo", action="store_true", help=_("run each wave one by one, in order"))
    parser.add_argument("--max-concurrency", type=int, default=conf.CONCURRENCY_DEFAULT)
    parser.add_argument("--failure-policy", choices=FailurePolicy.values, default="halt")
    parser.add_argument("--failure-budget", type=int, metavar="N")
    parser.add_argument(
        "--parameters",
        type=arguments.parameters,
        default={},
        metavar="JSON",
        help=_("parameters of stages that differ from the defaults, by stage"),
    )
    parser.add_argument(
        "--dry-run", action="store_true", help=_("validate and show, store nothing")
    )
    parser.add_argument("--start", action="store_true", help=_("start it at once"))
    parser.add_argument("--reason", type=arguments.reason, default="")
    arguments.add_waiting(parser)
    arguments.add_json(parser)
    arguments.add_actor(parser)


def run(options: dict[str, Any], screen: Screen) -> Exit:
    """Create, and start and wait if asked."""
    if options["wait"] and not options["start"]:
        options["parser"].error(_("--wait needs --start: nothing would happen"))
    actor = who.acting(options["as_user"])
    request = _request(options)
    if options["dry_run"]:
        return _preview(request, actor, screen)
    plan = operations.create_plan(request, actor)
    screen.say(_("%(plan)s is created.") % {"plan": answers.title(plan)})
    code = Exit.DONE
    if options["start"]:
        operations.start_plan(plan.pk, actor, reason=options["reason"])
        screen.say(_("It is started."))
    try:
        if options["wait"]:
            look = watching.of_plan(plan.pk, "start")
            code = watching.wait(look, screen, options["timeout"])
    finally:
        # A script that was interrupted still needs the id.
        if screen.is_json:
            screen.json(answers.plan_json(Plan.objects.get(pk=plan.pk)))
    return code


def _request(options: dict[str, Any]) -> PlanRequest:
    waves: list[WaveRequest] = options["waves"]
    if options["fifo"]:
        waves = [
            replace(wave, mode=WaveMode.FIFO.value) for wave in waves or [WaveRequest(rest=True)]
        ]
    return PlanRequest(
        name=options["name"],
        tenants=tuple(map(TenantRequest, arguments.tenant_ids(options["tenants"]))),
        executor_type=options["executor_type"],
        target=options["target"],
        waves=tuple(waves),
        max_concurrency=options["max_concurrency"],
        failure_policy=options["failure_policy"],
        failure_budget=options["failure_budget"],
        parameters=options["parameters"],
    )


def _preview(request: PlanRequest, actor: Actor, screen: Screen) -> Exit:
    preview = operations.preview_plan(request, actor)
    screen.issues(preview.summary.issues)
    screen.say(
        _("%(count)s tenants would go to %(target)s; nothing is stored.")
        % {"count": len(request.tenants), "target": preview.target or "?"}
    )
    for number, wave in enumerate(preview.waves, 1):
        screen.say(f"  {_('wave')} {number}, {wave.mode}: {wave.size}")
    if screen.is_json:
        screen.json(
            {
                "target": preview.target,
                "taskCount": len(request.tenants),
                "waves": [
                    {
                        "size": wave.size,
                        "mode": wave.mode,
                        "soakSeconds": wave.soak_seconds,
                        "approval": wave.approval,
                    }
                    for wave in preview.waves
                ],
                "errors": preview.summary.error_count,
                "issues": preview.summary.as_json(),
            }
        )
    return Exit.REFUSED if preview.summary.errors else Exit.DONE
