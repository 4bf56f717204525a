"""Who asks: a person with a role, or a part of Bluegreen itself."""

import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from django.utils.translation import gettext_noop as _

from plans.errors import PermissionRefused
from plans.message import Message


class Permission(StrEnum):
    """What a role may do; the values are Django's permission names."""

    VIEW = "plans.view_plan"
    OPERATE = "plans.operate_plan"
    APPROVE = "plans.approve_plan"

    @property
    def words(self) -> Message:
        return Message(
            {
                Permission.VIEW: _("view plans"),
                Permission.OPERATE: _("operate plans"),
                Permission.APPROVE: _("approve gates"),
            }[self]
        )


@dataclass(frozen=True)
class Actor:
    """A name for the record, and what its bearer may do."""

    name: str
    permissions: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, user: Any) -> Self:
        """The actor that a signed-in user is; reads the user's permissions once."""
        if not user.is_active:
            return cls(user.get_username())
        allowed = frozenset(p for p in Permission if user.has_perm(p))
        return cls(user.get_username(), allowed)

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise `PermissionRefused` unless the actor may."""
        if not self.may(permission):
            raise PermissionRefused(actor=self.name, permission=permission.words)


SYSTEM = Actor("bluegreen", frozenset(Permission))
"""Bluegreen itself: what follows from time and from earlier decisions."""


def folded(name: str) -> str:
    """`name` without what does not tell two people apart: case, Unicode form, spaces around it."""
    return unicodedata.normalize("NFKC", name).strip().casefold()
