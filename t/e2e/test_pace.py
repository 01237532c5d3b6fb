"""Waits of an order: they follow the CA, which is asked no more than needed."""

import json
from statistics import median

from lib.pace import SlowCA

NEEDED = 7                      # pebble issues after its reply to finalize
MOST = 8


def names(count, first=0):
    return [f"n{i}.example.org" for i in range(first, first + count)]


def one_after_the_other(site, seconds, count):
    """A server that has ordered so many certificates, and its CA."""
    ca = site.proxied_ca()
    slow = SlowCA(ca, seconds)
    server = site.server(ca, reload_delay="60s")
    server.part("parallel", "AcmeParallel 1\n")
    for name in names(count):
        server.vhost(name)
    server.start()
    for name in names(count):
        server.wait_installed(name)
    return server, slow


def test_a_fast_ca_is_asked_at_most_eight_times(site, record_property):
    _, ca = one_after_the_other(site, 0, 9)
    record_property("requests", ca.requests)
    assert min(ca.requests) >= NEEDED
    assert median(ca.requests) <= MOST


def test_the_pace_of_a_slow_ca_is_learned_and_kept(site, record_property):
    server, ca = one_after_the_other(site, 0.7, 6)
    server.stop()               # the keeper writes at its end
    file = server.store / "run" / "pace.json"
    (pace,) = json.loads(file.read_text()).values()
    assert len(pace["issued"]) == 6
    assert all(took >= 700 for took in pace["issued"] + pace["settled"])
    assert file.stat().st_mode & 0o777 == 0o600

    (name,) = names(1, 6)
    server.vhost(name)
    server.start()
    server.wait_installed(name)
    record_property("requests", ca.requests)
    assert ca.requests[0] > MOST        # nothing was known
    assert ca.requests[-1] < ca.requests[0]
    assert median(ca.requests[2:]) <= MOST


def test_a_damaged_file_costs_nothing_but_requests(site):
    server, _ = one_after_the_other(site, 0, 1)
    server.stop()
    (server.store / "run" / "pace.json").write_text('{"a": [')
    (name,) = names(1, 1)
    server.vhost(name)
    server.start()
    server.wait_installed(name)
    server.wait_log(r"acme: keeper: .*pace\.json.* set aside")
