"""A CA that does not answer: neither a reload nor a stop waits for it."""

import socket

import pytest

from lib import proxy
from lib.process import alive
from lib.ports import free_port
from lib.wait import wait_until

NAME = "www.example.org"

# The issue's own bound: a second more than it takes without.
MORE = 1.0


def seconds_without(site, mpm="event"):
    """What a reload and a stop take with nothing to do."""
    server = site.server(acme=False, mpm=mpm, http_port=free_port())
    server.start()
    return server.graceful(), server.stop()


@pytest.mark.parametrize("step", proxy.STEPS)
def test_a_hanging_request_delays_neither_reload_nor_stop(site, step):
    graceful, stop = seconds_without(site)
    ca = site.proxied_ca()
    ca.answer(proxy.hang, step)
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    ca.wait_waiting(step)
    child = server.renewal_child
    assert server.graceful() < graceful + MORE
    wait_until(lambda: not alive(child), "the old child has left", 5)
    ca.wait_for(step)
    ca.wait_waiting(step)
    assert server.stop() < stop + MORE


@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_a_ca_that_accepts_and_says_nothing(site, mpm):
    graceful, stop = seconds_without(site, mpm)
    ca = site.ca()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ca.port = silent.getsockname()[1]
        server = site.server(ca, mpm=mpm)
        server.vhost(NAME)
        server.start()
        server.wait_log("acme: renewal: runs in child")
        assert server.graceful() < graceful + MORE
        server.wait_log("acme: renewal: runs in child", 2)
        assert server.stop() < stop + MORE


def test_a_validation_that_hangs_delays_neither_reload_nor_stop(site):
    graceful, stop = seconds_without(site)
    relay = site.relay()
    server = site.server(site.ca())
    server.vhost(NAME)
    relay.shut()
    server.start()
    relay.wait_waiting()
    assert server.graceful() < graceful + MORE
    assert server.stop() < stop + MORE


def test_many_hanging_orders_delay_neither_reload_nor_stop(site):
    graceful, stop = seconds_without(site)
    ca = site.proxied_ca()
    ca.answer(proxy.hang, "order")
    server = site.server(ca)
    for i in range(12):
        server.vhost(f"site{i}.example.org")
    server.start()
    wait_until(lambda: ca.waiting.get("order") == 8, "eight orders hang")
    assert server.graceful() < graceful + MORE
    assert server.stop() < stop + MORE
