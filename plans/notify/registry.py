"""Which strategies there are. Another package adds one by the entry point `bluegreen.notifiers`."""

from importlib.metadata import entry_points

from plans.notify.base import Strategy

_strategies: dict[str, type[Strategy]] = {}


def register(strategy: type[Strategy]) -> type[Strategy]:
    """Make `strategy` known by its name; also usable as a class decorator."""
    known = _strategies.setdefault(strategy.name, strategy)
    if known is not strategy:
        raise ValueError(f"Two strategies are named {strategy.name!r}: {known} and {strategy}.")
    return strategy


def load_entry_points() -> None:
    """Register what installed packages offer."""
    for entry in entry_points(group="bluegreen.notifiers"):
        register(entry.load())


def names() -> list[str]:
    """The names of all strategies, in order."""
    return sorted(_strategies)


def get(name: str) -> Strategy:
    """The strategy of that name; raises `KeyError` when there is none."""
    return _strategies[name]()
