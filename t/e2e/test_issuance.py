"""First certificates: from two directives to a site that visitors trust."""

import contextlib
import json

from aiohttp import web
import pytest

from lib import process
from lib.httpd import WORKER
from lib.tls import read, read_chain
from lib.wait import stays, wait_until

NAME = "www.example.org"


@pytest.mark.parametrize("mpm, foreground", [
    ("event", False), ("event", True), ("worker", False), ("worker", True),
    ("prefork", False), ("prefork", True)])
def test_the_first_certificate_replaces_the_placeholder(site, mpm,
                                                        foreground):
    server = site.server(site.ca(), mpm=mpm)
    server.vhost(NAME)
    server.start(foreground)
    served = server.wait_valid(NAME)

    assert served.names == (NAME,)
    assert server.get_tls(NAME).body == "It works\n"
    assert server.reloads_asked == 1
    assert server.running


def owners(pids):
    """The users of those that have not ended meanwhile."""
    found = set()
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found.add(process.owner(pid))
    return found


def test_workers_are_another_user_and_the_keeper_is_not(site):
    server = site.server(site.ca())
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    server.wait_log("acme: keeper: started", 2)         # both after the
    server.wait_log("acme: renewal: runs in child", 2)  # reload

    # A worker is root's for a moment after its fork.
    wait_until(lambda: owners(server.workers) == {WORKER.pw_uid},
               "all workers are another user's")
    assert process.owner(server.keeper) == process.owner(server.pid) == 0
    assert server.renewal_child in server.workers


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_a_server_that_was_not_started_as_root_does_the_same(site, mpm):
    server = site.server(site.ca(), mpm=mpm, as_root=False)
    server.vhost(NAME)
    server.start()
    first = server.wait_valid(NAME)
    assert process.owner(server.pid) == WORKER.pw_uid

    server.renew(NAME)
    assert server.wait_valid(NAME, count=2).serial != first.serial


def test_one_certificate_has_the_name_and_all_aliases(site):
    server = site.server(site.ca())
    server.vhost(NAME, "example.org", "shop.example.org")
    server.start()
    served = server.wait_valid(NAME)
    assert served.names == ("example.org", "shop.example.org", NAME)
    for name in served.names:
        assert server.look(name, verify=True).serial == served.serial


def test_two_vhosts_share_one_certificate(site):
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost("a.example.org", body="AcmeCertificate both")
    server.vhost("b.example.org", "c.example.org",
                 body="AcmeCertificate both")
    server.start()
    served = server.wait_valid("both", "a.example.org")

    assert served.names == ("a.example.org", "b.example.org",
                            "c.example.org")
    assert server.look("b.example.org", verify=True).serial == served.serial
    assert ca.count("order") == 1


def test_a_vhost_of_port_80_is_managed_when_it_says_so(site):
    server = site.server(site.ca())
    server.vhost("plain.example.org", tls_on=False, body="AcmeEngine on")
    server.vhost("other.example.org", tls_on=False)
    server.start()
    serial = server.wait_installed("plain.example.org")

    live = server.store / "live" / "plain.example.org" / "fullchain.pem"
    assert read(read_chain(live.read_text())[0]).serial == serial
    assert not server.certificate("other.example.org")


def test_names_become_lower_case_and_ascii(site):
    server = site.server(site.ca())
    server.vhost("WWW.Bücher.Example", "SHOP.Example.ORG")
    server.start()
    served = server.wait_valid("www.xn--bcher-kva.example",
                               "shop.example.org")
    assert served.names == ("shop.example.org", "www.xn--bcher-kva.example")


def test_a_vhost_with_a_certificate_of_its_own_is_left_alone(site):
    ca = site.proxied_ca()
    server = site.server(ca)
    crt, key = site.authority.server_files("own", "own.example.org")
    server.vhost("own.example.org", body=f"SSLCertificateFile {crt}\n"
                                         f"SSLCertificateKeyFile {key}")
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)

    assert server.look("own.example.org").issuer == "Test authority"
    assert server.get_tls("own.example.org").status == 200
    assert ca.count("order") == 1


def test_nothing_is_ordered_without_agreement_to_the_terms(site):
    ca = site.proxied_ca()
    server = site.server(ca, agreed=False)
    server.vhost(NAME)
    server.start()

    server.wait_state(NAME, "not-agreed")
    server.wait_log("acme: .*AcmeTermsOfService")
    stays(lambda: not ca.count("account", "order"), "nothing is ordered", 3)
    assert server.get_tls(NAME).status == 503


def needed(ca):
    """
    Requests beside those for directory and account. Looks at the order before
    the CA is done are not counted: how many there are depends on how busy the
    machine is, see test_pace.
    """
    early = [look for look in ca.seen("order-poll")
             if look.json["status"] in ("pending", "processing")]
    return ca.count() - ca.count("directory", "account") - len(early)


