"""What a verification of the journals finds."""

from dataclasses import dataclass, field

from plans.audit.heads import Head
from plans.message import Message
from plans.models import INSTALLATION


@dataclass(frozen=True)
class Broken:
    """A place at which a journal does not hold, or not for the rows that it tells of.

    `seq` is None where it is no event, `event_id` where there is no such row.
    """

    journal: str
    seq: int | None
    event_id: int | None
    why: Message


@dataclass
class Findings:
    """What a verification has seen: `heads` are those of journals that hold, `proven` says how
    many of them hold what was exported, too."""

    walked: set[str] = field(default_factory=set)
    events: int = 0
    proven: int = 0
    heads: list[Head] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)

    @property
    def broken_journals(self) -> set[str]:
        return {each.journal for each in self.broken}

    @property
    def journals(self) -> int:
        """How many there are, and should be."""
        return len(self.walked | self.broken_journals)


def name_of(plan_id: int | None) -> str:
    """How the journal of a plan is called, or (None) that of what belongs to no plan."""
    return INSTALLATION if plan_id is None else f"plan:{plan_id}"
