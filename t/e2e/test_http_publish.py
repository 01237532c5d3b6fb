"""AcmeHttp: tokens of http-01 are published where another server has port 80.

nginx answers the CA here, and httpd has no port that the CA can reach.
"""

import os
import pathlib
import subprocess

import pytest

from lib.httpd import WORKER
from lib.nginx import Nginx
from lib.relay import Relay
from lib.wait import wait_until

NAME = "www.example.org"

ONLY_HTTP = "AcmePorts http:- https:-\nAcmeChallenges http-01"

# Behind those of the page: what they are told.
SAY_AUTH = """
echo "$CERTBOT_DOMAIN $CERTBOT_REMAINING_CHALLENGES $CERTBOT_ALL_DOMAINS" \
>>"$0.log"
echo "id of $CERTBOT_DOMAIN"
"""

SAY_CLEANUP = """
echo "$CERTBOT_DOMAIN $CERTBOT_AUTH_OUTPUT" >>"$0.log"
"""


@pytest.fixture(name="front")
def nginx(site):
    """What the CA of the site sees as port 80."""
    front = Nginx(site.folder)
    site.validated_port = front.port
    site.closing.callback(front.end)
    return front.start()


def script(site, name, text):
    path = site.folder / name
    path.write_text(text)
    path.chmod(0o755)
    return path


def lines(path):
    log = pathlib.Path(f"{path}.log")
    return log.read_text().splitlines() if log.exists() else []


def test_a_file_or_a_script_of_certbot_s_answers_the_ca(site, front):
    """As docs/howto/nginx-in-front.md has them."""
    by_file, by_script = front.howto("apache")
    auth, cleanup = (
        script(site, name, text + more) for name, text, more in zip(
            ("auth-hook", "cleanup-hook"), front.howto("sh"),
            (SAY_AUTH, SAY_CLEANUP)))
    server = site.server(site.ca())
    server.vhost(NAME, body=by_file)
    server.vhost("shop.example.org", "a.example.org", "b.example.org",
                 body=by_script.replace("/etc/acme", str(site.folder)))
    server.start()
    server.wait_valid(NAME)
    server.wait_valid("shop.example.org")

    names = ["shop.example.org", "a.example.org", "b.example.org"]
    wait_until(lambda: len(lines(cleanup)) == 3, "all are removed")
    said = [line.split() for line in lines(auth)]
    assert sorted(line[0] for line in said) == sorted(names)
    assert [line[1] for line in said] == ["2", "1", "0"]
    assert {line[2] for line in said} == {",".join(names)}
    assert sorted(lines(cleanup)) == sorted(f"{name} id of {name}"
                                            for name in names)
    wait_until(lambda: not front.tokens, "nothing is left")
    assert not list((server.store / "published").iterdir())


def test_what_cannot_be_published_is_told_and_the_next_type_tried(site):
    fails = script(site, "fails", "#!/bin/sh\necho 'ssh: no route'\nexit 7\n")
    docroot, elsewhere = site.folder / "docroot", site.folder / "elsewhere"
    for folder in (docroot, elsewhere):
        folder.mkdir()
    os.chown(docroot, WORKER.pw_uid, WORKER.pw_gid)
    # Whoever has taken over the web server would have root write elsewhere.
    subprocess.run(
        ["setpriv", "--reuid", str(WORKER.pw_uid), "--regid",
         str(WORKER.pw_gid), "--clear-groups",
         "ln", "-s", elsewhere, docroot / ".well-known"], check=True)
    server = site.server(site.ca())
    server.vhost(NAME, body="AcmeChallenges http-01 tls-alpn-01\n"
                            f"AcmeHttp exec {fails}")
    server.vhost("shop.example.org",
                 body=f"{ONLY_HTTP}\nAcmeHttp webroot {docroot}")
    server.start()
    told = server.wait_failed("shop.example.org")
    assert f"{docroot}/.well-known: is a symbolic link" in told
    assert not list(elsewhere.iterdir())
    shown = server.wait_state("shop.example.org", "failed")
    assert shown["Reason"] == "webroot-failed"

    server.wait_valid(NAME)
    assert server.matching(f"{NAME}: .*the command of AcmeHttp failed: "
                           f"{fails}: exit status 7: ssh: no route")
    assert server.matching(f"{NAME}: validated: 1 name by tls-alpn-01")


def test_tokens_are_removed_whatever_is_killed(site, front):
    relay = Relay(front.port)
    site.validated_port = relay.port
    site.closing.callback(relay.end)
    relay.start()
    relay.shut()
    server = site.server(site.ca())
    body = f"{ONLY_HTTP}\nAcmeHttp webroot {front.root}"
    server.vhost(NAME, body=body)
    server.start()
    relay.wait_waiting()
    assert len(front.tokens) == 1
    server.kill(server.keeper)
    server.kill(server.renewal_child)
    relay.open()
    server.wait_valid(NAME)
    wait_until(lambda: not list(front.root.iterdir()), "nothing is left")

    relay.shut()
    server.vhost("shop.example.org", body=body, part="shop")
    server.graceful()
    wait_until(lambda: front.tokens, "it is published")
    relay.wait_waiting()
    server.kill_parent()
    assert front.tokens
    server.remove_part("shop")
    server.start()
    wait_until(lambda: not list(front.root.iterdir()), "nothing is left")
    relay.open()
