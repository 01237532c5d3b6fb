"""
No memory is lost with each renewal, in keeper or child, and none is used
before it was written (valgrind).
"""

import os
import re
import shutil
import signal

import pytest

from lib import process
from lib.fixtures import TEST_SECONDS
from lib.httpd import SANITIZERS
from lib.proxy import RenewalInfo
from lib.tls import DAY, utcnow
from lib.wait import wait_until

NAME = "www.example.org"

ASKED = "own-renewal-info"

FEW, MANY = 3, 13

# Growth of an allocator that has not met all sizes yet, not of each renewal.
OCTETS_PER_RENEWAL = 512

pytestmark = pytest.mark.skipif(SANITIZERS or not shutil.which("valgrind"),
                                reason="valgrind and sanitizers are apart")


class Valgrind:
    """A server under valgrind; its processes write what they leave."""

    def __init__(self, site, renewals, body):
        ca = site.proxied_ca()
        RenewalInfo(ca).window(utcnow() + 20 * DAY, utcnow() + 22 * DAY)
        server = site.server(ca, http_port=site.http_port)
        server.part("none", "AcmeActivate none\nStartServers 1\n")
        server.vhost(NAME, body=body)
        asks = "AcmeRenewalInfo off" not in body
        logs = server.root / "valgrind"
        logs.mkdir()
        logs.chmod(0o1777)
        command = ["valgrind", "--leak-check=full",
                   # Leaks are counted apart: what is lost at each renewal.
                   "--errors-for-leak-kinds=none", "--child-silent-after-fork=no",
                   f"--log-file={logs}/%p", *server.command("-DFOREGROUND")]
        running = process.Process(command, server.root / "logs" / "output")
        try:
            for count in range(1, renewals + 1):
                server.wait_installed(NAME, count, timeout=TEST_SECONDS)
                if asks:
                    ca.wait_for(ASKED, count, timeout=TEST_SECONDS)
                if count < renewals:
                    server.renew(NAME)
            self.logs = logs
            self.child, self.keeper = server.renewal_child, server.keeper
            # Each has the time that it needs: first the keeper, to which
            # httpd gives a second; then the child, by a graceful stop, which
            # is the one that waits for its children and kills none.
            self.end(self.keeper, signal.SIGTERM, self.keeper)
            self.end(running.pid, signal.SIGWINCH, self.child)
        finally:
            running.end()

    def end(self, pid, number, teller):
        """End a process, and wait until that one has told what it left."""
        os.kill(pid, number)
        wait_until(lambda: self.left(teller), "valgrind tells what was left",
                   120)

    def report(self, pid):
        path = self.logs / str(pid)
        return path.read_text() if path.exists() else ""

    def errors(self, pid):
        """How many errors valgrind found; leaks are none of them."""
        return int(re.search(r"ERROR SUMMARY: ([\d,]+) errors",
                             self.report(pid))[1].replace(",", ""))

    def left(self, pid):
        """(octets in use at the end, octets definitely lost)."""
        text = self.report(pid)
        if "ERROR SUMMARY" not in text:         # its last line
            return None
        used = re.search(r"in use at exit: ([\d,]+) bytes", text)
        lost = re.search(r"definitely lost: ([\d,]+) bytes", text)
        # Of its stack or heap, sent to another process.
        assert "uninitialised" not in text, text
        return used and tuple(int(found[1].replace(",", "")) if found else 0
                              for found in (used, lost))


@pytest.mark.slow
@pytest.mark.parametrize("body", [
    pytest.param("AcmeKeyTypes p256 p384", id="two keys, renewal information"),
    pytest.param("AcmeRenewalInfo off", id="one key", marks=pytest.mark.long)])
def test_a_renewal_leaves_nothing_behind(site, record_property, body):
    signal.alarm(3 * TEST_SECONDS)      # it computes, where others wait
    few, many = Valgrind(site, FEW, body), Valgrind(site, MANY, body)
    for name in ("keeper", "child"):
        for run in (few, many):
            pid = getattr(run, name)
            assert run.errors(pid) == 0, run.report(pid)
        before = few.left(getattr(few, name))
        after = many.left(getattr(many, name))
        for what, a, b in zip(("in use", "lost"), before, after):
            each = (b - a) / (MANY - FEW)
            record_property(f"{name}_{what}_per_renewal", each)
            print(f"{name}: {what} {a} and {b}, {each} each renewal")
            assert each < OCTETS_PER_RENEWAL
