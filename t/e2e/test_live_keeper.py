"""AcmeActivate live: what the keeper makes of it, beside the handshakes."""

import json
import os

from lib.front import Front
from lib.wait import wait_until

NAME, FRONT = "www.example.org", "front.example.org"
GIVEN = "served now by running workers, without a reload"


def live_server(site, ca):
    server = site.server(ca)
    server.part("live", "AcmeActivate live\n")
    return server


def command(site, name, text):
    path = site.folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_copies_and_commands_follow(site):
    copy, told = site.folder / "copy.pem", site.folder / "told"
    deploy = command(site, "deploy", f'''
        cmp -s "{copy}" "$ACME_FULLCHAIN" && echo same >>"{told}"''')
    server = live_server(site, site.ca())
    server.vhost(NAME, body=f"AcmeExport {copy} fullchain\n"
                            f"AcmeHook deploy {deploy}")
    server.start()
    server.wait_valid(NAME)
    live = server.store / "live" / NAME / "fullchain.pem"
    wait_until(lambda: copy.exists()
               and copy.read_text() == live.read_text(), "it is copied")

    # The second time the keeper is another one, which knows what is served.
    for count in 2, 3:
        code, said = server.acmectl("renew", NAME, "--force", "--wait")
        assert code == 0 and "and served now" in said, said
        assert server.look(NAME).serial == server.installed(NAME)[-1]
        wait_until(lambda: copy.read_text() == live.read_text(),
                   "it is copied anew")
        wait_until(lambda n=count - 1: told.exists()
                   and told.read_text().count("same") >= n,
                   "deploy has seen the copy")
        shown = server.certificate(NAME)
        assert shown["Served"] == "yes" and shown["Activated"] == "live"
        if count == 2:
            keeper = server.keeper
            server.kill(keeper)
            server.wait(lambda: server.keeper != keeper, "another keeper")
            server.wait(lambda: server.certificate(NAME).get("Activated")
                        == "live", "it knows what is served")
    assert len(server.matching(f"acme: {NAME}: {GIVEN}")) == 3
    events = [event["event"] for event in server.journal(NAME)["events"]]
    assert events.count("activated") == 3
    assert server.loads == 1 and not server.reloads_asked
    assert oct(os.stat(live).st_mode & 0o777) == "0o644"


def test_where_visitors_get_another_one_httpd_is_reloaded(site):
    """Until the reload another server answers at one address, as an old
    process would."""
    server = live_server(site, site.ca(always_valid=True))
    port = server.https_port
    server.config.write_text(server.config.read_text().replace(
        f"Listen 127.0.0.1:{port}",
        f"ListenCoresBucketsRatio 1\nListen 0.0.0.0:{port}"))
    server.part("front", f"<VirtualHost 127.0.0.3:{port}>\n"
                         f"SSLEngine on\nServerName {FRONT}\n"
                         "</VirtualHost>\n")
    server.vhost(NAME)
    server.start()
    server.wait_installed(NAME)
    server.wait_installed(FRONT)
    server.wait_log(f"acme: {FRONT}: {GIVEN}")
    assert server.loads == 1

    archive = server.store / "archive" / FRONT / "1"
    front = Front("127.0.0.3", port, archive / "fullchain.pem",
                  archive / "privkey.pem").start()
    site.closing.callback(front.end)
    server.renew(FRONT)
    server.wait_log(f"acme: {FRONT}: not served: .*httpd is reloaded once")
    front.end()
    server.wait_log(f"acme: {FRONT}: AcmeActivate live does not work here")
    server.wait_log(f"acme: {FRONT}: self check: served again")
    assert len(server.matching(f"acme: {FRONT}: {GIVEN}")) == 2
    assert server.loads == 2

    # For a day the others are not tried in vain. A reload resets connections
    # that wait in a socket of the children before (ListenCoresBucketsRatio).
    old = set(server.workers)
    server.renew(NAME)
    serial = server.wait_installed(NAME, 2)
    server.wait(lambda: server.loads == 3 and not old & set(server.workers),
                "another reload, and the children before it have left")
    server.wait_served(NAME, serial)
    assert len(server.matching(f"acme: {NAME}: {GIVEN}")) == 1
    assert len(server.matching("does not work here")) == 1
    shown, = json.loads(server.acmectl("status", FRONT, "--json")[1])
    assert shown["activated"] == "reload"
    assert "running workers" in server.acmectl("status", FRONT)[1]
