"""A CA of other people's code, from the account to the renewal."""

import datetime
import json

import pytest

from lib.wait import seconds_until, stays

NAMES = ("www.example.org", "example.org", "mail.example.org")
NAME = NAMES[0]

HOUR = datetime.timedelta(hours=1)


def started(netns, site, body="", **options):
    """A server with all names, and its CA."""
    netns.hosts(*NAMES)
    ca = site.caddy(**options)
    server = site.server(ca)
    server.vhost(*NAMES, body=body)
    server.start()
    return server


@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
def test_several_names_by_a_challenge(netns, site, challenge):
    server = started(netns, site, f"AcmeChallenges {challenge}")
    served = server.wait_valid(NAME)
    assert served.names == tuple(sorted(NAMES))
    for name in NAMES:
        assert server.look(name, verify=True).serial == served.serial
    server.wait_log(f"validated: 3 names by {challenge}")
    assert not server.failures(NAME)


def test_the_chain_is_complete_and_elliptic(netns, site):
    server = started(netns, site)
    served = server.wait_valid(NAME)
    leaf, intermediate = server.chain(NAME)
    assert leaf == served and leaf.issuer == intermediate.subject
    assert leaf.key == intermediate.key == "p256"
    assert intermediate.issuer.startswith("Test caddy")
    meta = json.loads((server.store / "live" / NAME / "meta.json")
                      .read_text())
    assert meta["ca"] == server.ca.url


@pytest.mark.parametrize("kind", ["p384", "rsa2048"])
def test_other_keys(netns, site, kind):
    server = started(netns, site, f"AcmeKeyTypes {kind}")
    assert server.wait_valid(NAME).key == kind


def test_certificates_of_hours_are_renewed_at_half_their_life(netns, site):
    server = started(netns, site, lifetime="12h")
    served = server.wait_valid(NAME)
    lifetime = served.not_after - served.not_before
    assert abs(lifetime - 12 * HOUR) < HOUR / 10
    at = seconds_until(server.wait_state(NAME, "valid")["NextAt"])
    assert 5 * 3600 < at < 6.1 * 3600
    stays(lambda: len(server.installed(NAME)) == 1, "it is not due", 3)


def test_it_is_renewed_again_and_again(netns, site):
    server = started(netns, site)
    serials = {server.wait_valid(NAME).serial}
    for count in (2, 3):
        server.renew(NAME)
        serials.add(server.wait_valid(NAME, count=count).serial)
    assert len(serials) == 3
    server.restart()
    server.renew(NAME)
    server.wait_valid(NAME, count=4)
    assert len(list((server.store / "accounts").iterdir())) == 1
    assert not server.failures(NAME)


def test_a_challenge_that_caddy_leaves_pending(netns, site):
    """
    It has the error in the pending challenge, and waits for us: its sentence
    is shown, and the next type is tried.
    """
    netns.hosts(NAME, address="127.0.0.2")
    server = site.server(site.caddy())
    # There is nobody at port 80 of the address that caddy knows.
    server.part("both", f"""Listen 127.0.0.2:443
<VirtualHost 127.0.0.1:443 127.0.0.2:443>
ServerName {NAME}
SSLEngine on
AcmeChallenges http-01 tls-alpn-01
</VirtualHost>
""")
    server.start()
    server.wait_log(rf"http-01 of {NAME}: .*connect.*; another challenge is "
                    "tried")
    server.wait_log("validated: 1 name by tls-alpn-01")
    server.wait_valid(NAME)
    assert not server.failures(NAME)
