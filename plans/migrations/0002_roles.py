"""The four roles: groups whose permissions grow from viewer to admin."""

from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

READS = ["view_plan", "view_wave", "view_task", "view_stagerun", "view_event", "view_tenant"]
READS += ["view_journal"]
OPERATES = [*READS, "operate_plan"]
APPROVES = [*OPERATES, "approve_plan"]
ADMINISTERS = [*APPROVES, "view_apitoken", "delete_apitoken"]
ADMINISTERS += [f"{verb}_user" for verb in ("view", "add", "change", "delete")]

ROLES = {"viewer": READS, "operator": OPERATES, "approver": APPROVES, "admin": ADMINISTERS}


def make_roles(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    # Django makes permissions only after all migrations have run; the groups need them now.
    for label in ("auth", "plans"):
        config = apps.get_app_config(label)
        config.models_module = True
        create_permissions(config, apps=apps, verbosity=0)
        config.models_module = None
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    for name, codenames in ROLES.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set(
            Permission.objects.filter(
                codename__in=codenames, content_type__app_label__in=["auth", "plans"]
            )
        )


class Migration(migrations.Migration):
    dependencies = [
        ("plans", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
