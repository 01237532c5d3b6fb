"""Renewal: in time, each certificate on its own, failures remembered."""

import pytest

from lib.httpd import SANITIZERS
from lib.load import Load
from lib.tls import utcnow
from lib.wait import seconds_until, stays, wait_until

NAME = "www.example.org"

# Half of it is longer than renewal, reload and a slow machine take.
SHORT = 60 if SANITIZERS else 30


@pytest.mark.slow
@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_short_lived_certificates_never_expire_before_visitors(site, mpm):
    server = site.server(site.ca(validity=SHORT), mpm=mpm)
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)

    # The client looks at the dates at each of its handshakes.
    with Load(server.https_port, NAME, server.ca.roots, clients=2,
              keep_alive=False) as load:
        for count in (2, 3, 4):
            server.wait_valid(NAME, count=count)
    assert not load.failures
    assert load.requests > 100


def test_the_administrator_can_renew_now(site):
    server = site.server(site.ca())
    server.vhost(NAME)
    server.start()
    first = server.wait_valid(NAME)
    server.renew(NAME)
    second = server.wait_valid(NAME, count=2)

    assert second.serial != first.serial
    assert (server.store / "archive" / NAME / "1" / "privkey.pem").exists()
    assert (server.store / "live" / NAME).resolve().name == "2"


def test_what_cannot_succeed_waits_for_a_new_configuration(site):
    ca = site.proxied_ca(blocked=["blocked.example"])
    server = site.server(ca)
    blocked = server.vhost("www.blocked.example")
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    told = server.wait_failed("www.blocked.example")
    assert "blocked.example" in told and "configuration" in told
    asked = ca.count("order")
    stays(lambda: ca.count("order") == asked, "the CA is left in peace", 3)
    server.restart()
    stays(lambda: ca.count("order") == asked, "also after a restart", 3)

    blocked.write_text(blocked.read_text().replace("blocked.example",
                                                   "allowed.example"))
    server.graceful()
    server.wait_valid("www.allowed.example")


def test_one_bad_certificate_does_not_delay_another(site):
    relay = site.relay()
    ca = site.ca()
    server = site.server(ca)
    server.vhost("bad.example.org", body="AcmeChallenges http-01")
    relay.refusing = True
    server.start()
    server.wait_failed("bad.example.org")

    relay.refusing = False
    server.vhost("good.example.org")
    server.graceful()
    server.wait_valid("good.example.org")
    assert server.certificate("bad.example.org")["State"] == "failed"


def test_a_failed_validation_is_told_in_the_cas_words(site):
    relay = site.relay()
    server = site.server(site.ca())
    server.vhost(NAME, body="AcmeChallenges http-01")
    relay.refusing = True
    server.start()
    told = server.wait_failed(NAME)
    assert told.startswith("attempt 1: ")
    assert "Error getting validation data" in told or "Fetching" in told \
        or "http" in told
    assert NAME in told

    relay.refusing = False
    server.renew(NAME)
    server.wait_valid(NAME)
    assert "Problem" not in server.certificate(NAME) \
        or not server.certificate(NAME)["Problem"].strip(" -")


def test_a_failure_is_remembered_over_a_restart(site):
    ca = site.proxied_ca()
    ca.pebble.stop()
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    server.wait_failed(NAME)
    before = server.wait_state(NAME, "failed")
    assert before["Attempts"] == "1"
    assert 0 < seconds_until(before["NextAt"]) < 80
    assert 0 < seconds_until(server.journal(NAME)["next_at"]) < 80

    server.restart()
    ca.pebble.start()
    asked = ca.count()
    stays(lambda: ca.count() == asked, "nothing is tried before its time", 4)
    after = server.certificate(NAME)
    assert (after["Attempts"], after["NextAt"]) == (before["Attempts"],
                                                    before["NextAt"])
    server.renew(NAME)
    server.wait_valid(NAME)
    assert server.journal(NAME)["attempts"] == 0


def test_a_ca_that_forgot_the_account_gets_a_new_one(site):
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    ca.pebble.restart()
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    assert ca.count("account") == 2
    assert not server.failures(NAME)


def test_the_newest_archives_are_kept(site):
    server = site.server(site.ca())
    server.vhost(NAME)
    server.start()
    for count in range(1, 4):
        server.wait_valid(NAME, count=count)
        if count < 3:
            server.renew(NAME)
    archive = server.store / "archive" / NAME
    assert sorted(path.name for path in archive.iterdir()) == ["1", "2", "3"]
    wait_until(lambda: not (server.store / "pending" / NAME).exists(),
               "nothing is pending")


HOURS = 3600
DAYS = 24 * HOURS


@pytest.mark.parametrize("life, window, left", [
    (HOURS, None, HOURS / 2), (12 * HOURS, None, 6 * HOURS),
    (160 * HOURS, None, 80 * HOURS), (11 * DAYS, None, 3.63 * DAYS),
    (45 * DAYS, None, 14.85 * DAYS), (90 * DAYS, None, 29.7 * DAYS),
    (200 * DAYS, None, 66 * DAYS), (90 * DAYS, "20d", 20 * DAYS),
    (90 * DAYS, "50%", 45 * DAYS), (6 * DAYS, "30d", 3 * DAYS),
    (6 * DAYS, "1d", DAYS), (HOURS, "10m", HOURS / 6)])
def test_the_time_comes_from_the_certificate(site, life, window, left):
    """left at the latest, and up to a twentieth of the lifetime earlier."""
    server = site.server(site.ca(validity=life))
    server.vhost(NAME, body=f"AcmeRenewWindow {window}" if window else "")
    server.start()
    served = server.wait_valid(NAME)
    at = server.certificate(NAME)["NextAt"]
    before_end = (served.not_after - utcnow()).total_seconds() \
        - seconds_until(at)
    assert left - 5 <= before_end <= left + life / 20 + 5
