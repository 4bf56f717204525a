"""The key that signs sessions, made once and kept beside the database."""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def kept_secret_key(path: Path) -> str:
    """Return the key in `path`; make one (readable by its owner alone) when there is none.

    Several processes may start at once: the first one's key wins. Raises `ImproperlyConfigured`
    where it cannot be read, or is empty.
    """
    if not path.exists():
        mine = path.with_name(f"{path.name}.{os.getpid()}")
        mine.touch(mode=0o600)
        mine.write_text(secrets.token_urlsafe(64))
        try:
            os.link(mine, path)
        except FileExistsError:
            pass  # Another process was faster.
        finally:
            mine.unlink()
    try:
        key = path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{path} cannot be read: {error.strerror}. Start this as its owner, or set SECRET_KEY."
        ) from None
    if not key:
        raise ImproperlyConfigured(
            f"{path} is empty. Remove it and a new key is made; all have to sign in again."
        )
    return key
