"""A name that keeps failing is left out, and takes no other down with it."""

import json

import pytest

from lib.clock import NEEDS_CLOCK
from lib.proxy import once, status
from lib.wait import seconds_until, stays, wait_until

NAME = "www.example.org"
OTHER = "other.example.org"
BAD = "bad.example.org"
BLOCKED = "www.blocked.example"

DAY = 24 * 3600


def environment(clock):
    return {**clock.environment, "NO_FAKE_STAT": "1"}


def served_names(server):
    return set(server.look(NAME).names)


def left_out(server, cert_id=NAME):
    return int(server.certificate(cert_id).get("LeftOut", 0))


def start_with_a_bad_name(site, clock):
    """A server with three names, of which one is left out; and its CA."""
    ca = site.proxied_ca()
    ca.pebble.dns.set_servfail(BAD)
    server = site.server(ca, environment=environment(clock))
    server.vhost(NAME, BAD, OTHER, body="AcmeChallenges http-01")
    server.start()
    for count, wait in ((1, 120), (2, 1000)):
        assert BAD in server.wait_failed(NAME, count)
        assert not left_out(server)
        clock.set(wait)
    server.wait_failed(NAME, 3)
    return server, ca


class TestWithAClock:
    pytestmark = NEEDS_CLOCK

    def test_it_is_left_out_tried_daily_and_comes_back(self, site, clock):
        server, ca = start_with_a_bad_name(site, clock)
        server.wait_valid(NAME)
        assert served_names(server) == {NAME, OTHER}
        told, = server.matching("quarantine: .* ordering the certificate without")
        assert BAD in told.string and OTHER not in told.string
        assert "the other names are ordered now" in server.failures(NAME)[2]
        said = server.wait_state(NAME, "valid")
        assert said["LeftOut"] == "1" and said["Attempts"] == "0"
        assert 0.9 * DAY < seconds_until(said["LeftOutUntil"]) < 1.1 * DAY
        code, text = server.acmectl("status", NAME)
        assert code == 0 and f"left out: {BAD} (" in text
        text = json.loads(server.acmectl("status", "--json")[1])[0]
        assert text["leftOut"] == 1 and text["leftOutNames"] == [BAD]
        assert text["leftOutReason"] == said["LeftOutReason"] != ""
        assert text["reason"] == "names-quarantined"
        assert text["fault"] in ("dns", "network")
        code, told = server.acmectl("explain", NAME)
        assert code == 0
        assert f"{BAD} is left out: it failed 3 times ({text['leftOutReason']}). "\
            "Last: " in " ".join(told.split())
        assert f"left out: {BAD} (" in server.get(
            "/server-status", port=server.status_port).body

        # Not before its time, whatever is restarted.
        orders = ca.count("order")
        server.restart()
        stays(lambda: ca.count("order") == orders, "nothing is ordered", 3)
        assert left_out(server) == 1

        # Tried again, and none the worse for it.
        clock.set(DAY + 3600)
        server.wait_log("quarantine: still failing: .*" + BAD)
        stays(lambda: ca.count("order") == orders + 1, "no storm of orders",
              4)
        said = server.certificate(NAME)
        assert said["State"] == "valid" and said["Attempts"] == "0"
        assert said["LeftOut"] == "1"
        assert len(server.installed(NAME)) == 1
        assert len(server.failures(NAME)) == 3

        ca.pebble.dns.clear_servfail(BAD)
        clock.set(2 * DAY + 2 * 3600)
        server.wait_valid(NAME, count=2)
        assert served_names(server) == {NAME, OTHER, BAD}
        assert not left_out(server)
        assert not server.journal(NAME)["names"]

    def test_once_mended_the_administrator_need_not_wait(self, site, clock):
        server, ca = start_with_a_bad_name(site, clock)
        server.wait_valid(NAME)
        ca.pebble.dns.clear_servfail(BAD)
        code, said = server.acmectl("renew", NAME, "--wait", "--json")
        result, = json.loads(said)
        assert code == 0 and result["succeeded"] and not result["leftOut"]
        assert "without" not in result["detail"]
        server.wait_valid(NAME, count=2)
        assert served_names(server) == {NAME, OTHER, BAD}

    def test_a_forced_renewal_is_had_by_the_others(self, site, clock):
        server, _ = start_with_a_bad_name(site, clock)
        server.wait_valid(NAME)
        code, said = server.acmectl("renew", NAME, "--force", "--wait")
        assert code == 0
        assert f"renewed without {BAD}, which keeps failing (" in said
        server.wait_log("quarantine: still failing")
        server.wait_valid(NAME, count=2)
        assert served_names(server) == {NAME, OTHER}
        stays(lambda: len(server.installed(NAME)) == 2, "it is had once", 3)

    def test_wildcards_whose_record_cannot_be_set(self, site, clock):
        server = site.server(site.ca(), environment=environment(clock))
        server.vhost(NAME, OTHER, body=f"AcmeNames auto *.{NAME} *.{OTHER}\n"
                     "AcmeChallenges http-01 dns-01\nAcmeDns exec /bin/false")
        server.start()
        for count, wait in ((1, 120), (2, 1000)):
            server.wait_failed(NAME, count)
            clock.set(wait)
        server.wait_failed(NAME, 3)
        server.wait_valid(NAME)
        assert served_names(server) == {NAME, OTHER}
        assert left_out(server) == 2

    def test_with_a_live_certificate_it_stays_until_that_ends(self, site,
                                                              clock):
        ca = site.proxied_ca()
        server = site.server(ca, environment=environment(clock))
        server.vhost(NAME, BAD, OTHER, body="AcmeChallenges http-01")
        server.start()
        server.wait_valid(NAME)
        ca.pebble.restart()         # no authorization is valid from before
        ca.pebble.dns.set_servfail(BAD)
        now = 62 * DAY
        for count in range(1, 6):
            clock.set(now)
            server.wait_failed(NAME, count)
            now += 2 * DAY
        assert not server.matching("quarantine")
        assert not left_out(server)

        clock.set(83 * DAY)
        server.wait_log("quarantine: " + BAD)
        server.wait_installed(NAME, 2)
        assert left_out(server) == 1


