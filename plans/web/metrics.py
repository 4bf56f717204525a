"""The metrics, for Prometheus: by bearer token, or in the browser of whoever is signed in."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from plans import metrics as measured
from plans.actor import Actor, Permission
from plans.errors import PermissionRefused
from plans.models import ApiToken

BEARER = "bearer"


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """All metrics; 401 for nobody, 403 for who may not view plans. A sent token decides alone."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == BEARER:
        actor = ApiToken.actor_of(token.strip())
    else:
        actor = Actor.of(request.user) if request.user.is_authenticated else None
    if actor is None:
        refused = HttpResponse("Sign in, or send a token.\n", "text/plain", status=401)
        refused["WWW-Authenticate"] = 'Bearer realm="Bluegreen"'
        return refused
    try:
        actor.require(Permission.VIEW)
    except PermissionRefused as refusal:
        return HttpResponse(f"{refusal.message}\n", "text/plain", status=refusal.status)
    content, content_type = measured.exposition(request.headers.get("Accept", ""))
    return HttpResponse(content, content_type)
