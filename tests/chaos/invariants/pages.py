"""7. Every page that was open, at the end, equals a freshly loaded one."""

from tests.chaos.evidence import Evidence

TITLE = "every open page equals a fresh one"


def look(evidence: Evidence) -> tuple[str, list[str]]:
    violations = [
        f"{page.name}: {difference}" for page in evidence.pages for difference in page.differences()
    ]
    if not evidence.pages:
        violations.append("no page was open")
    return f"{', '.join(page.name for page in evidence.pages)}", violations
