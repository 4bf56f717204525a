"""An operator who acts at an exact moment: right after a given event was committed."""

from collections.abc import Callable
from typing import Any, Self

from plans import listeners
from plans.models import Event, EventKind

Action = Callable[[Event], Any]


class Interruptions:
    """Listens to events and does what was arranged, once each; errors come out at the end."""

    def __init__(self) -> None:
        self._arranged: list[tuple[dict[str, Any], Action]] = []
        self._errors: list[Exception] = []

    def at(self, kind: EventKind, action: Action, **data: Any) -> None:
        """Call `action` with the first event of `kind` whose data has what `data` says."""
        self._arranged.append(({"kind": kind, **data}, action))

    def forget(self) -> None:
        """Do nothing any more of what has not happened yet."""
        self._arranged.clear()

    @property
    def all_happened(self) -> bool:
        return not self._arranged

    def __enter__(self) -> Self:
        listeners.register(self._hear)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        listeners.unregister(self._hear)
        if self._errors and kind is None:
            raise self._errors[0]

    def _hear(self, event: Event) -> None:
        for arranged in list(self._arranged):
            wanted, action = arranged
            said = {**event.data, "kind": event.kind}
            if all(said.get(name) == value for name, value in wanted.items()):
                self._arranged.remove(arranged)
                try:
                    action(event)
                except Exception as error:
                    self._errors.append(error)
