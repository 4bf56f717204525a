"""The key that signs sessions, made once and kept beside the database."""

import os
import secrets
from pathlib import Path


def kept_secret_key(path: Path) -> str:
    """Return the key in `path`; make one (readable by its owner alone) when there is none.

    Several processes may start at once: the first one's key wins.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
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
    return path.read_text().strip()
