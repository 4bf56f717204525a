"""Labels of tenants: by what operators choose them, of no meaning to Bluegreen itself."""

from django.db import transaction
from django.utils.translation import gettext_noop as _

from plans.actor import Actor, Permission
from plans.message import Message
from plans.models import Tenant
from plans.slices import ROWS_AT_ONCE, slices
from plans.validation.label_csv import LabelTable, parse_labels
from plans.validation.tenant_csv import LineError


def label_tenants(text: str, actor: Actor) -> LabelTable:
    """Set the labels that a table names, all of them or, where a line is wrong, none.

    A label without a value is taken away; labels that the table does not name stay.
    """
    actor.require(Permission.OPERATE)
    table = parse_labels(text)
    if table.errors:
        return table
    ids = sorted(table.labels)
    with transaction.atomic():
        tenants = [
            tenant
            for some in slices(ids)
            for tenant in Tenant.objects.select_for_update().filter(pk__in=some)
        ]
        unknown = set(ids) - {tenant.pk for tenant in tenants}
        for tenant in tenants:
            labels = tenant.labels | table.labels[tenant.pk]
            tenant.labels = {name: value for name, value in labels.items() if value}
        if not unknown:
            Tenant.objects.bulk_update(tenants, ["labels"], batch_size=ROWS_AT_ONCE)
    errors = [LineError(table.lines[each], _unknown(each)) for each in unknown]
    return LabelTable(table.labels, table.lines, sorted(errors, key=lambda error: error.line))


def _unknown(tenant_id: str) -> Message:
    return Message(_("%(tenant)s is not in the registry."), {"tenant": tenant_id})
