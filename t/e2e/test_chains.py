"""Chains: the one that the CA prefers, or the one that we do."""

import pytest

from lib import proxy

NAME = "www.example.org"


def started(site, ca, body=""):
    server = site.server(ca)
    server.vhost(NAME, body=body)
    server.start()
    return server


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_chain_that_is_preferred_is_served(site, number):
    ca = site.ca(alternate_roots=2, chain_length=2)
    name = ca.root_name(number)
    server = started(site, ca, f'AcmePreferredChain "{name}"')
    server.wait_valid(NAME)
    assert server.chain(NAME)[-1].issuer == name


def test_without_a_preference_it_is_the_first(site):
    ca = site.proxied_ca(alternate_roots=2)
    server = started(site, ca)
    server.wait_valid(NAME)
    assert server.chain(NAME)[-1].issuer == ca.pebble.root_name(0)
    assert ca.count("certificate") == 1     # no other one was asked for


def test_a_chain_that_is_not_there_is_told_and_the_first_one_served(site):
    ca = site.ca(alternate_roots=1)
    server = started(site, ca, 'AcmePreferredChain "No such root"')
    server.wait_valid(NAME)
    assert server.chain(NAME)[-1].issuer == ca.root_name(0)
    server.wait_log(r"acme:warn\].*No such root")


def renew_chain(server):
    """acmectl renew --chain, which only begins it."""
    code, said = server.acmectl("renew", NAME, "--chain")
    assert code == 0, said


def topmost(server):
    """None: nothing was served just now."""
    found = server.chain(NAME)
    return found[-1].issuer if found else None


@pytest.mark.parametrize("kinds", ["p256", "p256 rsa2048"])
def test_a_chain_is_renewed_without_its_leaf(site, kinds):
    ca = site.proxied_ca(alternate_roots=1)
    server = started(site, ca, f"AcmeKeyTypes {kinds}")
    first = server.wait_valid(NAME)
    parts = len(kinds.split())
    server.wait(lambda: len(list((server.store / "live" / NAME).glob(
        "chain*.pem"))) == parts, "all key types are there")
    leaves = files(server, "cert*.pem")
    chains = files(server, "chain*.pem")
    assert topmost(server) == ca.pebble.root_name(0)

    # From now on the CA prefers the other root.
    ca.answer(behind_the_leaf(ca.pebble.intermediate(1)), "certificate")
    renew_chain(server)
    server.wait_log("done: new chain")
    server.wait(lambda: topmost(server) == ca.pebble.root_name(1),
                "the new chain is served")
    assert server.look(NAME, verify=True).serial == first.serial
    assert files(server, "cert*.pem") == leaves
    assert all(new != old for new, old in
               zip(files(server, "chain*.pem"), chains))
    assert ca.count("order") == parts
    server.wait_state(NAME, "valid")


def behind_the_leaf(pem):
    """The right leaf, and this chain."""
    async def action(exchange):
        reply = await exchange.forward()
        end = b"-----END CERTIFICATE-----\n"
        reply.body = reply.body.split(end)[0] + end + pem.encode()
        return reply
    return action


def files(server, pattern):
    """Texts of the live folder's files, in the order of their names."""
    return [path.read_text() for path in sorted(
        (server.store / "live" / NAME).glob(pattern))]


@pytest.mark.parametrize("answer", [
    proxy.status(404, kind="malformed"), proxy.garbage, proxy.empty,
    proxy.substitute()], ids=["gone", "garbage", "empty", "another leaf"])
def test_a_chain_that_is_none_changes_nothing(site, answer):
    ca = site.proxied_ca(chain_length=2)
    server = started(site, ca)
    first = server.wait_valid(NAME)
    before = files(server, "*.pem")
    ca.answer(answer, "certificate")
    renew_chain(server)
    assert "new chain" in server.wait_failed(NAME)
    assert files(server, "*.pem") == before
    assert server.look(NAME, verify=True).serial == first.serial
    server.wait_state(NAME, "valid")
    assert ca.count("order") == 1

    ca.forward()
    renew_chain(server)
    server.wait_log("done: new chain")


def test_a_chain_that_does_not_belong_to_the_leaf_is_refused(site):
    ca = site.proxied_ca(chain_length=2)
    server = started(site, ca)
    server.wait_valid(NAME)
    before = files(server, "*.pem")
    ca.answer(behind_the_leaf(ca.authority.pem), "certificate")
    renew_chain(server)
    server.wait_failed(NAME)
    assert files(server, "*.pem") == before


def test_what_has_no_chain_yet_cannot_renew_it(site):
    ca = site.proxied_ca()
    ca.answer(proxy.status(500), "order")
    server = started(site, ca)
    server.wait_failed(NAME)
    code, said = server.acmectl("renew", NAME, "--chain")
    assert code == 1 and "no certificate" in said
    assert server.acmectl("renew", "www.example.net", "--chain")[0] == 1
    assert server.acmectl("renew", "--chain")[0] == 2
