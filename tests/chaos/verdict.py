"""What the checker says of one invariant."""

from dataclasses import dataclass, field

SHOWN = 10


@dataclass(frozen=True)
class Verdict:
    """`violations` says in words what is wrong, `looked_at` how much was looked at.

    Who has looked at nothing has shown nothing: that does not hold either.
    """

    number: int
    title: str
    looked_at: str
    violations: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.violations

    def __str__(self) -> str:
        word = "holds" if self.holds else f"BROKEN {len(self.violations)} times"
        lines = [f"{self.number}. {self.title}: {word} ({self.looked_at})"]
        lines += [f"     {violation}" for violation in self.violations[:SHOWN]]
        if len(self.violations) > SHOWN:
            lines.append(f"     … and {len(self.violations) - SHOWN} more")
        return "\n".join(lines)
