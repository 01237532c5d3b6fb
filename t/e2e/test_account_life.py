"""An account's life: contacts, keys, its end, and what a CA forgets."""

import base64
import json
import shutil
import urllib.error
import urllib.request

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from lib import proxy
from lib.clock import NEEDS_CLOCK
from lib.jws import Jws
from lib.pebble import Several
from lib.proxy import RenewalInfo
from lib.tls import DAY, context, utcnow
from lib.wait import PATIENCE, stays, wait_until

NAME = "www.example.org"

CHANGED = "terms of service have changed: read https://ca.example/second"


def started(site, ca, contact="admin@example.org", **options):
    server = site.server(ca, **options)
    server.part("contact", f"AcmeContact {contact}\n")
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    return server


def folder_of(server):
    folder, = (server.store / "accounts").iterdir()
    return folder


def key_of(server):
    return (folder_of(server) / "key.pem").read_text()


def account_of(server):
    return json.loads((folder_of(server) / "account.json").read_text())


def ask(server, *words):
    """acmectl account, which only begins it."""
    code, said = server.acmectl("account", *words)
    assert code == 0, said


def orders_work(server):
    count = len(server.installed(NAME))
    server.renew(NAME)
    server.wait_valid(NAME, count=count + 1)


# Contacts

def test_the_contacts_of_the_configuration_are_told(site):
    ca = site.proxied_ca()
    started(site, ca, "admin@example.org mailto:second@example.org")
    account, = ca.seen("account")
    assert account.asked["contact"] == ["mailto:admin@example.org",
                                        "mailto:second@example.org"]


def test_changed_contacts_are_told_once_and_without_an_order(site):
    ca = site.proxied_ca()
    server = started(site, ca)
    server.part("contact", "AcmeContact new@example.org\n")
    server.graceful()
    ca.wait_for("account-update")
    server.wait_log("done: update of the account's contacts")
    server.restart()
    stays(lambda: ca.count("account-update") == 1, "it is once", 3)
    told, = ca.seen("account-update")
    assert told.asked == {"contact": ["mailto:new@example.org"]}
    assert ca.count("order") == 1
    assert account_of(server)["contacts"] == ["mailto:new@example.org"]

    server.part("contact", "")
    server.graceful()
    ca.wait_for("account-update", 2)
    assert ca.seen("account-update")[1].asked == {"contact": []}


@pytest.mark.whole
@pytest.mark.parametrize("code", [500, 403])
def test_contacts_that_could_not_be_told_are_told_with_the_next_order(site,
                                                                      code):
    ca = site.proxied_ca()
    server = started(site, ca)
    ca.answer(proxy.status(code, kind="unauthorized"), "account-update")
    # The witness tells them beside the order, which does not wait for it: a
    # reload would cut it off, and leave it to the next order.
    server.part("contact", "AcmeContact new@example.org\n"
                           "AcmeActivate none\n")
    server.graceful()
    assert "contacts" in server.wait_failed(NAME)
    server.wait_state(NAME, "valid")    # the certificate is none the worse
    assert server.acmectl("status", NAME)[0] == 0
    if code == 403:                     # it is refused again, and no matter
        server.renew(NAME)
        server.wait_installed(NAME, 2)
        ca.wait_for("account-update", 2)
        server.graceful()       # a keeper that has not asked just now

    refused = ca.count("account-update")
    count = len(server.installed(NAME))
    ca.forward()
    server.renew(NAME)
    server.wait_installed(NAME, count + 1)
    wait_until(lambda: account_of(server)["contacts"]
               == ["mailto:new@example.org"], "the CA was told")
    assert ca.count("account-update") == refused + 1


def test_contacts_that_the_ca_refuses_keep_nothing_from_being_done(site):
    ca = site.proxied_ca()
    server = started(site, ca)
    ca.answer(proxy.status(403, kind="unauthorized", detail="no mail here"),
              "account-update")
    server.part("contact", "AcmeContact new@example.org\n")
    server.graceful()
    assert "no mail here" in server.wait_failed(NAME)
    assert "contactsRefused" in account_of(server)
    server.graceful()                   # once for each change is enough
    assert server.acmectl("revoke", NAME)[0] == 0
    server.wait_log("no mail here; the contacts at the CA stay as they were")
    server.wait_log("done: revocation")
    server.wait_valid(NAME, count=2)
    assert len(server.failures(NAME)) == 1


def test_the_administrator_can_have_them_told_again(site):
    ca = site.proxied_ca()
    server = started(site, ca)
    ask(server, "update")
    server.wait_log("done: update of the account's contacts")
    told, = ca.seen("account-update")
    assert told.asked == {"contact": ["mailto:admin@example.org"]}


# The key

