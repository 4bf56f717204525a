"""Decides from the database and the sandbox's own record whether everything has held.

It knows nothing of how the processes were run or what was broken: another rig gathers its own
`Evidence` and asks the same.
"""

from collections.abc import Callable

from tests.chaos.evidence import Evidence
from tests.chaos.invariants import asking, fences, journals, limits, pages, places, rest
from tests.chaos.verdict import Verdict

Look = Callable[[Evidence], tuple[str, list[str]]]
INVARIANTS: tuple[tuple[str, Look], ...] = tuple(
    (module.TITLE, module.look)
    for module in (rest, places, fences, asking, limits, journals, pages)
)


def check(evidence: Evidence) -> list[Verdict]:
    """One verdict for each invariant, in order; all are looked at, whatever is broken."""
    return [
        Verdict(number, title, *look(evidence))
        for number, (title, look) in enumerate(INVARIANTS, start=1)
    ]
