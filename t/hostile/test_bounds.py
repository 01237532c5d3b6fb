"""Whatever a CA sends, it takes no more than some of a worker's memory, and
holds up no certificate from another CA."""

import pathlib

import pytest
from aiohttp import web

from lib import proxy
from lib.httpd import SANITIZERS

NAME = "www.example.org"
OTHER = "other.example.org"

MB = 1024 * 1024
# ASan keeps 256 MB of what was freed.
GROWTH_MAX = 330 * MB if SANITIZERS else 30 * MB

# So many, and of such a size, that an old module takes half a gigabyte.
AUTHORIZATIONS = 60
PADDING = "x" * 1000000     # what it took of one reply


def memory(pid, which):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().split("\n"):
        if line.startswith(which + ":"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"{pid} has no {which}")


def multiply(document, _headers):
    document["authorizations"] *= AUTHORIZATIONS
    document["status"] = "pending"


def pending(document, _headers):
    document["status"] = "pending"


async def endless_headers(exchange):
    """A reply whose headers do not end."""
    reply = web.StreamResponse(headers={"Content-Type": "application/json"})
    for i in range(20000):
        reply.headers[f"X-Header-{i}"] = "y" * 100
    await reply.prepare(exchange.request)
    return reply


def many_and_large(ca):
    ca.change("order", multiply)
    ca.change("authz", proxy.member(padding=PADDING))


def many(ca):
    ca.change("order", multiply)


def large(kind):
    def attack(ca):
        ca.change("order", pending)
        ca.change(kind, proxy.member(padding=PADDING))
    return attack


def endless(action, *kinds):
    def attack(ca):
        ca.change("order", pending)
        ca.answer(action, *kinds)
    return attack


def of_many_values(ca):
    """A hundred octets in memory for each that was sent."""
    ca.change("order", pending)
    ca.change("authz", proxy.member(list=[{}] * 15000))


@pytest.mark.parametrize("attack, says", [
    (many_and_large, f"{AUTHORIZATIONS} authorizations, and only 1 name"),
    (many, f"{AUTHORIZATIONS} authorizations, and only 1 name"),
    (large("authz"), "more than 65536 octets"),
    (large("order"), "more than 65536 octets"),
    (large("challenge"), "more than 65536 octets"),
    (endless(proxy.huge, "certificate"), "more than 65536 octets"),
    (endless(proxy.status(403, kind="caa", detail=PADDING), "order"),
     "more than 65536 octets"),
    (endless(endless_headers, "authz"), "eader"),
    (endless(endless_headers, "order"), "eader"),
    (of_many_values, "more than 20000 values"),
], ids=["many-and-large", "many", "authorization", "order", "challenge",
        "certificate", "problem", "headers", "order-headers", "values"])
def test_a_ca_fills_no_memory(site, attack, says):
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(NAME)
    server.vhost(OTHER, body=f"AcmeCA {ca.pebble.url}")
    server.start()
    server.wait_valid(NAME)
    server.wait_valid(OTHER)
    server.graceful()
    worker = server.renewal_child
    before = memory(worker, "VmRSS")
    pathlib.Path(f"/proc/{worker}/clear_refs").write_text("5")

    attack(ca)
    server.renew(NAME)
    reason = server.wait_failed(NAME)
    grown = memory(worker, "VmHWM") - before
    print(f"grown by {grown / MB:.1f} MB: {reason}")
    assert says in reason
    assert grown < GROWTH_MAX

    server.renew(OTHER)
    server.wait_valid(OTHER, count=2)
