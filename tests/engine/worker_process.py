"""A worker in a process of its own: `… -m tests.engine.worker_process FOLDER THREADS GRACE`."""

import os
import sys
from pathlib import Path

import django

django.setup()

from tests.engine.notebook import Notebook  # noqa: E402  Django comes first


def main(folder: str, threads: str, grace_seconds: str) -> None:
    if not Notebook(Path(folder)).worker(int(threads), float(grace_seconds)).work():
        os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
