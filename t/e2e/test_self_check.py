"""httpd is visited by itself, and what it serves is compared."""

import json

from lib import tls
from lib.front import Front
from lib.httpd import modules_folder

OWN, FRONT, SHARED = "own.example.org", "front.example.org", "two.example.org"
PROXIED = "proxied.example.org"
LOADED = "acme: keeper: started"


def checked(server, cert_id):
    """What is shown when this load was visited."""
    server.wait(lambda: "SelfChecked" in server.certificate(cert_id),
                f"{cert_id} is checked")
    return server.certificate(cert_id)


def test_what_visitors_get_is_seen_at_each_address(site):
    """Right, another's, an older one of ours, and not to be seen."""
    server = site.server(site.ca(always_valid=True))
    port = server.https_port
    teller = site.folder / "teller"
    teller.write_text('#!/bin/sh\necho "told $ACME_ID: $ACME_EVENT"\n')
    teller.chmod(0o755)
    server.config.write_text(server.config.read_text().replace(
        f"Listen 127.0.0.1:{port}",
        f"ListenCoresBucketsRatio 1\nListen 0.0.0.0:{port}"))
    server.part("aa", f"LoadModule remoteip_module {modules_folder()}"
                      f"/mod_remoteip.so\nAcmeHook notify {teller}\n")

    def vhost(addresses, *lines):
        at = " ".join(f"{address}:{port}" for address in addresses)
        return "\n".join([f"<VirtualHost {at}>", "SSLEngine on", *lines,
                          "</VirtualHost>", ""])

    server.vhost(OWN, "alias.example.org",
                 body="AcmeKeyTypes p256 rsa2048\nSSLVerifyClient require\n"
                      f"SSLCACertificateFile {site.authority.file}")
    server.part("others", "".join((
        vhost(["127.0.0.2"], "ServerName first.example.org",
              "ServerAlias *.example.org"),
        vhost(["127.0.0.1", "127.0.0.2"], f"ServerName {SHARED}"),
        vhost(["127.0.0.3"], f"ServerName {FRONT}"),
        vhost(["127.0.0.4"], f"ServerName {PROXIED}",
              "RemoteIPProxyProtocol On"))))
    server.start()
    for cert_id in OWN, FRONT, SHARED, PROXIED:
        server.wait_installed(cert_id)
    loads = server.loads
    server.graceful()
    server.wait(lambda: server.loads > loads and server.keeper, "a reload")

    own = checked(server, OWN)
    assert own["Served"] == "yes"
    assert own["ServedAt"] == f"127.0.0.1:{port}=yes"
    assert "SelfCheckDetail" not in own
    found, = json.loads(server.acmectl("status", OWN, "--json")[1])
    assert found["served"] is True and found["selfChecked"]
    assert "Reason" not in checked(server, FRONT)

    two = checked(server, SHARED)
    assert two["Served"] == "no" and two["Reason"] == "not-served"
    assert set(two["ServedAt"].split()) == {f"127.0.0.1:{port}=yes",
                                            f"127.0.0.2:{port}=no"}
    first = server.installed("first.example.org")[-1]
    assert f"{first:x}, issued by" in two["SelfCheckDetail"]
    assert f"at 127.0.0.2:{port}" in server.acmectl("status", SHARED)[1]
    server.wait_log(f"told {SHARED}: not-served")
    server.wait_log(f"acme: {SHARED}: not served: visitors of {SHARED} at ")

    proxied = checked(server, PROXIED)
    assert proxied["Served"] == "yes" and "Reason" not in proxied
    assert proxied["ServedAt"] == f"127.0.0.4:{port}=unknown"
    assert "the TLS handshake failed" in proxied["SelfCheckDetail"]

    assert all("[acme:" in match.string
               for match in server.matching(r":error\]"))

    # Another server serves what it once got a copy of.
    archive = server.store / "archive" / FRONT
    old = server.installed(FRONT)[-1]
    front = Front("127.0.0.3", port, archive / "1" / "fullchain.pem",
                  archive / "1" / "privkey.pem").start()
    site.closing.callback(front.end)
    keepers = len(server.matching(LOADED))
    server.renew(FRONT)
    server.wait_installed(FRONT, 2)
    server.wait_log(LOADED, keepers + 1)
    told = server.wait_log(rf"acme: {FRONT}: not served: .*")
    assert f"{old:x}, issued by" in told[0]
    assert "httpd is reloaded once" in told[0]
    server.wait_log(LOADED, keepers + 2)
    told = server.wait_log(rf"acme: {FRONT}: not served: .*", 2)
    assert "Reloading httpd did not help" in told[0]
    server.wait_log(f"told {FRONT}: not-served")
    shown = checked(server, FRONT)
    assert shown["Served"] == "no" and shown["Reason"] == "not-served"
    reloads = server.reloads_asked
    seen = front.visitors

    server.graceful()
    server.wait(lambda: front.visitors > seen, "it is visited again")
    front.end()
    server.graceful()
    server.wait_log(f"acme: {FRONT}: self check: served again, seen at "
                    f"127.0.0.3:{port}")
    # The line comes first, then the journal, then the page.
    server.wait(lambda: server.certificate(FRONT)["Served"] == "yes",
                "it is shown as served")
    assert "Reason" not in server.certificate(FRONT)
    assert tls.look(port, FRONT, address="127.0.0.3").serial == \
        server.installed(FRONT)[-1]
    assert server.reloads_asked == reloads
    assert len(server.matching(f"told {FRONT}: not-served")) == 1
    assert len(server.matching(f"acme: {FRONT}: not served: ")) == 2
    assert len(server.matching(f"acme: {SHARED}: not served: ")) == 1
    assert len(server.matching(f"told {SHARED}: not-served")) == 1
    events = [event["event"] for event in server.journal(FRONT)["events"]]
    assert events[-3:] == ["not-served", "not-served", "served"]
