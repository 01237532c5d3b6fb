"""Revocation: as the administrator wants it, and as the CA did it."""

import shutil

import pytest

from lib import proxy
from lib.clock import NEEDS_CLOCK
from lib.crl import RevocationList
from lib.ocsp import Responder
from lib.tls import read_chain
from lib.wait import stays, wait_until

NAME = "www.example.org"

REASONS = {"unspecified": 0, "keyCompromise": 1, "affiliationChanged": 3,
           "superseded": 4, "cessationOfOperation": 5}


def started(site, ca, body="", **options):
    server = site.server(ca, **options)
    server.vhost(NAME, body=body)
    server.start()
    return server


def revoke(server, *options):
    """acmectl revoke, which only begins it."""
    assert server.keeper            # at a start it may come a little later
    code, said = server.acmectl("revoke", NAME, *options)
    assert code == 0, said


# By the administrator

@pytest.mark.whole
@pytest.mark.parametrize("reuse", ["off", "on", "next"])
def test_a_revoked_certificate_is_replaced_at_once(site, reuse):
    ca = site.proxied_ca()
    server = started(site, ca, f"AcmeKeyReuse {reuse}")
    first = server.wait_valid(NAME)
    revoke(server, "--reason", "keyCompromise")
    second = server.wait_valid(NAME, count=2)
    assert ca.pebble.revocation(first.serial) == REASONS["keyCompromise"]
    assert ca.pebble.revocation(second.serial) is None
    assert second.public_key != first.public_key    # the old one is known
    told, = ca.seen("revocation")
    assert "kid" in told.protected
    server.wait_state(NAME, "valid")
    stays(lambda: len(server.installed(NAME)) == 2, "it is once", 3)


@pytest.mark.parametrize("reason", [None, *REASONS])
def test_the_reason_is_told(site, reason):
    ca = site.proxied_ca()
    server = started(site, ca)
    first = server.wait_valid(NAME)
    revoke(server, "--delete", *(("--reason", reason) if reason else ()))
    server.wait_state(NAME, "deleted")
    assert ca.pebble.revocation(first.serial) == REASONS.get(reason, 0)
    told, = ca.seen("revocation")
    assert told.asked.get("reason") == REASONS.get(reason)


def test_what_is_deleted_is_ordered_again_only_when_asked_for(site):
    ca = site.proxied_ca()
    server = started(site, ca)
    first = server.wait_valid(NAME)
    revoke(server, "--delete")
    server.wait_state(NAME, "deleted")
    assert ca.pebble.revocation(first.serial) == 0
    stays(lambda: ca.count("order") == 1, "nothing is ordered", 4)
    server.restart()
    server.wait_state(NAME, "deleted")
    stays(lambda: ca.count("order") == 1, "nor after a restart", 3)
    code, said = server.acmectl("status", NAME)
    assert code == 0
    assert "deleted" in said and f"acmectl renew {NAME} --force" in said
    assert server.acmectl("renew", NAME)[0] == 1

    server.renew(NAME)
    second = server.wait_valid(NAME, count=2)
    assert second.public_key != first.public_key
    server.wait_state(NAME, "valid")
    server.restart()
    server.wait_state(NAME, "valid")


def test_an_order_that_fails_after_a_deletion_is_tried_again(site):
    ca = site.proxied_ca()
    server = started(site, ca)
    server.wait_valid(NAME)
    revoke(server, "--delete")
    server.wait_state(NAME, "deleted")
    ca.answer(proxy.once(proxy.status(503, retry_after=3)), "order")
    server.renew(NAME)
    server.wait_failed(NAME)
    server.wait_valid(NAME, count=2)


def test_another_account_revokes_with_the_certificates_key(site):
    ca = site.proxied_ca()
    server = started(site, ca)
    first = server.wait_valid(NAME)
    server.stop()
    shutil.rmtree(server.store / "accounts")
    server.start()
    revoke(server, "--reason", "superseded")
    server.wait_valid(NAME, count=2)
    assert ca.pebble.revocation(first.serial) == REASONS["superseded"]
    by_account, by_key = ca.seen("revocation")
    assert "kid" in by_account.protected and by_account.status == 403
    assert "jwk" in by_key.protected and by_key.status == 200


