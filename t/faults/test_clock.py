"""A clock that is wrong: told, no storm of orders, and mended by itself."""

import pytest

from lib.clock import NEEDS_CLOCK
from lib.wait import stays

NAME = "www.example.org"

pytestmark = NEEDS_CLOCK


def server_with(site, ca, clock):
    return site.server(ca, environment=clock.environment)


def test_a_certificate_of_ninety_days_is_renewed_in_its_time(site, clock):
    ca = site.proxied_ca()
    server = server_with(site, ca, clock)
    server.vhost(NAME)
    server.start()
    first = server.wait_valid(NAME)
    clock.set("+50d")
    server.restart()
    stays(lambda: ca.count("order") == 1, "after 50 days it is not due", 3)

    clock.set("+62d")
    serial = server.wait_installed(NAME, 2)
    assert serial != first.serial
    stays(lambda: ca.count("order") <= 4, "no storm of orders", 6)


@pytest.mark.parametrize("offset", ["-3d", "+100d"])
def test_a_clock_that_is_wrong_from_the_start(site, clock, offset):
    ca = site.proxied_ca()
    clock.set(offset)
    server = server_with(site, ca, clock)
    server.vhost(NAME)
    server.start()
    assert "clock" in server.wait_failed(NAME)
    stays(lambda: ca.count("order") <= 3, "no storm of orders", 4)
    assert server.running

    clock.set("+0")
    server.renew(NAME)
    server.wait_valid(NAME)


def test_a_clock_that_jumps_ahead_and_back(site, clock):
    ca = site.proxied_ca()
    server = server_with(site, ca, clock)
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    clock.set("+400d")
    server.wait_failed(NAME)
    server.wait_state(NAME, "expired")
    stays(lambda: ca.count("order") <= 4, "no storm of orders", 4)

    clock.set("+0")
    server.restart()
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    server.wait_state(NAME, "valid")
