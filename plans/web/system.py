"""The system's page: workers, queue, conductor, renewals, stores, what failed last."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from plans import conf
from plans.engine import queue
from plans.engine.readiness import DATABASE, REDIS, TENANT_REDIS, latencies
from plans.errors import RedisUnavailable
from plans.models import Leadership
from plans.queries import renewals
from plans.queries.last_errors import last_errors
from plans.web.access import page

STORES = {
    DATABASE: _("until the database answers"),
    REDIS: _("until Redis answers"),
    TENANT_REDIS: _("until the tenants' Redis answers"),
}


@page
@require_safe
def system(request: HttpRequest) -> HttpResponse:
    """What is alive; that Redis is away is said, not raised."""
    context = {
        "leaders": Leadership.objects.order_by("role"),
        "now": timezone.now(),
        "renewal": renewals.figures(),
        "renewal_processes": renewals.processes(),
        "renewals": renewals.active(),
        "latencies": [(STORES[name], ms) for name, ms in latencies().items()],
        "errors": last_errors(),
    }
    try:
        client = queue.impatient(conf.LOOK_TIMEOUT_SECONDS)
        workers = queue.workers(connection=client)
        context |= {"workers": workers, "depth": queue.depth(connection=client)}
        context["threads"] = sum(worker["threads"] for worker in workers)
        context["busy"] = sum(worker["busy"] for worker in workers)
    except RedisUnavailable as away:
        context["away"] = str(away.message)
    return render(request, "plans/system.html", context)
