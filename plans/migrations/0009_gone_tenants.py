"""Tenants that the OB service no longer has are marked, and kept for what refers to them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("plans", "0008_token_scopes")]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="gone_at",
            field=models.DateTimeField(
                blank=True, null=True, verbose_name="gone from the OB service since"
            ),
        ),
    ]
