"""For all tests that start servers: which are run, and what they need first."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "e2e"))

from lib import moto, sid               # noqa: E402
from lib.pebble import Pebble210        # noqa: E402


# With $ACME_EVERY=4 every fourth test is run.
EVERY = int(os.environ.get("ACME_EVERY", "1"))


def pytest_collection_modifyitems(config, items):
    config.hook.pytest_deselected(items=[
        item for i, item in enumerate(items) if i % EVERY])
    items[:] = items[::EVERY]


def pytest_sessionstart(session):
    if not hasattr(session.config, "workerinput"):      # once, not by workers
        sid.prefetch(*Pebble210.PACKAGE)
        sid.prefetch(*moto.PACKAGE)
