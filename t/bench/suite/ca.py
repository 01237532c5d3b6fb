"""The CA of the measurements: a pebble, at loopback or far away.

Pebble (2.4 and 2.10) has a deadlock. While its newOrder looks through all
authorizations it holds the read lock of its store, and wants that of each
authorization; a POST-as-GET of an authorization holds that one's lock, and
wants the read lock of the store; and that waits once a writer of the store
waits. All stand still then, for ever. With one thread for its Go code each of
these goes to its end before the next begins, but for the odd preemption: so
GOMAXPROCS is 1, for all clients alike. The rest is seen by Watch.
"""

import os
import pathlib
import sys
import time
import urllib.error
import urllib.request

from lib.pebble import Pebble
from lib.ports import accepts, free_port
from lib.process import Process
from lib.tls import context
from lib.wait import wait_until

from suite import usage

ROUND_TRIP = 0.1
LOOK = 1                # seconds
QUIET = 15
ANSWER = 10             # what a look-up in its store may take
IDLE = 0.05             # CPU seconds that a pebble uses for itself meanwhile
STALLED = 240           # a client that asks for nothing for so long has failed


class Ca(Pebble):
    """One that seldom stands still, and of which that is known."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.environment["GOMAXPROCS"] = "1"

    def requests(self):
        """How many it has answered: a line of its log each."""
        with open(self.log, "rb") as log:
            return sum(b"-> calling handler()" in line for line in log)

    def cpu(self):
        """CPU seconds, with those of its DNS."""
        return usage.cpu([self.server.pid, self.dns.server.pid])

    def answers(self):
        """Does it find out in its store what it has issued? /dir needs none."""
        try:
            with urllib.request.urlopen(
                    f"https://127.0.0.1:{self.management}"
                    "/cert-status-by-serial/1", timeout=ANSWER,
                    context=context(self.authority.pem)):
                pass
        except urllib.error.HTTPError:      # there is no such certificate
            return True
        except OSError:
            return False
        return True


class StandsStill(Exception):
    """The CA is in its deadlock: what was measured with it is void."""


class Watch:
    """Asked often while a client waits for a CA."""

    def __init__(self, ca):
        self.ca = ca
        self.looked = self.busy = self.logged = time.monotonic()
        self.size = self.cpu = 0

    def look(self):
        """
        Raises StandsStill when the CA neither logs nor computes for QUIET
        seconds, nor answers then; AssertionError when it would, and the client
        wants nothing any more.
        """
        now = time.monotonic()
        if now < self.looked + LOOK:
            return
        self.looked = now
        size = os.path.getsize(self.ca.log)
        cpu = usage.cpu([self.ca.server.pid])
        if size != self.size:
            self.logged = now
        if size != self.size or cpu > self.cpu + IDLE:
            self.size, self.cpu, self.busy = size, cpu, now
        elif now - self.busy > QUIET:
            if not self.ca.answers():
                raise StandsStill
            self.busy = now             # in a while it is asked once more
        assert now - self.logged < STALLED, \
            f"no request for {STALLED} s, though the CA would answer"


class Far:
    """A CA behind a relay that is ROUND_TRIP seconds away."""

    def __init__(self, ca):
        self.ca = ca
        self.authority = ca.authority
        self.port = free_port()
        self.relay = None

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}/dir"

    def __getattr__(self, name):
        return getattr(self.ca, name)

    def start(self):
        self.relay = Process(
            [sys.executable, pathlib.Path(__file__).parent / "delay.py",
             str(self.port), str(self.ca.port), str(ROUND_TRIP)],
            self.ca.folder / "delay.log")
        wait_until(lambda: accepts(self.port), "the relay listens")
        return self

    def end(self):
        self.relay.end()
