"""A tenant's `synced_at` is written when the OB service says something new of it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("plans", "0005_words_of_relations")]

    operations = [
        migrations.AlterField(
            model_name="tenant",
            name="synced_at",
            field=models.DateTimeField(verbose_name="last changed at the OB service"),
        ),
    ]
