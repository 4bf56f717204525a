"""Which consumer answers which websocket path."""

from typing import Any

websocket_urlpatterns: list[Any] = []