def test_an_account_that_was_given_up_revokes_too(site):
    ca = site.proxied_ca()
    server = started(site, ca)
    first = server.wait_valid(NAME)
    assert server.acmectl("account", "deactivate")[0] == 0
    server.wait_log("done: deactivation of the account")
    revoke(server, "--delete")
    server.wait_state(NAME, "deleted")
    assert ca.pebble.revocation(first.serial) == 0
    told, = ca.seen("revocation")
    assert "jwk" in told.protected


def test_all_key_types_are_revoked(site):
    ca = site.proxied_ca()
    server = started(site, ca, "AcmeKeyTypes p256 rsa2048")
    server.wait_valid(NAME)         # no reload cuts a revocation off
    folder = server.store / "live" / NAME
    assert len(list(folder.glob("cert*.pem"))) == 2
    revoke(server)
    server.wait_log("done: revocation")
    server.wait_installed(NAME, 2)
    assert ca.count("revocation") == 2
    assert len({seen.asked["certificate"]
                for seen in ca.seen("revocation")}) == 2
    assert len(ca.orders) == 4


def test_calls_that_are_wrong(site):
    ca = site.proxied_ca()
    ca.answer(proxy.status(500), "order")
    server = started(site, ca)
    server.wait_failed(NAME)
    for reason in ("cACompromise", "certificateHold", "1", ""):
        code, said = server.acmectl("revoke", NAME, "--reason", reason)
        assert code == 2 and "keyCompromise" in said
    assert server.acmectl("revoke")[0] == 2
    code, said = server.acmectl("revoke", "www.example.net")
    assert code == 1 and "www.example.net" in said
    code, said = server.acmectl("revoke", NAME)
    assert code == 1 and "no certificate" in said
    assert not ca.count("revocation")


def test_a_revocation_that_failed_is_told_and_can_be_asked_for_again(site):
    ca = site.proxied_ca()
    server = started(site, ca)
    first = server.wait_valid(NAME)
    ca.answer(proxy.once(proxy.status(500)), "revocation")
    revoke(server)
    assert "revocation" in server.wait_failed(NAME)
    server.wait_state(NAME, "valid")
    assert ca.pebble.revocation(first.serial) is None

    ca.answer(proxy.once(proxy.after_it(proxy.status(500))), "revocation")
    revoke(server)
    server.wait_failed(NAME, 2)
    assert ca.pebble.revocation(first.serial) == 0
    revoke(server)                  # which the CA calls alreadyRevoked
    server.wait_valid(NAME, count=2)


@pytest.mark.whole
@pytest.mark.parametrize("kill", ["keeper", "renewal_child"])
def test_a_kill_in_the_midst_of_a_revocation(site, kill):
    ca = site.proxied_ca()
    server = started(site, ca)
    first = server.wait_valid(NAME)
    held = ca.hold("revocation", reply=True)
    revoke(server)
    held.wait()
    server.kill(getattr(server, kill))
    held.release()
    server.wait_valid(NAME, count=2)
    assert ca.pebble.revocation(first.serial) == 0
    stays(lambda: len(server.installed(NAME)) == 2, "it is once", 3)


# By the CA

@pytest.fixture
def responder(site):
    made = Responder()
    site.closing.callback(made.end)
    return made


def responding_ca(site, responder):
    ca = site.proxied_ca(more={"ocspResponderURL": responder.url})
    responder.start(ca.pebble)
    return ca


def wait_asked(responder, serial, count=1):
    wait_until(lambda: responder.asked.count(serial) >= count,
               f"the responder was asked about {serial:x} {count} times")


def wait_answered(responder, serial, count=1):
    wait_until(lambda: responder.answered.count(serial) >= count,
               f"the responder spoke of {serial:x} {count} times")