def refusal(*names):
    """Of some names of an order. (8555, 6.7.1)"""
    rejected = "urn:ietf:params:acme:error:rejectedIdentifier"
    return status(400, kind="compound", detail="some names are refused",
                  subproblems=[{
                      "type": rejected, "detail": f"we dislike no. {i}",
                      "identifier": {"type": "dns", "value": name}}
                      for i, name in enumerate(names)])


def test_names_that_the_ca_never_issues_for_are_named_and_left_out(site):
    more = f"more.{BLOCKED}"
    ca = site.proxied_ca(blocked=["blocked.example"])
    ca.answer(once(refusal(BLOCKED, more)), "order")
    server = site.server(ca)
    server.vhost(NAME, BLOCKED, more, OTHER)
    server.start()
    told = server.wait_failed(NAME)
    assert f"{BLOCKED}: we dislike no. 0; {more}: we dislike no. 1" in told
    assert f'"{more}"' in server.wait_failed(NAME, 2)   # its only problem
    server.wait_valid(NAME)
    assert served_names(server) == {NAME, OTHER}
    assert server.wait_state(NAME, "valid")["LeftOut"] == "2"
    orders = ca.count("order")
    stays(lambda: ca.count("order") == orders, "the CA is left in peace", 3)


def test_the_last_name_is_never_left_out(site):
    ca = site.proxied_ca(blocked=["blocked.example"])
    server = site.server(ca)
    server.vhost(BLOCKED, f"more.{BLOCKED}")
    server.start()
    server.wait_failed(BLOCKED, 2)
    orders = ca.count("order")
    stays(lambda: ca.count("order") == orders, "the CA is left in peace", 3)
    said = server.certificate(BLOCKED)
    assert said["State"] == "failed" and said["LeftOut"] == "1"
    assert said["NextStep"] == "configure"


def test_one_bad_name_of_many_certificates_harms_its_own_alone(site):
    ca = site.ca(blocked=["blocked.example"])
    server = site.server(ca)
    server.vhost(NAME, BLOCKED)
    names = [f"site{i}.example.org" for i in range(5)]
    for name in names:
        server.vhost(name)
    server.start()
    for name in names:
        server.wait_installed(name)
    server.wait_installed(NAME)
    wait_until(lambda: left_out(server) == 1, "one name is left out")
    assert not any(server.failures(name) for name in names)
