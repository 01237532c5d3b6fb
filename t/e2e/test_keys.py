"""Keys: their types, several at once, kept or new; and what the CSR asks."""

import os
import signal
import ssl

import pytest
from cryptography import x509

from lib import proxy, tls

NAME = "www.example.org"


def started(site, ca, *lines):
    server = site.server(ca)
    server.vhost(NAME, body="\n".join(lines))
    server.start()
    return server


def served(server, accept):
    """What a visitor gets who can use this kind of key only."""
    try:
        return server.look(NAME, accept=accept)
    except (ssl.SSLError, OSError):
        return None


def wait_served(server, accept, key):
    def is_there():
        found = served(server, accept)
        return found and not found.self_signed and found.key == key

    server.wait(is_there, f"{key} is served to a visitor with {accept}")
    return server.look(NAME, accept=accept, verify=True)


def live_keys(server, name=NAME):
    """The key types of the certificates in the live folder."""
    # Where it leads now: the link may be replaced while we read.
    folder = (server.store / "live" / name).resolve()
    return {tls.read(tls.read_chain(path.read_text())[0]).key
            for path in folder.glob("fullchain*.pem")}


def test_the_key_is_of_its_type(site):
    kinds = ["p256", "p384", "rsa2048", "rsa3072", "rsa4096"]
    server = site.server(site.ca())
    for kind in kinds:
        server.vhost(f"{kind}.example.org", body=f"AcmeKeyTypes {kind}")
    server.start()
    for kind in kinds:
        assert server.wait_valid(f"{kind}.example.org").key == kind
        assert live_keys(server, f"{kind}.example.org") == {kind}


@pytest.mark.parametrize("kinds", ["p256 rsa2048", "rsa2048 p256"])
def test_two_key_types_are_two_certificates(site, kinds):
    ca = site.proxied_ca()
    server = started(site, ca, f"AcmeKeyTypes {kinds}")
    elliptic = wait_served(server, "ec", "p256")
    rsa = wait_served(server, "rsa", "rsa2048")
    assert elliptic.names == rsa.names == (NAME,)
    assert elliptic.serial != rsa.serial
    assert len(ca.orders) == 2
    assert live_keys(server) == set(kinds.split())


def test_three_key_types(site):
    kinds = ["p256", "p384", "rsa2048"]
    server = started(site, site.ca(), f"AcmeKeyTypes {' '.join(kinds)}")
    server.wait_valid(NAME)
    server.wait(lambda: live_keys(server) == set(kinds),
                "all three are there")
    wait_served(server, "rsa", "rsa2048")


def test_other_orders_go_on_while_a_key_is_made(site):
    server = site.server(site.ca(), reload_delay="60s")
    server.vhost("rsa.example.org", body="AcmeKeyTypes rsa2048")
    server.vhost("ec.example.org")
    server.start()
    for name in ("rsa.example.org", "ec.example.org"):
        server.wait_valid(name)
    server.renew("rsa.example.org")     # this keeper's maker begins
    server.wait_installed("rsa.example.org", count=2)
    os.kill(server.key_maker, signal.SIGSTOP)
    server.renew("rsa.example.org")
    server.renew("ec.example.org")
    server.wait_installed("ec.example.org", count=2)
    assert len(server.installed("rsa.example.org")) == 2
    os.kill(server.key_maker, signal.SIGCONT)
    server.wait_installed("rsa.example.org", count=3)


BOTH = "AcmeKeyTypes p256 rsa2048"


def hold_second(ca, kind):
    """A hold of all requests of this kind but the first."""
    held = ca.hold(kind)

    async def action(exchange):
        if not ca.seen(kind):
            return await exchange.forward()
        return await held.action(exchange)

    ca.answer(action, kind)
    return held


def taken(ca, kind):
    """How many requests of this kind the CA has answered well."""
    return len([request for request in ca.seen(kind)
                if 200 <= request.status < 300])


