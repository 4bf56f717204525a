"""The global stop that is active now."""

from plans.models import Stop


def active_stop(*, lock: bool = False) -> Stop | None:
    """The stop that holds everything still, if one does; with `lock`, locked."""
    stops = Stop.objects.filter(active=True)
    return (stops.select_for_update(no_key=True) if lock else stops).first()
