"""
Modules fork daemons of httpd's parent that run none of its hooks, and code of
applications in them: such a process has nothing of ours that can do harm.
"""

import pathlib

import pytest

from lib import live, process
from lib.wait import wait_until
from lib.worker import WITNESS, Worker, takeover

NAME = "www.example.org"


def daemon(server, name):
    """The process of this load."""
    def found():
        for pid in process.children(server.pid):
            path = pathlib.Path(f"/proc/{pid}/comm")
            if path.exists() and path.read_text().strip() == name:
                return pid
        return None

    return wait_until(found, f"there is a process {name}")


def descriptors(pid):
    """What a process has open: "pipe:[77]"."""
    return {live.link(path)
            for path in pathlib.Path(f"/proc/{pid}/fd").iterdir()}


def listener(path):
    """The keeper's socket, as descriptors() has it."""
    for line in pathlib.Path("/proc/net/unix").read_text().splitlines():
        if line.endswith(f" {path}") and line.split()[5] == "01":
            return f"socket:[{line.split()[6]}]"
    raise LookupError(path)


def has_nothing(server, worker, pid):
    assert not live.descriptors(pid), "it can write what is served"
    assert live.rights(pid) == ["r--s"]
    held = descriptors(pid)
    assert listener(worker.address()[0]) in descriptors(server.keeper)
    assert listener(worker.address()[0]) not in held
    pulse = {link for link in (descriptors(server.keeper)
                               - descriptors(worker.pid))
             if link.startswith("pipe:")}
    assert pulse & descriptors(server.pid)
    assert not pulse & held
    assert Worker(server, pid).token(WITNESS) is None


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_a_daemon_of_another_module_has_no_secret(site, mpm):
    server = takeover(site.server(site.ca(), mpm=mpm))
    server.part("live", "AcmeActivate live\nDefine TAKEOVER_DAEMONS\n")
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    for again in (False, True):
        if again:
            server.graceful()
        worker = Worker(server)
        first = daemon(server, "takeover-load")
        has_nothing(server, worker, first)
        assert Worker(server, first).token() is None
        if not again:           # the parent's hook runs each 10 s
            later = daemon(server, "takeover-later")
            has_nothing(server, worker, later)
        assert worker.token() and worker.token(WITNESS) is None
    keeper = server.keeper
    server.kill(keeper)
    wait_until(lambda: server.keeper != keeper, "another keeper has started")
    assert live.descriptors(server.keeper)
    count = len(server.installed(NAME))
    server.renew(NAME)
    server.wait_valid(NAME, count=count + 1)
