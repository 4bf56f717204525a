"""The folder where everything is kept that is kept on disk."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def prepared(folder: Path) -> Path:
    """`folder`, made if need be; raises `ImproperlyConfigured` where nothing can be written."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _refused(error.strerror or "it cannot be made") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _refused("Permission denied")
    return folder


def _refused(why: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"VAR_DIR cannot be written: {why}. Name a folder of the user who starts this, as "
        "VAR_DIR=/var/lib/bluegreen."
    )
