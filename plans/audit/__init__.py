"""Whether the journals still say what was recorded: gapless, in order, unchanged (X5).

A journal's head says how many events there are and the hash of the last, and each event's hash
covers its content and the hash before. So an edited, removed, re-ordered or inserted row, a cut
end and a changed head all show; so do journals, plans and events that miss one another, and rows
that are not what the events say. Who can write to the database can also write a whole new chain,
or take away the end of one, or all of it: that shows by heads that were exported before and kept
elsewhere (`plans.audit.heads`).
"""

from plans.audit.chain import verify

__all__ = ["verify"]
