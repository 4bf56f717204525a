"""HTTP and websockets in one ASGI application."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluegreen.settings")
http = get_asgi_application()

# The rest imports models, which is possible only once Django is set up.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from bluegreen import embedded_redis  # noqa: E402
from plans.live.origin import OwnOrigin  # noqa: E402
from plans.live.routing import websocket_urlpatterns  # noqa: E402

embedded_redis.keep_running()

application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": OwnOrigin(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