def test_a_name_needs_at_most_eight_requests(site, record_property):
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)

    counted = needed(ca)
    record_property("requests", counted)
    assert counted <= 8


def test_each_of_two_key_types_needs_at_most_eight(site, record_property):
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(NAME, body="AcmeKeyTypes p256 rsa2048")
    server.start()
    server.wait_valid(NAME)

    counted = needed(ca)
    record_property("requests", counted / 2)
    assert ca.count("order") == 2
    assert counted <= 2 * 8


def test_the_account_is_made_once_and_found_again(site):
    ca = site.proxied_ca()
    server = site.server(ca)
    names = [f"site{i}.example.org" for i in range(8)]
    for name in names:
        server.vhost(name)
    server.start()
    for name in names:
        server.wait_valid(name)
    server.restart()
    server.renew(names[0])
    server.wait_valid(names[0], count=2)
    assert ca.count("account") == 1


def of_orders(ca):
    """Requests on the connections of orders: the witness has its own."""
    connections = {request.connection for request in ca.seen("order")}
    return [request for request in ca.requests
            if request.connection in connections]


def test_the_next_order_finds_directory_nonce_and_connection(site):
    ca = site.proxied_ca()
    server = site.server(ca)
    server.part("one", "AcmeActivate none\nAcmeParallel 1\n")
    names = [f"site{i}.example.org" for i in range(3)]
    for name in names:
        server.vhost(name)
    server.start()
    for name in names:
        server.wait_installed(name)
    kinds = [request.kind for request in of_orders(ca)]
    assert kinds.count("order") == 3
    assert kinds.count("directory") == kinds.count("nonce") == 1
    assert ca.count("nonce") == 1
    assert len({request.connection for request in of_orders(ca)}) == 1


def test_an_order_beside_one_that_waits_finds_them_too(site):
    """But for the directory, which is fetched for what acmectl asks for."""
    ca = site.proxied_ca()
    other = "other.example.org"
    slow = set()

    async def processing(exchange):
        """The CA takes its time for the first order that asks."""
        reply = await exchange.forward()
        path = exchange.request.path
        if not slow or path in slow:
            slow.add(path)
            found = json.loads(reply.body)
            reply = web.json_response(
                {"status": "processing", "expires": found["expires"],
                 "identifiers": found["identifiers"],
                 "authorizations": found["authorizations"],
                 "finalize": found["finalize"]},
                headers={"Replay-Nonce": reply.headers["Replay-Nonce"],
                         "Retry-After": "60"})
        return reply

    server = site.server(ca)
    server.part("activate", "AcmeActivate none\n")
    server.vhost(NAME)
    server.vhost(other)
    server.start()
    for name in (NAME, other):
        server.wait_installed(name)
    ca.answer(processing, "order-poll")
    server.renew(NAME)
    ca.wait_for("order", 3)
    wait_until(lambda: slow and not ca.waiting.get("order-poll"), "it waits")
    old = of_orders(ca)
    server.renew(other)
    server.wait_installed(other, count=2)
    assert len(server.installed(NAME)) == 1
    new = of_orders(ca)[len(old):]
    assert [request.kind for request in new[:2]] == ["directory", "order"]
    assert "nonce" not in [request.kind for request in new]
    assert ({request.connection for request in new}
            <= {request.connection for request in old})


def test_a_chain_of_three_is_served_whole(site):
    server = site.server(site.ca(chain_length=3))
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)         # visitors know the root only
    live = server.store / "live" / NAME
    assert len(read_chain((live / "fullchain.pem").read_text())) == 4
    assert len(read_chain((live / "chain.pem").read_text())) == 3
    assert len(read_chain((live / "cert.pem").read_text())) == 1


def test_a_ca_that_rejects_half_of_the_nonces(site):
    server = site.server(site.ca(nonce_reject=50))
    server.vhost(NAME, "example.org")
    server.start()
    server.wait_valid(NAME)
    server.renew(NAME)
    server.wait_valid(NAME, count=2)


@pytest.mark.whole
# Pebble's dice: "0 percent" is one in a hundred.
@pytest.mark.parametrize("reuse, expected", [(0, (1, 2)), (100, (1,))])
def test_authorizations_are_reused_where_the_ca_does(site, reuse, expected):
    ca = site.proxied_ca(authz_reuse=reuse)
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    pending = {request.path for request in ca.seen("authz")
               if request.json["status"] == "pending"}
    assert ca.count("challenge") == len(pending)
    assert len(pending) in expected
    assert len(ca.orders) == 2


def test_the_validators_may_take_their_time(site):
    server = site.server(site.ca(sleep=True))
    server.vhost(NAME, "example.org")
    server.start()
    server.wait_valid(NAME)
