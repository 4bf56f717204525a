"""Rows that know what they were when they were read, so that only what changed is written."""

from typing import Any, Self

from django.db import models


class TrackedModel(models.Model):
    """A model that can say which of its fields differ from what the database gave.

    JSON values are compared by value but kept by reference: assign a new object, never change
    one in place.
    """

    class Meta:
        abstract = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stored: dict[str, Any] = {}

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        if kwargs.get("update_fields") is None:
            self.mark_stored()

    @classmethod
    def from_db(cls, db: str | None, field_names: Any, values: Any) -> Self:
        instance = super().from_db(db, field_names, values)
        instance.mark_stored()
        return instance

    def mark_stored(self) -> None:
        """What the fields hold now is what the database holds."""
        self._stored = {
            name: self.__dict__[name] for name in self._tracked() if name in self.__dict__
        }

    def changes(self) -> dict[str, Any]:
        """The fields that differ from the database, by column attribute name."""
        held = self.__dict__
        return {name: held[name] for name, old in self._stored.items() if held[name] != old}

    @classmethod
    def _tracked(cls) -> tuple[str, ...]:
        names: tuple[str, ...] | None = cls.__dict__.get("_tracked_names")
        if names is None:
            names = tuple(f.attname for f in cls._meta.concrete_fields if not f.primary_key)
            cls._tracked_names = names  # type: ignore[attr-defined]
        return names
