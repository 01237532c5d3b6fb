"""Waiting for what must come true: looked at often, and never for ever."""

import datetime
import os
import time

LOOK = 0.03

# What a machine may need that has all its CPUs busy: who passes does not wait
# longer. Sanitizers make httpd about three times slower to start.
PATIENCE = 150 if os.environ.get("ACME_SANITIZERS") == "1" else 90


def wait_until(condition, what, timeout=PATIENCE, look=LOOK):
    """The first true value of condition(); what says what was waited for."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"after {timeout} s still not: {what}")
        time.sleep(look)


def stays(condition, what, seconds):
    """condition() is true during all of these seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition(), f"no longer: {what}"
        time.sleep(LOOK)


def seconds_until(rfc3339):
    """From now to a time like 2026-11-21T06:29:44Z."""
    then = datetime.datetime.fromisoformat(rfc3339)
    return (then - datetime.datetime.now(datetime.timezone.utc)
            ).total_seconds()
