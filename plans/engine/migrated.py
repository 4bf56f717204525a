"""Whether the database was brought up to date: else every question to it may fail."""

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor


def lacks_migrations() -> bool:
    """True if the database answers and `manage.py migrate` was not run on it. Never raises."""
    if not connection.is_usable():  # It is not worth the patience of a second try to connect.
        return False
    try:
        executor = MigrationExecutor(connection)
    except Error:
        return False
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