def test_a_key_type_that_is_added_later(site):
    """The old one is served until both are there."""
    ca = site.proxied_ca()
    server = started(site, ca, "AcmeKeyTypes p256")
    first = server.wait_valid(NAME)
    held = ca.hold("finalize")
    server.vhost(NAME, body=BOTH)
    server.graceful()
    held.wait()
    assert server.look(NAME, accept="ec", verify=True) == first
    assert not served(server, "rsa")
    assert live_keys(server) == {"p256"}
    held.release()
    wait_served(server, "rsa", "rsa2048")
    wait_served(server, "ec", "p256")
    assert not server.failures(NAME)


def test_a_key_type_that_is_removed(site):
    server = started(site, site.ca(), BOTH)
    first = wait_served(server, "ec", "p256")
    wait_served(server, "rsa", "rsa2048")
    server.vhost(NAME, body="AcmeKeyTypes p256")
    server.graceful()
    server.wait(lambda: served(server, "ec"), "the reload is over")
    assert not served(server, "ec").self_signed
    server.wait(lambda: live_keys(server) == {"p256"},
                "there is one key type")
    server.wait(lambda: not served(server, "rsa"), "and it alone is served")
    assert server.look(NAME, accept="ec", verify=True).not_after >= \
        first.not_after


@pytest.mark.parametrize("killed", ["child", "keeper", "parent"])
@pytest.mark.parametrize("step", ["order", "finalize"])
@pytest.mark.parametrize("kinds", ["p256 rsa2048", "rsa2048 p256"])
def test_a_crash_between_the_issuances_of_two_key_types(site, kinds, step,
                                                        killed):
    """What the CA has issued is kept, and no half of it is served."""
    ca = site.proxied_ca()
    held = hold_second(ca, step)
    server = started(site, ca, f"AcmeKeyTypes {kinds}")
    held.wait()
    crash(server, killed)
    assert taken(ca, "certificate") == 1
    assert server.look(NAME).self_signed
    assert not server.installed(NAME)
    assert not (server.store / "live" / NAME).exists()

    held.release()
    elliptic = wait_served(server, "ec", "p256")
    rsa = wait_served(server, "rsa", "rsa2048")
    assert elliptic.names == rsa.names == (NAME,)
    assert taken(ca, "order") == taken(ca, "finalize") == 2
    assert ca.count("account") == 1
    assert taken(ca, "certificate") == 2
    assert len(list((server.store / "archive" / NAME).iterdir())) == 1


def crash(server, killed):
    if killed == "parent":
        server.kill_parent()
        server.start()
    elif killed == "keeper":
        server.kill(server.keeper)
        server.wait_log("acme: keeper: started", 2)
    else:
        server.kill(server.renewal_child)
        server.wait_log("acme: renewal: runs in child", 2)


def test_half_a_renewal_is_not_served(site):
    """The second key type fails: both old ones stay, and are whole."""
    ca = site.proxied_ca()
    server = started(site, ca, BOTH)
    old = {kind: wait_served(server, kind, key).serial
           for kind, key in (("ec", "p256"), ("rsa", "rsa2048"))}
    before = ca.count("finalize")

    async def second_fails(exchange):
        if ca.count("finalize") > before:
            return await proxy.status(500)(exchange)
        return await exchange.forward()

    ca.answer(second_fails, "finalize")
    server.renew(NAME)
    server.wait_failed(NAME)
    server.graceful()
    assert {kind: server.look(NAME, accept=kind, verify=True).serial
            for kind in old} == old
    orders = taken(ca, "order")
    ca.forward()
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    assert server.look(NAME, accept="rsa").serial != old["rsa"]
    assert taken(ca, "order") == orders
    assert taken(ca, "certificate") == 4


