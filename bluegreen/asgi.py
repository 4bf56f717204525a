"""HTTP and websockets in one ASGI application."""

import os
import sys
from io import StringIO

from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluegreen.settings")
try:
    http = get_asgi_application()
    # What `make run` asks, and what workers ask.
    call_command("check", deploy=True, tags=["configuration"], stdout=StringIO())
except (ImproperlyConfigured, SystemCheckError) as refused:
    # As manage.py does: a message, no traceback.
    sys.exit(f"{refused}")

# The rest imports models, which is possible only once Django is set up.
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.sessions import CookieMiddleware
from django.conf import settings

from bluegreen import embedded_redis
from plans.live.origin import OwnOrigin
from plans.live.routing import websocket_urlpatterns

# Each request runs in a thread of its own: a connection kept after it would be nobody's.
settings.DATABASES["default"]["CONN_MAX_AGE"] = 0
embedded_redis.keep_running()

application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": OwnOrigin(CookieMiddleware(URLRouter(websocket_urlpatterns))),
    }
)