def knows(ca, pem):
    """Has the CA an account with this key? As RFC 8555, 7.3.1 asks it."""
    key = serialization.load_pem_private_key(pem.encode(), None)
    numbers = key.public_key().public_numbers()
    url = f"https://127.0.0.1:{ca.pebble.port}"
    protected = text64(json.dumps({
        "alg": "ES256", "url": f"{url}/sign-me-up",
        "nonce": request(ca, f"{url}/nonce-plz").headers["Replay-Nonce"],
        "jwk": {"kty": "EC", "crv": "P-256",
                "x": to64(numbers.x.to_bytes(32, "big")),
                "y": to64(numbers.y.to_bytes(32, "big"))}}))
    payload = text64('{"onlyReturnExisting":true}')
    r, s = utils.decode_dss_signature(key.sign(
        f"{protected}.{payload}".encode(), ec.ECDSA(hashes.SHA256())))
    signature = to64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    try:
        return request(ca, f"{url}/sign-me-up", {
            "protected": protected, "payload": payload,
            "signature": signature}).status == 200
    except urllib.error.HTTPError as problem:
        assert b"accountDoesNotExist" in problem.read()
        return False


def request(ca, url, document=None):
    data = document and json.dumps(document).encode()
    return urllib.request.urlopen(urllib.request.Request(
        url, data, {"Content-Type": "application/jose+json"}), timeout=PATIENCE,
        context=context(ca.authority.pem))


def to64(octets):
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def text64(text):
    return to64(text.encode())


def wait_new_key(server, ca, old):
    """Until the account has another key: here and at the CA, and alone."""
    server.wait_log("done: new account key")
    assert key_of(server) != old
    assert not (folder_of(server) / "next-key.pem").exists()
    assert knows(ca, key_of(server)) and not knows(ca, old)
    assert ca.count("account") - len(found(ca)) == 1


def found(ca):
    """Requests that asked which account has a key."""
    return [seen for seen in ca.seen("account")
            if seen.asked.get("onlyReturnExisting")]


def test_the_account_gets_a_new_key(site):
    ca = site.proxied_ca()
    server = started(site, ca)
    old, url = key_of(server), account_of(server)["url"]
    ask(server, "rollover")
    wait_new_key(server, ca, old)
    change, = ca.seen("key-change")
    inner = Jws.read(change.asked)
    assert inner.json["account"] == change.protected["kid"] == url
    assert inner.json["oldKey"] == ca.seen("account")[0].protected["jwk"]
    assert account_of(server)["url"] == url
    assert (folder_of(server) / "key.pem").stat().st_mode & 0o777 == 0o600

    orders_work(server)
    server.restart()
    orders_work(server)
    assert ca.count("account") == 1


def kill_keeper(server):
    count = len(server.matching("acme: keeper: started"))
    server.kill(server.keeper)
    server.wait_log("acme: keeper: started", count + 1)


def kill_child(server):
    count = len(server.matching("acme: renewal: runs in child"))
    server.kill(server.renewal_child)
    server.wait_log("acme: renewal: runs in child", count + 1)


def kill_both(server):
    server.kill(server.keeper)
    kill_child(server)


def kill_all(server):
    server.kill_parent()
    server.start()


@pytest.mark.parametrize("kill", [kill_keeper, kill_child, kill_both,
                                  kill_all])
def test_a_kill_after_the_ca_took_the_new_key(site, kill):
    ca = site.proxied_ca()
    server = started(site, ca)
    old = key_of(server)
    held = ca.hold("key-change", reply=True)
    ask(server, "rollover")
    held.wait()
    kill(server)
    held.release()
    wait_new_key(server, ca, old)
    assert ca.count("key-change") == 1
    orders_work(server)


@pytest.mark.parametrize("kill", [kill_keeper, kill_child, kill_both,
                                  kill_all])
def test_a_kill_before_the_ca_heard_of_the_new_key(site, kill):
    ca = site.proxied_ca()
    server = started(site, ca)
    old = key_of(server)
    held = ca.hold("key-change")
    ask(server, "rollover")
    held.wait()
    kill(server)
    held.release()
    wait_new_key(server, ca, old)
    orders_work(server)


@pytest.mark.parametrize("answer, accepted", [
    (proxy.after_it(proxy.status(500)), True),
    (proxy.after_it(proxy.reset), True),
    (proxy.after_it(proxy.status(403, kind="unauthorized")), True),
    (proxy.status(500), False), (proxy.reset, False),
    (proxy.status(503, retry_after=1), False),
    (proxy.status(403, kind="unauthorized"), False),
    (proxy.status(400, kind="badPublicKey"), False)],
    ids=["500 after it", "lost", "403 after it", "500", "reset", "503", "403",
         "400"])
def test_which_key_the_ca_has_is_found_out(site, answer, accepted):
    ca = site.proxied_ca()
    server = started(site, ca)
    old = key_of(server)
    ca.answer(answer, "key-change")
    ask(server, "rollover")
    assert "new account key" in server.wait_failed(NAME)
    server.wait_state(NAME, "valid")
    ca.forward()

    orders_work(server)
    assert (key_of(server) != old) == accepted
    assert knows(ca, key_of(server))
    assert not (folder_of(server) / "next-key.pem").exists()
    ask(server, "rollover")
    wait_new_key(server, ca, old)


