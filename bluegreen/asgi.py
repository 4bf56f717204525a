"""HTTP and websockets in one ASGI application."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluegreen.settings")
http = get_asgi_application()

# The rest imports models, which is possible only once Django is set up.
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.sessions import CookieMiddleware  # noqa: E402
from django.conf import settings  # noqa: E402

from bluegreen import embedded_redis  # noqa: E402
from plans.live.origin import OwnOrigin  # noqa: E402
from plans.live.routing import websocket_urlpatterns  # noqa: E402

# Each request runs in a thread of its own: a connection kept after it would be nobody's.
settings.DATABASES["default"]["CONN_MAX_AGE"] = 0
embedded_redis.keep_running()

application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": OwnOrigin(CookieMiddleware(URLRouter(websocket_urlpatterns))),
    }
)
