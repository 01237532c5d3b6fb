"""Limits of the CA: counted by ourselves, so that nothing is refused."""

import json

import pytest

from lib.pebble import Pebble, Several
from lib.wait import PATIENCE, seconds_until, stays, wait_until

NAME = "www.example.org"

HOST = "acme-v02.api.letsencrypt.org"

HOURS = 3600

# What is published: for a set of names, and for a registered domain.
SAME_NAMES = 5
OF_DOMAIN = 50
RESERVE = 5                     # of that, kept for renewals


ADDRESS = "127.0.0.2"           # of it: httpd is at the other one


class LimitedPebble(Pebble):
    """A pebble by the name of a CA whose limits are known, at its port."""

    def __init__(self, folder, authority, *arguments, **options):
        super().__init__(folder, authority, *arguments, **options)
        authority.server_files(self.name, HOST, "127.0.0.1", "localhost")
        keys = json.loads(self.config.read_text())
        keys["pebble"]["listenAddress"] = f"{ADDRESS}:443"
        self.config.write_text(json.dumps(keys))
        self.port = self.management     # start() waits for it

    @property
    def url(self):
        return f"https://{HOST}/dir"


@pytest.fixture
def limited(netns, site):
    netns.hosts(HOST, address=ADDRESS)
    return site.ca(LimitedPebble)


def orders(server):
    return len(server.matching("acme: .*: ordered: from "))


def use_up(server, name):
    """All certificates for the same names that the CA allows.

    One more is wanted then, and may be under way.
    """
    for count in range(1, SAME_NAMES + 1):
        server.wait_installed(name, count)
        server.renew(name)


def wait_limited(server, name):
    """Until it waits for a limit; what server-status says."""
    def limited():
        told = server.certificate(name)
        return told if told.get("NextStep") == "limit" else None

    return wait_until(limited, f"{name} waits for a limit")


def wait_used_up(server, name):
    """Until all that is allowed is live, and one more waits; what is said."""
    use_up(server, name)
    # The reload's renewal thread counts anew: nothing is shown until then.
    server.wait_valid(name, count=SAME_NAMES)
    return wait_limited(server, name)


def test_one_more_of_the_same_names_waits_and_says_until_when(site, limited):
    server = site.server(limited)
    server.vhost(NAME)
    server.start()
    told = wait_used_up(server, NAME)

    assert told["State"] == "valid"
    assert told["Attempts"] == "0"
    assert "Let's Encrypt allows 5 certificates for the same names " \
        f"({NAME}) in 7 days" in told["Limit"]
    # One comes back after a fifth of the week.
    assert 33 * HOURS < seconds_until(told["NextAt"]) < 34 * HOURS
    assert server.wait_log("renewal: a CA rate limit postpones 1 "
                           "certificate: the last of 1 name about .* UTC")

    code, said = server.acmectl("status", NAME)
    assert code == 0
    assert "next: limit at " in said and "limit: Let's Encrypt" in said
    said = json.loads(server.acmectl("status", NAME, "--json")[1])[0]
    assert said["nextStep"] == "limit" and said["limit"] == told["Limit"]
    assert "postponed by a CA rate limit until" in server.get(
        "/server-status", port=server.status_port).body
    assert orders(server) == SAME_NAMES
    assert not server.failures(NAME)


def test_what_was_used_is_remembered_over_restarts(site, limited):
    server = site.server(limited)
    server.vhost(NAME)
    server.start()
    before = wait_used_up(server, NAME)
    server.restart()
    after = wait_limited(server, NAME)
    assert abs(seconds_until(after["NextAt"])
               - seconds_until(before["NextAt"])) < 60

    server.renew(NAME)
    wait_limited(server, NAME)
    stays(lambda: orders(server) == SAME_NAMES, "nothing is ordered", 3)


def test_other_names_do_not_wait(site, limited):
    server = site.server(limited)
    server.vhost(NAME)
    server.start()
    wait_used_up(server, NAME)
    server.vhost("other.example.org")
    server.graceful()
    server.wait_valid("other.example.org")

    server.vhost(NAME, "more.example.org")
    server.graceful()
    server.wait_valid(NAME, count=SAME_NAMES + 1)
    assert "more.example.org" in server.look(NAME).names


def test_another_ca_is_asked_where_there_is_one(site, limited):
    other = site.ca()
    server = site.server(Several(limited, other))
    server.vhost(NAME)
    server.start()
    use_up(server, NAME)
    server.wait_valid(NAME, count=SAME_NAMES + 1)
    assert "127.0.0.1" in server.matching("ordered: from ")[-1].string


def test_a_ca_without_known_limits_is_asked_at_once(site):
    server = site.server(site.ca())
    server.vhost(NAME)
    server.start()
    use_up(server, NAME)
    server.wait_installed(NAME, SAME_NAMES + 1)
    assert not server.matching("a CA rate limit")


@pytest.mark.slow
def test_many_first_certificates_are_spaced_with_a_forecast(site, limited):
    server = site.server(limited, reload_delay="15s")
    # Pebble has stopped answering (a deadlock) with dozens of orders at once.
    server.part("parallel", "AcmeParallel 8\n")
    names = [f"site{i}.example.org" for i in range(OF_DOMAIN + 10)]
    for name in names:
        server.vhost(name)
    server.start()
    server.wait(lambda: orders(server) == OF_DOMAIN - RESERVE,
                "what the limit allows is ordered", 2.5 * PATIENCE)
    waiting = len(names) - (OF_DOMAIN - RESERVE)
    assert server.wait_log(f"postpones {waiting} certificates: the last of "
                           f"{waiting} names about .* UTC \\(Let's Encrypt "
                           "allows 50 certificates for the domain "
                           "example.org in 7 days, of which 5 are reserved "
                           "for renewals")
    server.wait(lambda: sum(len(server.installed(name)) for name in names)
                == OF_DOMAIN - RESERVE, "all of them are installed")
    told = wait_limited(server, names[-1])
    assert told["State"] == "placeholder"
    assert "the domain example.org" in told["Limit"]
    # One comes back after 3.36 hours.
    assert 3 * HOURS < seconds_until(told["NextAt"]) < 4 * HOURS

    # A renewal uses the reserve; another domain has its own.
    server.renew(names[0])
    server.wait_installed(names[0], 2)
    server.vhost("www.example.net")
    server.graceful()
    server.wait_installed("www.example.net")
    assert orders(server) == OF_DOMAIN - RESERVE + 2
    assert not server.matching("acme: .*: failed:")
