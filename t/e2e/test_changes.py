"""Settings of virtual hosts: each has its own, and a change acts."""

import json

REFUSED, ALLOWED = "refused.example.org", "allowed.example.org"
STAPLED, SHORT = "stapled.example.org", "short.example.org"
CLOSED = "closed.example.org"


def test_a_change_and_a_restart_act_at_once(site):
    """Not after the pause of a failure: a minute is longer than it is waited.

    And two virtual hosts at one CA have each its own proxy.
    """
    relay = site.relay()
    relay.refusing = True
    ca = site.ca210(profiles={"default": 90 * 86400, "short": 6 * 86400})
    wrong, right = site.forward_proxy(), site.forward_proxy()
    wrong.refusing = True
    server = site.server(ca)
    server.part("others", "AcmeChallenges tls-alpn-01\n")
    server.vhost(REFUSED, body=f"AcmeProxy {wrong.url}", part="a1")
    server.vhost(ALLOWED, body=f"AcmeProxy {right.url}", part="a2")
    server.vhost(STAPLED)
    server.vhost(SHORT, body="AcmeProfile default")
    server.vhost(CLOSED, body="AcmeChallenges http-01")
    server.start()
    for name in ALLOWED, STAPLED, SHORT:
        server.wait_valid(name)
    assert "403" in server.wait_failed(REFUSED)
    server.wait_failed(CLOSED)
    assert set(right.targets) == set(wrong.targets) == {
        f"127.0.0.1:{ca.port}"}
    first = server.live(SHORT)[0]

    server.vhost(REFUSED, part="a1")
    server.vhost(STAPLED, body="AcmeMustStaple on")
    server.vhost(SHORT, body="AcmeProfile short")
    server.vhost(CLOSED, body="AcmeChallenges http-01\n"
                              f"AcmePorts http:{server.http_port} https:-")
    relay.refusing = False
    server.restart()
    for name in REFUSED, CLOSED:
        server.wait_valid(name)
    for name in STAPLED, SHORT:
        server.wait_installed(name, 2)
    second = server.live(SHORT)[0]
    assert second.not_valid_after < first.not_valid_after
    assert json.loads((server.store / "live" / STAPLED / "meta.json"
                       ).read_text())["mustStaple"] is True
    assert len(server.installed(ALLOWED)) == 1
    assert len(server.failures(REFUSED)) == 1
    assert len(server.failures(CLOSED)) == 1
