"""A worker that was taken over says what a CA said: it is not believed."""

import json
import pathlib
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization

from lib import process, proxy
from lib.httpd import WORKER as WWW_DATA
from lib.wait import PATIENCE, wait_until
from lib.worker import Worker, takeover

NAME = "www.example.org"


def serve(site, ca, body=""):
    """A server with a certificate that obeys a Worker."""
    server = takeover(site.server(ca))
    server.vhost(NAME, body=body)
    server.start()
    server.wait_valid(NAME)
    return server


def account_of(server):
    return json.loads(next(server.store.glob("accounts/*/account.json"))
                      .read_text())


def account_key(server):
    return next(server.store.glob("accounts/*/key.pem")).read_text()


def renews(server):
    count = len(server.installed(NAME))
    server.renew(NAME)
    server.wait_valid(NAME, count=count + 1)


def tell(server, kind, fields=None, tail=b""):
    """What the keeper answers to a worker; None: it closed the channel."""
    with Worker(server).connect() as channel:
        return channel.ask(kind, fields, tail)


def refused(server, kind, fields=None):
    reply = tell(server, kind, fields)
    return reply is None or reply.status != 0


# URLs

@pytest.mark.whole
@pytest.mark.parametrize("kind", ["ORDER", "ACCOUNT"])
def test_a_url_of_another_host_is_not_kept(site, kind):
    ca, evil = site.proxied_ca(), site.proxied_ca()
    server = serve(site, ca)
    url = f"{evil.base}/my-order/1"
    known = account_of(server)["url"]

    assert refused(server, kind, {"url": url})
    assert refused(server, "SIGN", {"url": url, "nonce": "bm9uY2U",
                                    "kind": 2})
    assert refused(server, "INSTALL", {"url": url})
    server.graceful()
    renews(server)
    kept = [path for path in server.store.rglob("*.json")
            if url in path.read_text()]
    assert not kept
    assert account_of(server)["url"] == known
    assert not evil.count("order", "account", "authz", "order-poll")
    assert f"a worker sent a URL at {evil.base[len('https://'):]}" \
        in server.log_text


def test_a_wrong_account_of_the_ca_is_found_out(site):
    """Whatever the CA says of an account that is not ours."""
    ca = site.proxied_ca()
    server = serve(site, ca)
    known = account_of(server)["url"]
    assert tell(server, "ACCOUNT", {"url": known + "0"}).status == 0
    assert account_of(server)["url"] == known + "0"

    ca.answer(proxy.once(proxy.status(403, kind="unauthorized")), "order")
    renews(server)
    assert account_of(server)["url"] == known
    assert not server.failures(NAME)


def test_a_deactivated_account_stays_so(site):
    server = serve(site, site.proxied_ca())
    code, text = server.acmectl("account", "deactivate")
    assert code == 0, text
    server.wait_log("done: deactivation of the account")
    for url in ("", account_of(server)["url"]):
        assert refused(server, "ACCOUNT", {"url": url})
    server.graceful()
    assert account_of(server)["deactivated"]


# What an administrator asked for

def test_no_worker_ends_a_change_of_the_account_s_key(site):
    ca = site.proxied_ca()
    server = serve(site, ca)
    before = account_key(server)
    held = ca.hold("key-change")
    code, text = server.acmectl("account", "rollover")
    assert code == 0, text
    held.wait()
    for end in (0, 1):                  # PROMOTE, DROP
        assert refused(server, "KEY", {"end": end})
    assert refused(server, "DONE", {"want": 6})
    held.release()
    server.wait_log("done: new account key")
    assert account_key(server) != before
    renews(server)


def test_a_revocation_is_not_faked(site):
    ca = site.proxied_ca()
    server = serve(site, ca)
    held = ca.hold("revocation")
    code, text = server.acmectl("revoke", NAME, "--delete")
    assert code == 0, text
    held.wait()
    for want in (3, 4):
        assert refused(server, "DONE", {"want": want})
    assert refused(server, "NOTE", {"note": 6, "want": 4})
    assert "revocation" not in " ".join(
        event["event"] for event in server.journal(NAME)["events"]
        if event["event"] == "done")
    assert server.certificate(NAME)["State"] != "revoked"
    held.release()
    server.wait_log("done: revocation without a new certificate")
    assert ca.count("revocation") == 1


def test_the_ca_s_word_about_a_certificate_is_the_ca_s(site):
    server = serve(site, site.proxied_ca())
    assert refused(server, "WINDOW", {"revoked": 1})
    assert refused(server, "TERMS", {"url": "https://evil.example/terms"})
    assert refused(server, "SERVED", {"check": 3, "has_placeholder": 1})
    server.graceful()
    assert "terms of service have changed" not in server.log_text
    assert len(server.installed(NAME)) == 1


# What is published

@pytest.fixture(name="names")
def named(netns, site):
    netns.resolver("127.0.0.1")
    return site.named(port=53)


def test_acmectl_prints_what_the_ca_says(site, names):
    issuer = "pebble.example"
    ca = site.proxy(site.ca210(dns=names.at, caa=[issuer]))
    server = takeover(site.server(ca))
    server.vhost(NAME, body="AcmeChallenges dns-persist-01")
    server.start()
    server.wait_failed(NAME)
    known = account_of(server)["url"]

    tell(server, "PERSIST", {"draft": 1, "issuer": "evil.example"})
    tell(server, "ACCOUNT", {"url": known + "0"})
    code, text = server.acmectl("dns-persist", NAME)
    assert code == 0, text
    assert f'"{issuer}; accounturi={known}"' in text
    assert "evil" not in text


# The witness itself

PEEK = """
import os, sys
for path in ("mem", "environ", "maps"):
    try:
        os.close(os.open(f"/proc/{sys.argv[1]}/{path}", os.O_RDONLY))
        sys.exit(f"{path} can be read")
    except PermissionError:
        pass
"""


def status_of(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines()
                if ":\t" in line)


def test_the_witness_has_no_rights_no_key_and_no_visitor(site):
    server = serve(site, site.ca())
    pid = server.witness
    status = status_of(pid)
    assert status["Uid"].split() == [str(WWW_DATA.pw_uid)] * 4
    assert status["NoNewPrivs"] == "1"
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    assert f"pid={pid}," not in subprocess.run(
        ["ss", "-lntxpH"], check=True, text=True, stdout=subprocess.PIPE,
        timeout=PATIENCE).stdout

    done = subprocess.run(
        [sys.executable, "-c", PEEK, str(pid)], user=WWW_DATA.pw_uid,
        group=WWW_DATA.pw_gid, extra_groups=[], check=False, text=True,
        stderr=subprocess.PIPE, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr

    key = serialization.load_pem_private_key(account_key(server).encode(),
                                             None)
    secret = key.private_numbers().private_value.to_bytes(32, "big")
    for octets in (secret, secret[::-1]):
        assert not process.occurrences(pid, octets)
    for worker in server.workers:       # nor a worker the witness's token
        wait_until(lambda w=worker: not process.alive(w)
                   or Worker(server, w).token(4) is None, "it is wiped")


def test_a_witness_that_dies_is_followed_by_another(site):
    ca = site.proxied_ca()
    server = serve(site, ca)
    pid = server.witness
    server.kill(pid)
    wait_until(lambda: server.witness != pid, "another witness has started")
    code, text = server.acmectl("account", "update")
    assert code == 0, text
    server.wait_log("done: update of the account's contacts")
