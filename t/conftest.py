"""
For all tests that start servers: which are run, in which order, and what they
need first.

Without more all of them are run, and that takes an hour. What build/test
takes of them:

ACME_ROWS=3     of each table (a test with parameters that starts servers) the
                first row and then every third one, of three and more no less
                than two, and one of prefork where there is one; and no test
                that is marked as long
ACME_EVERY=4    of what is left every fourth test, all that are marked as
                dense, and none that is about the harness alone

Marks: long, for ACME_ROWS to leave out; whole, for a table of which all rows
are run, as each says something else, or starts no server; slow, for what takes
half a minute and more: it is begun among the first ones, so that nobody waits
for it in the end; dense, for much input of others to one server: what
sanitizers are for.
"""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "e2e"))

from lib import moto, sid               # noqa: E402
from lib.pebble import Pebble210        # noqa: E402

ROWS = int(os.environ.get("ACME_ROWS", "1"))
EVERY = int(os.environ.get("ACME_EVERY", "1"))


def pytest_configure(config):
    for mark in ("long: left out by ACME_ROWS",
                 "whole: all rows are run",
                 "slow: begun among the first",
                 "dense: chosen whatever ACME_EVERY says"):
        config.addinivalue_line("markers", mark)


def pytest_collection_modifyitems(config, items):
    chosen = list(items)
    if ROWS > 1:
        chosen = [item for rows in tables(chosen) for item in some(rows)]
    if EVERY > 1:
        chosen = every(chosen)
    left = set(chosen)
    config.hook.pytest_deselected(items=[item for item in items
                                         if item not in left])
    items[:] = slow_ones_early(chosen)


def every(items):
    dense = [item for item in items if item.get_closest_marker("dense")]
    others = [item for item in items if item not in dense
              and item.path.name != "test_harness.py"]
    return dense + others[::EVERY]


def tables(items):
    """The rows of each test, which are neighbours."""
    found = {}
    for item in items:
        found.setdefault(item.nodeid.partition("[")[0], []).append(item)
    return found.values()


def some(rows):
    rows = [item for item in rows if not item.get_closest_marker("long")]
    if not any("site" in item.fixturenames
               and not item.get_closest_marker("whole") for item in rows):
        return rows
    found = rows[::ROWS]
    if len(found) < 2 < len(rows):
        found.append(rows[-1])
    # The two MPMs that differ most, where a table has both.
    prefork = [item for item in rows if is_prefork(item)]
    if prefork and not any(map(is_prefork, found)):
        found.append(prefork[0])
    return found


def is_prefork(item):
    callspec = getattr(item, "callspec", None)
    return callspec and callspec.params.get("mpm") == "prefork"


def slow_ones_early(items):
    """
    Each worker of pytest-xdist is given a stretch of the list at once: the
    slow ones are spread over the first quarter of it, the part that is given
    out at the begin.
    """
    slow = [item for item in items if item.get_closest_marker("slow")]
    others = [item for item in items if not item.get_closest_marker("slow")]
    between = max(0, len(items) // 4 - len(slow)) // max(1, len(slow))
    found = []
    for item in slow:
        found += [item, *others[:between]]
        del others[:between]
    return found + others


def pytest_sessionstart(session):
    if not hasattr(session.config, "workerinput"):      # once, not by workers
        sid.prefetch(*Pebble210.PACKAGE)
        sid.prefetch(*moto.PACKAGE)
