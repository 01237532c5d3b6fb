"""A certificate of the store serves while a virtual host's own is missing."""

import json

from lib.wait import stays


def started(site, *vhosts):
    """A CA that counts, and a server whose vhosts have certificates."""
    ca = site.proxied_ca()
    server = site.server(ca)
    for names in vhosts:
        server.vhost(*names, part=names[0])
    server.start()
    return ca, server, [server.wait_valid(names[0]) for names in vhosts]


def is_served_by(server, name, certificate):
    """At once, and with the site behind it."""
    return (server.look(name, verify=True).serial == certificate.serial
            and server.get_tls(name).status == 200)


def events(server, cert_id):
    return [event["event"] for event in server.journal(cert_id)["events"]]


def test_a_certificate_whose_id_changes_is_taken_over(site):
    """ServerName and alias change places; AcmeCertificate is added."""
    ca, server, (swapped, shop) = started(
        site, ("a.example.org", "b.example.org"), ("c.example.org",))
    held = ca.hold("order")
    before = ca.count("order")
    server.vhost("b.example.org", "a.example.org", part="a.example.org")
    server.vhost("c.example.org", part="c.example.org",
                 body="AcmeCertificate shop")
    server.graceful()

    for cert_id, name, old in (("b.example.org", "b.example.org", swapped),
                               ("b.example.org", "a.example.org", swapped),
                               ("shop", "c.example.org", shop)):
        assert is_served_by(server, name, old)
        shown = server.wait_state(cert_id, "valid")
        assert shown["Served"] == "yes"
        assert shown["NextStep"] == "renew"
        assert events(server, cert_id) == ["taken over"]
        assert server.live(cert_id)[0].serial_number == old.serial
    told = server.wait_log("acme: no virtual host uses these")
    assert "a.example.org, c.example.org;" in told.string
    assert server.live("a.example.org")[0].serial_number == swapped.serial

    server.kill(server.keeper)
    server.wait_log("acme: keeper: started", 3)
    assert server.certificate("shop")["Served"] == "yes"
    server.graceful()
    assert is_served_by(server, "c.example.org", shop)
    assert server.certificate("shop")["Served"] == "yes"
    assert len(server.matching("no virtual host uses these")) == 1
    assert len(list((server.store / "archive" / "shop").iterdir())) == 1
    assert not server.reloads_asked > 2
    assert ca.count("order") == before
    held.release()
    server.renew("shop")
    assert server.wait_valid("shop", "c.example.org").serial != shop.serial


def test_another_certificate_serves_until_the_own_is_issued(site):
    """An alias gets a vhost of its own, and a certificate another key."""
    ca, server, (both, other) = started(
        site, ("a.example.org", "b.example.org", "x.example.org"),
        ("c.example.org", "d.example.org"))
    held = ca.hold("order")
    server.vhost("a.example.org", part="a.example.org")
    server.vhost("b.example.org", "x.example.org", part="b.example.org")
    server.vhost("d.example.org", "c.example.org", part="c.example.org",
                 body="AcmeKeyTypes rsa2048")
    server.graceful()
    for name, old in (("b.example.org", both), ("d.example.org", other)):
        assert is_served_by(server, name, old)
    shown = server.certificate("b.example.org")
    assert shown["Served"] == "stand-in"
    assert shown["State"] in ("ordering", "stand-in")
    found, = json.loads(server.acmectl("status", "b.example.org",
                                       "--json")[1])
    assert found["served"] is False
    assert server.matching("acme: b.example.org: has no certificate of its "
                           "own .* archive/a.example.org/1")
    held.wait()
    stays(lambda: server.reloads_asked <= 2, "nothing is reloaded again", 2)
    assert is_served_by(server, "b.example.org", both)

    held.release()
    assert server.wait_valid("b.example.org").names == (
        "b.example.org", "x.example.org")
    assert server.wait_valid("d.example.org").key == "rsa2048"
    assert server.get_tls("b.example.org").status == 200
