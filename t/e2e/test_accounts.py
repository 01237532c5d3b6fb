"""Accounts: external bindings, and what belongs to whom."""

import base64
import json
import pathlib
import subprocess

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from lib.httpd import WORKER
from lib.jws import Jws, public_key
from lib.wait import PATIENCE, stays

NAME = "www.example.org"

KEYS = {"kid-1": base64.urlsafe_b64encode(b"1" * 48).decode(),
        "kid-2": base64.urlsafe_b64encode(b"2" * 48).decode()}

UNKNOWN = base64.urlsafe_b64encode(b"3" * 48).decode()


def bound_server(site, ca, binding):
    server = site.server(ca)
    server.part("binding", f"AcmeExternalAccount {binding}\n")
    server.vhost(NAME)
    return server


def key_file(server, kid, mode=0o600):
    """A file with the secret of a kid, as AcmeExternalAccount names it."""
    path = server.root / "conf" / f"{kid}.secret"
    path.write_text(KEYS[kid] + "\n")
    path.chmod(mode)
    return f"file:{path}"


def binding_of(request):
    return Jws.read(request.asked["externalAccountBinding"])


@pytest.mark.parametrize("where", ["inline", "file"])
def test_an_account_is_bound(site, where):
    ca = site.proxied_ca(eab=KEYS)
    server = bound_server(site, ca, f"kid-1 {KEYS['kid-1']}")
    if where == "file":
        server.part("binding", "AcmeExternalAccount kid-1 "
                    f"{key_file(server, 'kid-1')}\n")
    server.start()
    server.wait_valid(NAME)

    account, = ca.seen("account")
    binding = binding_of(account)
    assert binding.protected == {"alg": "HS256", "kid": "kid-1",
                                 "url": account.protected["url"]}
    assert binding.json == account.protected["jwk"]
    assert binding.authentic(KEYS["kid-1"])


@pytest.mark.parametrize("kid, key", [
    (None, None), ("kid-3", UNKNOWN), ("kid-1", UNKNOWN)],
    ids=["none", "unknown kid", "wrong secret"])
def test_a_binding_that_the_ca_refuses_is_told_and_can_be_mended(site, kid,
                                                                 key):
    ca = site.proxied_ca(eab=KEYS)
    server = bound_server(site, ca, f"{kid} {key}")
    if not kid:
        server.remove_part("binding")
    server.start()
    told = server.wait_failed(NAME)
    assert "AcmeExternalAccount" in told
    assert not ca.count("order")
    asked = ca.count("account")
    stays(lambda: ca.count("account") == asked, "the CA is left in peace", 3)

    server.part("binding", f"AcmeExternalAccount kid-1 {KEYS['kid-1']}\n")
    server.graceful()
    server.wait_valid(NAME)


@pytest.mark.whole
@pytest.mark.parametrize("binding, told", [
    ("kid-1", "AcmeExternalAccount"),
    ("kid-1 no!base64url", "base64url"),
    ("kid-1 file:/nowhere/secret", "/nowhere/secret")])
def test_httpd_t_refuses_a_binding_that_cannot_work(site, binding, told):
    server = bound_server(site, site.ca(eab=KEYS), binding)
    code, said = server.httpd_t()
    assert code != 0
    assert told in said and "AcmeExternalAccount" in said


@pytest.mark.whole
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_httpd_t_refuses_a_secret_that_others_can_read(site, mode):
    server = site.server(site.ca(eab=KEYS))
    name = key_file(server, "kid-1", mode)
    server.part("binding", f"AcmeExternalAccount kid-1 {name}\n")
    server.vhost(NAME)
    code, said = server.httpd_t()
    assert code != 0
    assert name.removeprefix("file:") in said
    assert KEYS["kid-1"] not in said


def test_another_kid_is_another_account(site):
    ca = site.proxied_ca(eab=KEYS)
    server = bound_server(site, ca, f"kid-1 {KEYS['kid-1']}")
    server.start()
    server.wait_valid(NAME)
    accounts = server.store / "accounts"
    assert len(list(accounts.iterdir())) == 1

    server.part("binding", f"AcmeExternalAccount kid-2 {KEYS['kid-2']}\n")
    server.graceful()
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    first, second = ca.seen("account")
    assert binding_of(second).protected["kid"] == "kid-2"
    assert first.protected["jwk"] != second.protected["jwk"]
    assert len(list(accounts.iterdir())) == 2

    server.part("binding", f"AcmeExternalAccount kid-1 {KEYS['kid-1']}\n")
    server.graceful()
    server.renew(NAME)
    server.wait_valid(NAME, count=3)
    assert ca.count("account") == 2     # the first one is found again


def test_vhosts_may_have_accounts_of_their_own(site):
    ca = site.proxied_ca(eab=KEYS)
    server = site.server(ca)
    for kid, key in KEYS.items():
        # One for each CA that is set, one for this CA.
        bound = f" ca={ca.url}" if kid == "kid-2" else ""
        server.vhost(f"{kid}.example.org",
                     body=f"AcmeExternalAccount {kid} {key}{bound}")
    server.start()
    for kid in KEYS:
        server.wait_valid(f"{kid}.example.org")
    # The CA's accounts, by the key of each; and who ordered which name.
    bound_to = {public_key(request.protected["jwk"]).public_numbers():
                binding_of(request).protected["kid"]
                for request in ca.seen("account")}
    assert sorted(bound_to.values()) == sorted(KEYS)
    ordered = {request.asked["identifiers"][0]["value"]:
               request.protected["kid"] for request in ca.seen("order")}
    assert set(ordered) == {f"{kid}.example.org" for kid in KEYS}
    for folder in (server.store / "accounts").iterdir():
        account = json.loads((folder / "account.json").read_text())
        key = load_pem_private_key((folder / "key.pem").read_bytes(), None)
        kid = bound_to[key.public_key().public_numbers()]
        assert ordered[f"{kid}.example.org"] == account["url"]


def arguments(pid):
    """What ps shows; nothing of a process that has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_no_worker_can_read_the_secret(site):
    ca = site.proxied_ca(eab=KEYS)
    server = site.server(ca)
    server.part("binding", "AcmeExternalAccount kid-1 "
                f"{key_file(server, 'kid-1')}\n")
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    server.wait_log("acme: keeper: started", 2)     # after the reload

    secret = KEYS["kid-1"].rstrip("=")
    found = subprocess.run(
        ["grep", "-rlsF", "--devices=skip", secret, server.root],
        user=WORKER.pw_uid, group=WORKER.pw_gid, extra_groups=[], check=False,
        stdout=subprocess.PIPE, text=True, timeout=PATIENCE).stdout
    assert not found
    assert secret not in server.log_text
    assert secret not in server.get("/server-status?auto",
                                    port=server.status_port).body
    assert arguments(server.pid) and arguments(server.keeper)
    # Workers of before the reload may be about to end.
    assert not [pid for pid in (server.pid, server.keeper, *server.workers)
                if secret.encode() in arguments(pid)]
