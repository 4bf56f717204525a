"""Functions that renewals name: which keys there are, and whether the business is done.

Another package adds one through the entry points `bluegreen.renewal_keys` and
`bluegreen.renewal_done`; the entry's name is the function's.
"""

from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


class Functions(Generic[Function]):
    """Functions by name. They are called with a renewal's `arguments` as keywords, in a thread
    that may wait; what they raise is logged, and they are asked again later."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._functions: dict[str, Function] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._functions

    def __getitem__(self, name: str) -> Function:
        """Raises `KeyError` when there is none."""
        return self._functions[name]

    def register(self, name: str, function: Function) -> Function:
        """Make `function` known as `name`."""
        known = self._functions.setdefault(name, function)
        if known is not function:
            raise ValueError(f"Two functions of {self._group} are named {name!r}.")
        return function

    def load_entry_points(self) -> None:
        """Register what installed packages offer."""
        for entry in entry_points(group=self._group):
            self.register(entry.name, entry.load())


keys: Functions[Callable[..., Iterable[str]]] = Functions("bluegreen.renewal_keys")
"""Return the keys that are to be kept alive now."""

done: Functions[Callable[..., bool]] = Functions("bluegreen.renewal_done")
"""Return whether the business that needed the keys is done."""


def load_entry_points() -> None:
    """Register what installed packages offer, of both kinds."""
    keys.load_entry_points()
    done.load_entry_points()
