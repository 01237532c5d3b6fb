"""A clock that is the server's alone, ahead of the real one or behind it."""

import os

import pytest

from lib.httpd import SANITIZERS, faketime_library

NEEDS_CLOCK = pytest.mark.skipif(
    SANITIZERS or not faketime_library(),
    reason="needs libfaketime, and ASan takes its place")


class Clock:
    """Its offset is in a file: written, it counts from then on."""

    def __init__(self, folder):
        self.path = folder / "clock"
        self.set("+0")

    def set(self, offset):
        """Seconds, or as libfaketime has it: "+62d".

        In one step: to libfaketime an empty file is the real time, so a
        server that looked in the midst of the writing would jump there.
        """
        if isinstance(offset, int):
            offset = f"{offset:+}s"
        new = self.path.with_suffix(".new")
        new.write_text(offset)
        os.replace(new, self.path)

    @property
    def environment(self):
        """
        The clock that measures how long something takes is left alone: no
        request times out when the other one jumps. Nor is the file read for
        it, which libfaketime does without a lock: of threads that read it at
        once, one may get the real time.
        """
        return {"LD_PRELOAD": faketime_library(),
                "FAKETIME_TIMESTAMP_FILE": str(self.path),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
