"""When no version can be read from what there is."""

from plans.faults import Invalid


class Unreadable(Invalid):
    """There is no version in it; `message` says why, as the cause of a bad answer."""
