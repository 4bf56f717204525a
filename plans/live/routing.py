"""Which consumer answers which websocket path."""

from django.urls import path, re_path

from plans.live import consumers

websocket_urlpatterns = [
    path("ws/overview/", consumers.OverviewConsumer.as_asgi()),
    path("ws/plans/", consumers.PlanListConsumer.as_asgi()),
    path("ws/plans/<int:pk>/", consumers.PlanConsumer.as_asgi()),
    path("ws/tasks/<int:pk>/", consumers.TaskConsumer.as_asgi()),
    re_path(r"", consumers.NowhereConsumer.as_asgi()),
]