def test_garbage_instead_of_a_word_is_no_refusal(site):
    ca = site.proxied_ca()
    server = started(site, ca)
    old = key_of(server)
    ca.answer(proxy.once(proxy.after_it(proxy.garbage)), "key-change")
    ask(server, "rollover")
    wait_new_key(server, ca, old)
    orders_work(server)


# Its end

def test_an_account_that_was_given_up_orders_nothing(site):
    ca = site.proxied_ca()
    server = started(site, ca)
    ask(server, "deactivate")
    server.wait_log("done: deactivation of the account")
    told, = ca.seen("account-update")
    assert told.asked == {"status": "deactivated"}
    assert account_of(server)["deactivated"]
    assert "deactivated" in server.acmectl("account", "show")[1]

    asked = ca.count()
    server.renew(NAME)
    said = server.wait_failed(NAME)
    assert "deactivated" in said
    assert str(folder_of(server)) in said and "AcmeExternalAccount" in said
    assert "account was deactivated" in server.acmectl("status", NAME)[1]
    server.restart()
    for count, word in enumerate(("update", "rollover", "deactivate"), 2):
        ask(server, word)
        assert "deactivated" in server.wait_failed(NAME, count)
    assert ca.count() == asked

    shutil.rmtree(folder_of(server))    # as the sentence says
    server.graceful()
    orders_work(server)
    assert len([seen for seen in ca.seen("account")
                if seen.status == 201]) == 2


def test_another_account_is_used_when_one_was_given_up(site):
    cas = [site.proxied_ca(), site.proxied_ca()]
    server = started(site, Several(*cas))
    code, said = server.acmectl("account", "deactivate")
    assert code == 2 and "part" in said
    assert server.acmectl("account", "deactivate", "nowhere")[0] == 1
    assert server.acmectl("account", "end")[0] == 2
    stays(lambda: not cas[0].count("account-update"), "nothing happens", 2)

    ask(server, "deactivate", f":{cas[0].port}/")
    server.wait_log("done: deactivation of the account")
    server.renew(NAME)
    assert "deactivated" in server.wait_failed(NAME)
    wait_until(lambda: server.acmectl("status", NAME)[0] == 1,
               "the failure is told")


# What a CA forgets, and what we do

def test_an_account_that_the_ca_lost_is_registered_again_once(site):
    names = [f"www{i}.example.org" for i in range(3)]
    ca = site.proxied_ca()
    server = site.server(ca)
    for name in names:
        server.vhost(name)
    server.start()
    for name in names:
        server.wait_valid(name)
    key = key_of(server)
    ca.pebble.restart()
    for name in names:
        server.renew(name)
    for name in names:
        server.wait_valid(name, count=2)
    assert [seen.status for seen in ca.seen("account")] == [201, 201]
    assert key_of(server) == key
    assert not sum(len(server.failures(name)) for name in names)


def test_an_account_that_the_ca_lost_gets_what_was_wished(site):
    ca = site.proxied_ca()
    server = started(site, ca)
    old = key_of(server)
    ca.pebble.restart()
    ask(server, "rollover")
    server.wait_log("done: new account key")
    assert knows(ca, key_of(server)) and not knows(ca, old)
    assert ca.count("order") == 1       # nothing was ordered for it
    ca.pebble.restart()
    ask(server, "deactivate")
    server.wait_log("done: deactivation of the account")
    assert [seen.status for seen in ca.seen("account")
            if seen not in found(ca)] == [201, 201]


def test_an_account_is_found_by_its_key(site):
    ca = site.proxied_ca()
    server = started(site, ca)
    key, url = key_of(server), account_of(server)["url"]
    (folder_of(server) / "account.json").unlink()
    server.restart()
    orders_work(server)
    assert [seen.status for seen in ca.seen("account")] == [201, 200]
    assert key_of(server) == key and account_of(server)["url"] == url


# Terms of service

def test_changed_terms_are_told_once(site):
    ca = site.proxied_ca()
    ca.change("directory", proxy.meta(
        termsOfService="https://ca.example/first"))
    server = started(site, ca)
    server.wait_quiet(NAME)
    orders_work(server)
    assert not server.matching("terms of service have changed")

    ca.change("directory", proxy.meta(
        termsOfService="https://ca.example/second"))
    orders_work(server)
    server.wait_log(rf"acme:warn\].*{CHANGED}")
    orders_work(server)
    server.restart()
    orders_work(server)
    assert len(server.matching(CHANGED)) == 1


@NEEDS_CLOCK
@pytest.mark.parametrize("with_info", [True, False])
def test_changed_terms_are_noticed_without_an_order(site, clock, with_info):
    ca = site.proxied_ca()
    if with_info:
        RenewalInfo(ca).window(utcnow() + 20 * DAY, utcnow() + 22 * DAY)
    ca.change("directory", proxy.meta(
        termsOfService="https://ca.example/first"))
    server = started(site, ca, environment=clock.environment)
    server.wait_quiet(NAME)
    loads = server.loads
    ca.change("directory", proxy.meta(
        termsOfService="https://ca.example/second"))
    clock.set("+25h")
    server.wait_log(CHANGED)
    assert ca.count("order") == 1 and server.loads == loads
