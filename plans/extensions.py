"""What other packages add through entry points, loaded once at start."""

from plans import listeners, pipelines
from plans.notify import registry as notifiers
from plans.renewal import functions
from plans.stages import registry as stages
from plans.validation import chain


def load() -> None:
    """Load all groups `bluegreen.*`, of every kind of thing that packages may add."""
    notifiers.load_entry_points()
    stages.load_entry_points()
    pipelines.load_entry_points()
    chain.load_entry_points()
    listeners.load_entry_points()
    functions.load_entry_points()
