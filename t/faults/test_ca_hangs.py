"""A CA that does not answer: neither a reload nor a stop waits for it."""

import socket

import pytest

from lib import proxy
from lib.httpd import SANITIZERS
from lib.process import alive
from lib.ports import free_port
from lib.wait import wait_until

NAME = "www.example.org"

# The issue's own bound: a second more than it takes without. With ASan all
# that ends a process is several times slower.
MORE = 3.0 if SANITIZERS else 1.0

# A machine that is busy holds up one of them; who waits for the CA, each.
TRIES = 4

# Far below the time after which a request is given up by itself.
LEAVE_SECONDS = 15


class Without:
    """
    A server with nothing to do beside the one that is tested. What its reload
    and its stop take is measured again before each try, for a busy machine
    holds up both: httpd's parent looks for its children after 0.4 s and then
    once a second. It is the longest so far that counts.
    """

    def __init__(self, site, mpm="event"):
        self.server = site.server(acme=False, mpm=mpm, http_port=free_port(),
                                  https_port=free_port())
        self.server.start()
        self.gracefuls, self.stops = [], []

    def graceful(self):
        self.gracefuls.append(self.server.graceful())
        return max(self.gracefuls)

    def stop(self):
        if not self.server.running:
            self.server.start()
        self.stops.append(self.server.stop())
        return max(self.stops)


def assert_undelayed(server, without, wait_hangs):
    """
    Reload and stop while something hangs, for which wait_hangs() waits; its
    argument: how many reloads and starts there were since the first one.
    """
    tries = iter(range(1, 2 * TRIES))

    def stops_in_time():
        if not server.running:
            server.start()
            wait_hangs(next(tries))
        most = without.stop() + MORE
        return server.stop() < most

    def reloads_in_time():
        most = without.graceful() + MORE
        seconds = server.graceful()
        wait_hangs(next(tries))
        return seconds < most

    wait_hangs(0)
    assert any(reloads_in_time() for _ in range(TRIES))
    assert any(stops_in_time() for _ in range(TRIES))
    assert not server.matching("did not stop in time")


@pytest.mark.parametrize("step", proxy.STEPS)
def test_a_hanging_request_delays_neither_reload_nor_stop(site, step):
    without = Without(site)
    ca = site.proxied_ca()
    ca.answer(proxy.hang, step)
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    ca.wait_waiting(step)
    child = server.renewal_child

    def wait_hangs(before):
        if before == 1:
            wait_until(lambda: not alive(child), "the old child has left",
                       LEAVE_SECONDS)
        ca.wait_for(step, before)
        ca.wait_waiting(step)

    assert_undelayed(server, without, wait_hangs)


@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_a_ca_that_accepts_and_says_nothing(site, mpm):
    without = Without(site, mpm)
    ca = site.ca()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ca.port = silent.getsockname()[1]
        server = site.server(ca, mpm=mpm)
        server.vhost(NAME)
        server.start()
        assert_undelayed(server, without, lambda before: server.wait_log(
            "acme: renewal: runs in child", before + 1))


def test_a_validation_that_hangs_delays_neither_reload_nor_stop(site):
    without = Without(site)
    relay = site.relay()
    server = site.server(site.ca())
    server.vhost(NAME)
    relay.shut()
    server.start()
    assert_undelayed(server, without, lambda _before: relay.wait_waiting())


def test_many_hanging_orders_delay_neither_reload_nor_stop(site):
    without = Without(site)
    ca = site.proxied_ca()
    ca.answer(proxy.hang, "order")
    server = site.server(ca)
    server.part("parallel", "AcmeParallel 8\n")
    for i in range(12):
        server.vhost(f"site{i}.example.org")
    server.start()

    def wait_hangs(before):
        ca.wait_for("order", 8 * before)
        wait_until(lambda: ca.waiting.get("order") == 8, "eight orders hang")

    assert_undelayed(server, without, wait_hangs)
