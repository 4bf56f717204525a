"""The expected version: a tag that is read from the delivered value, or given.

A tag is a function from the value, as it was written, to a text. A version that is known already
needs none: it is given as its text.
"""

import hashlib
from collections.abc import Callable

from django.utils.translation import gettext_noop as _
from pydantic import BaseModel, ConfigDict, field_validator

from plans.ack.json_path import Path, text_at
from plans.faults import Invalid

Tag = Callable[[str], str]
DIGESTS = frozenset({"md5", "sha1", "sha256", "sha512"})


class JsonField(BaseModel):
    """A field of a JSON value: `JsonField(field="$.revision")`. Raises Unreadable without it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: Path

    def __call__(self, value: str) -> str:
        return text_at(value, self.field)


class Digest(BaseModel):
    """The digest of the value's UTF-8 bytes, in lower-case hexadecimal digits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    digest: str

    @field_validator("digest")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in DIGESTS:
            raise Invalid(_("Choose one of %(known)s."), known=", ".join(sorted(DIGESTS)))
        return name

    def __call__(self, value: str) -> str:
        return hashlib.new(self.digest, value.encode(), usedforsecurity=False).hexdigest()
