"""Django admin for audits (S9.4): what happened can be read and searched, and not edited."""

from plans.admin import audit, people, renewals, switching
from plans.admin.site import AuditSite

site = AuditSite(name="admin")
for register in (switching.register, renewals.register, audit.register, people.register):
    register(site)

__all__ = ["AuditSite", "site"]
