"""No memory is lost with each renewal, in keeper or child (valgrind)."""

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
        command = ["valgrind", "--leak-check=full", "--child-silent-after-fork=no",
                   f"--log-file={logs}/%p", *server.command("-DFOREGROUND")]
        running = process.Process(command, server.root / "logs" / "output")
        try:
            for count in range(1, renewals + 1):
                server.wait_installed(NAME, count, timeout=60)
                if asks:
                    ca.wait_for(ASKED, count, timeout=60)
                if count < renewals:
                    server.renew(NAME)
            self.logs = logs
            self.child, self.keeper = server.renewal_child, server.keeper
            # First: httpd gives it a second, and valgrind may need more.
            self.end(self.keeper, self.keeper)
            self.end(running.pid, self.child)
        finally:
            running.end()

    def end(self, pid, teller):
        """End a process, and wait until that one has told what it left."""
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: self.left(teller), "valgrind tells what was left",
                   60)

    def left(self, pid):
        """(octets in use at the end, octets definitely lost)."""
        path = self.logs / str(pid)
        text = path.read_text() if path.exists() else ""
        if "ERROR SUMMARY" not in text:         # its last line
            return None
        used = re.search(r"in use at exit: ([\d,]+) bytes", text)
        lost = re.search(r"definitely lost: ([\d,]+) bytes", text)
        return used and tuple(int(found[1].replace(",", "")) if found else 0
                              for found in (used, lost))


@pytest.mark.parametrize("body", ["AcmeRenewalInfo off",
                                  "AcmeKeyTypes p256 p384"],
                         ids=["one key", "two keys, renewal information"])
def test_a_renewal_leaves_nothing_behind(site, record_property, body):
    signal.alarm(2 * TEST_SECONDS)      # it computes, where others wait
    few, many = Valgrind(site, FEW, body), Valgrind(site, MANY, body)
    for name in ("keeper", "child"):
        before = few.left(getattr(few, name))
        after = many.left(getattr(many, name))
        for what, a, b in zip(("in use", "lost"), before, after):
            each = (b - a) / (MANY - FEW)
            record_property(f"{name}_{what}_per_renewal", each)
            print(f"{name}: {what} {a} and {b}, {each} each renewal")
            assert each < OCTETS_PER_RENEWAL