def test_two_key_types_are_kept_over_a_renewal(site):
    server = started(site, site.ca(), BOTH, "AcmeKeyReuse on")
    first = {kind: wait_served(server, kind, key)
             for kind, key in (("ec", "p256"), ("rsa", "rsa2048"))}
    server.renew(NAME)
    serial = server.wait_installed(NAME, 2)
    server.wait(lambda: serial in (server.look(NAME, accept="ec").serial,
                                   server.look(NAME, accept="rsa").serial),
                "the new ones are served")
    for kind, old in first.items():
        new = server.look(NAME, accept=kind, verify=True)
        assert new.serial != old.serial
        assert new.public_key == old.public_key


def test_stapling_is_asked_for_each_key_type(site):
    ca = site.proxied_ca()
    server = started(site, ca, BOTH, "AcmeMustStaple on")
    wait_served(server, "rsa", "rsa2048")
    features = [tls.extension(csr, x509.TLSFeature) for csr in
                map(proxy.csr_of, ca.seen("finalize"))]
    assert len(features) == 2
    assert all(x509.TLSFeatureType.status_request in found
               for found in features)


def rsa_keys(server):
    return [path for path in server.store.rglob("*key*.pem")
            if "placeholder" not in str(path) and path.stat().st_size > 1500]


@pytest.mark.parametrize("kind", ["rsa3072", "rsa4096"])
def test_no_start_waits_for_a_large_key(site, kind):
    """httpd is up before the keeper has made one."""
    ca = site.proxied_ca()
    held = ca.hold("directory")
    server = started(site, ca, f"AcmeKeyTypes {kind}")
    assert server.get().status == 200
    assert server.look(NAME).self_signed
    held.wait()
    held.release()
    assert server.wait_valid(NAME).key == kind
    assert rsa_keys(server)
    begin = server.loads
    server.vhost("second.example.org", body=f"AcmeKeyTypes {kind}")
    held = ca.hold("order")
    server.graceful()
    assert server.loads == begin + 1
    held.wait()
    held.release()
    server.wait_valid("second.example.org")


def test_challenges_are_answered_while_the_keeper_makes_a_key(site):
    """It may take as long as it likes: the workers have the answer."""
    ca = site.proxied_ca()
    held = ca.hold("challenge")
    server = started(site, ca, "AcmeKeyTypes rsa4096")
    held.wait()
    authorization, = ca.seen("authz")
    token, = (challenge["token"]
              for challenge in authorization.json["challenges"]
              if challenge["type"] == "http-01")
    os.kill(server.keeper, signal.SIGSTOP)
    try:
        reply = server.get(f"/.well-known/acme-challenge/{token}", host=NAME)
        page = server.get()
    finally:
        os.kill(server.keeper, signal.SIGCONT)
    assert reply.status == page.status == 200
    assert reply.body.startswith(f"{token}.")
    held.release()
    assert server.wait_valid(NAME).key == "rsa4096"


@pytest.mark.whole
@pytest.mark.parametrize("reuse", ["on", "off"])
def test_a_renewal_keeps_the_key_where_it_is_to(site, reuse):
    server = started(site, site.ca(), f"AcmeKeyReuse {reuse}")
    first = server.wait_valid(NAME)
    server.renew(NAME)
    second = server.wait_valid(NAME, count=2)
    assert second.serial != first.serial
    assert (second.public_key == first.public_key) == (reuse == "on")


def test_a_kept_key_of_another_type_is_replaced(site):
    server = started(site, site.ca(), "AcmeKeyReuse on", "AcmeKeyTypes p256")
    server.wait_valid(NAME)
    server.vhost(NAME, body="AcmeKeyReuse on\nAcmeKeyTypes p384")
    server.graceful()
    assert wait_served(server, "ec", "p384").names == (NAME,)


@pytest.mark.parametrize("wanted", ["on", "off"])
def test_the_csr_asks_for_stapling_where_it_is_to(site, wanted):
    ca = site.proxied_ca()
    server = started(site, ca, f"AcmeMustStaple {wanted}")
    server.wait_valid(NAME)
    found = tls.extension(proxy.asked(ca), x509.TLSFeature)
    assert (found is not None) == (wanted == "on")
