"""A new version migrates the database while processes of the old one go on: it only adds to it."""

from collections.abc import Iterator

from django.db import connection, models
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

BEFORE_ANY_RELEASE = ("0001_initial", "0002_renewals", "0003_gates_and_stop")
HARMLESS = (
    operations.CreateModel,
    operations.AddIndex,
    operations.AlterModelOptions,
    operations.AlterModelManagers,
)


def steps() -> Iterator[tuple[str, Operation, ProjectState, ProjectState]]:
    """Each operation on our tables since, with the state before and after it."""
    loader = MigrationLoader(None)
    for app, name in loader.graph.leaf_nodes("plans"):
        for key in loader.graph.forwards_plan((app, name)):
            migration: Migration = loader.graph.nodes[key]
            if key[0] != "plans" or key[1] in BEFORE_ANY_RELEASE:
                continue
            state = loader.project_state(key, at_end=False)
            for operation in migration.operations:
                before = state.clone()
                operation.state_forwards("plans", state)
                yield key[1], operation, before, state.clone()


def test_the_old_version_can_go_on_writing() -> None:
    harmful = []
    for name, operation, before, after in steps():
        if fault := fault_of(operation, before, after):
            harmful.append(f"{name}, {operation.describe()}: {fault}")
    assert harmful == []


def fault_of(operation: Operation, before: ProjectState, after: ProjectState) -> str:
    """Why a process that does not know of it could not go on; else empty."""
    if isinstance(operation, operations.AddField):
        field = operation.field
        can_be_left_out = field.null or field.many_to_many or field.has_db_default()
        return "" if can_be_left_out else "it needs a db_default"
    if isinstance(operation, operations.AlterField):
        model, column = operation.model_name_lower, operation.name_lower
        old, new = field_of(before, model, column), field_of(after, model, column)
        if (old.column, old.db_type(connection)) != (new.column, new.db_type(connection)):
            return "it is another column"
        return "the old version may still write null" if old.null and not new.null else ""
    return "" if isinstance(operation, HARMLESS) else "the old version does not know of it"


def field_of(state: ProjectState, model: str, field: str) -> models.Field:
    found: models.Field = state.apps.get_model("plans", model)._meta.get_field(field)
    return found
