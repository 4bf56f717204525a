"""What the demo shows in the terminal: a bar where there is one, plain lines where not."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

LINE_SECONDS = 2.0

console = Console(highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """One message; markup in it is left alone."""
    console.print(text, markup=False)


def show_people(address: str, people: dict[str, str]) -> None:
    """Where to go and as whom."""
    if not console.is_terminal:
        say(f"Dashboard: {address}")
        for name, password in people.items():
            say(f"  {name}  {password}")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("user")
    table.add_column("password")
    for name, password in people.items():
        table.add_row(name, escape(password))
    console.print(f"\nDashboard: [bold]{address}[/bold]\n")
    console.print(table)
    console.print()


class Bar:
    """A progress bar of `total` steps under a name; elsewhere than in a terminal, lines."""

    def __init__(self, name: str, total: int) -> None:
        self._name = name
        self._total = total
        self._done = -1
        self._last_line = 0.0
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("tenants"),
            TimeElapsedColumn(),
            console=console,
        )
        self._task = self._progress.add_task(name, total=total)

    def __enter__(self) -> Self:
        if console.is_terminal:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if console.is_terminal:
            self._progress.stop()

    def show(self, done: int) -> None:
        """`done` steps are finished."""
        self._progress.update(self._task, completed=done)
        is_due = time.monotonic() - self._last_line >= LINE_SECONDS or done == self._total
        if not console.is_terminal and done != self._done and is_due:
            say(f"{self._name}: {done} of {self._total} tenants")
            self._last_line = time.monotonic()
            self._done = done