def wait_ask_at(server, before):
    """Until the journal has another time of the next question than this."""
    def changed():
        at = server.journal(NAME).get("renewalInfo", {}).get("askAt")
        return at if at != before else None

    return wait_until(changed, "the answer is in the journal")


def revoked_when_asked(site, responder):
    """CA, server, and its certificate, which the answer says is revoked."""
    ca = responding_ca(site, responder)
    responder.hold()
    server = started(site, ca)
    first = server.wait_valid(NAME)
    wait_asked(responder, first.serial)
    responder.revoked.add(first.serial)
    responder.release()
    return ca, server, first


def test_a_certificate_that_the_ca_revoked_is_replaced(site, responder):
    _, server, first = revoked_when_asked(site, responder)
    second = server.wait_valid(NAME, count=2)
    assert second.public_key != first.public_key
    server.wait_log(r"acme:error\].*revoked: the CA revoked the certificate")
    wait_asked(responder, second.serial)
    server.wait_state(NAME, "valid")
    stays(lambda: len(server.installed(NAME)) == 2, "a good one stays", 3)
    assert not server.failures(NAME)


@pytest.mark.parametrize("lie", ["another", "nothing", "garbage", "empty"])
def test_an_answer_that_nobody_vouches_for_is_ignored(site, responder, lie):
    if lie in ("garbage", "empty"):
        responder.reply = b"\x30\x03\x0a" * 7 if lie == "garbage" else b""
    else:
        responder.sign_with = lie
    ca, server, _ = revoked_when_asked(site, responder)
    stays(lambda: ca.count("order") == 1, "it is not believed", 5)
    server.wait_state(NAME, "valid")


@NEEDS_CLOCK
def test_the_responder_is_asked_again_and_again(site, clock, responder):
    ca = responding_ca(site, responder)
    server = started(site, ca, environment=clock.environment)
    first = server.wait_valid(NAME)
    again = wait_ask_at(server, None)
    answered = responder.answered.count(first.serial)
    clock.set("+7h")
    wait_answered(responder, first.serial, answered + 1)
    wait_ask_at(server, again)
    responder.revoked.add(first.serial)
    stays(lambda: ca.count("order") == 1, "nobody knows yet", 3)
    clock.set("+14h")
    server.wait_installed(NAME, 2)


# No CA of these tests has lists: the proxy issues in its place.

@pytest.fixture
def revocations(site):
    made = RevocationList(site.authority).serve()
    made.hold()                     # until it is known what is revoked
    site.closing.callback(made.end)
    return made


def listed(site, revocations):
    """A server whose certificate is put on the list, once it was asked for."""
    ca = site.proxied_ca()
    ca.answer(proxy.substitute(crl=revocations.url), "certificate")
    server = started(site, ca)
    server.wait_installed(NAME)
    live = server.store / "live" / NAME / "cert.pem"
    leaf, = read_chain(live.read_text())
    wait_until(lambda: revocations.asked, "the list was asked for")
    revocations.revoked.add(leaf.serial_number)
    revocations.release()
    return ca, server


def test_a_certificate_on_a_list_of_the_ca_is_replaced(site, revocations):
    ca, server = listed(site, revocations)
    server.wait_installed(NAME, 2)
    server.wait_log(r"acme:error\].*revoked: the CA revoked the certificate")
    server.wait_state(NAME, "valid")
    wait_until(lambda: revocations.asked > 1, "the next one is looked for")
    # The reload for the first one may end the worker in the midst of newOrder.
    orders = ca.count("order")
    assert orders in (2, 3)
    stays(lambda: ca.count("order") == orders, "a good one stays", 3)
    assert len(server.installed(NAME)) == 2
    assert not server.failures(NAME)


def test_a_list_that_nobody_vouches_for_is_ignored(site, revocations):
    revocations.honest = False
    ca, server = listed(site, revocations)
    server.wait_state(NAME, "valid")
    stays(lambda: ca.count("order") == 1, "it is not believed", 5)
