"""The signal that a runner has lost its task."""


class Superseded(Exception):
    """Another worker holds the task now. Stop at once and touch nothing."""
