"""Several CAs: one that fails is left for the next, and left alone a while."""

import json

import pytest

from lib import proxy
from lib.pebble import Several
from lib.ports import free_port
from lib.proxy import RenewalInfo
from lib.tls import DAY, utcnow
from lib.wait import PATIENCE, stays

NAME = "www.example.org"

SOON = 45       # less than the minute that is waited when all CAs have failed

OPENED = "three requests in a row failed; no requests are sent to it until"
CLOSED = "acme: ca: .*: answers again"


class Unreachable:
    """The CA at a port where nobody listens."""

    def __init__(self, authority):
        self.authority = authority
        self.url = f"https://127.0.0.1:{free_port()}/dir"

    @property
    def roots(self):
        raise ConnectionRefusedError(self.url)


def make_ca(site, kind):
    if kind == "unreachable":
        return Unreachable(site.authority)
    ca = site.proxied_ca(blocked=[NAME] if kind == "refuses" else ())
    if kind == "500":
        ca.answer(proxy.status(500), *proxy.STEPS)
    return ca


# What is known of a CA ends with the child that learned it, and so does a
# request that is on its way: where these are counted, nothing is reloaded.
NO_RELOAD = "AcmeActivate none\n"


def started(site, ca, *names, body="", part=""):
    server = site.server(ca)
    server.part("parallel", f"AcmeParallel 1\n{part}")
    for name in names or (NAME,):
        server.vhost(name, body=body)
    server.start()
    return server


def issued_by(server, name=NAME):
    """As its meta.json has it."""
    path = server.store / "live" / name / "meta.json"
    return json.loads(path.read_text())["ca"]


@pytest.mark.parametrize("kinds", [
    ("unreachable", "well"), ("well", "unreachable"), ("500", "well"),
    ("refuses", "well"), ("unreachable", "500", "well")], ids=" ".join)
def test_the_first_certificate_is_that_of_the_first_ca_that_works(site,
                                                                  kinds):
    cas = [make_ca(site, kind) for kind in kinds]
    well = kinds.index("well")
    server = started(site, Several(*cas))
    server.wait_valid(NAME, timeout=SOON)
    assert len(server.failures(NAME)) == well
    assert issued_by(server) == cas[well].url
    server.wait_state(NAME, "valid")


def test_where_no_ca_works_all_are_tried_again(site):
    cas = [make_ca(site, "500"), make_ca(site, "refuses")]
    server = started(site, Several(*cas))
    server.wait_failed(NAME, 2)
    told = server.failures(NAME)
    assert "bad day" in told[0] and "bad day" not in told[1]
    stays(lambda: len(server.failures(NAME)) == 2, "a round has its rest", 6)

    cas[0].forward()
    server.renew(NAME)
    server.wait_valid(NAME)
    assert issued_by(server) == cas[0].url


def test_each_ca_has_an_account_of_its_own(site):
    cas = [site.proxied_ca(), site.proxied_ca()]
    cas[0].answer(proxy.status(500), "order")
    server = started(site, Several(*cas))
    server.wait_valid(NAME)
    first, second = (ca.seen("account")[0] for ca in cas)
    assert first.protected["jwk"] != second.protected["jwk"]
    assert len(list((server.store / "accounts").iterdir())) == 2


@pytest.mark.slow
def test_a_renewal_stays_with_the_first_ca_until_time_gets_short(site):
    cas = [site.proxied_ca(validity=100), site.proxied_ca(validity=150)]
    server = started(site, Several(*cas))
    first = server.wait_valid(NAME)
    cas[0].answer(proxy.status(500), "order")

    server.wait_failed(NAME, 2, timeout=PATIENCE + 70)
    assert not cas[1].count()
    server.wait_valid(NAME, count=2, timeout=PATIENCE + 70)
    assert utcnow() < first.not_after
    assert issued_by(server) == cas[1].url
    assert server.look(NAME, verify=True).serial != first.serial

    cas[0].forward()
    server.renew(NAME)
    server.wait_installed(NAME, 3)
    assert issued_by(server) == cas[0].url


def test_the_ca_that_issued_it_is_asked_when_to_renew(site):
    cas = [site.proxied_ca(), site.proxied_ca()]
    infos = [RenewalInfo(ca) for ca in cas]
    for info in infos:
        info.window(utcnow() + 20 * DAY, utcnow() + 22 * DAY)
    cas[0].answer(proxy.status(500), "order")
    server = started(site, Several(*cas))
    server.wait_valid(NAME)
    cas[1].wait_for("own-renewal-info")
    assert not infos[0].count()

    # What the one issued is no news to the other.
    cas[0].forward()
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    assert issued_by(server) == cas[0].url
    assert "replaces" not in cas[0].orders[-1]
    cas[0].wait_for("own-renewal-info")


def test_a_503_with_retry_after_is_a_pause_for_all(site):
    names = [f"www{i}.example.org" for i in range(3)]
    ca = site.proxied_ca()
    ca.answer(proxy.once(proxy.status(503, retry_after=8)), "order")
    server = started(site, ca, *names)
    server.wait_log("acme: ca: .*: asked for no requests until")
    for name in names:
        server.wait_installed(name)
    refused = ca.seen("order")[0]
    later = ca.requests[ca.requests.index(refused) + 1:]
    assert refused.status == 503
    assert all(request.at > refused.at + 7.9 for request in later)
    assert sum(len(server.failures(name)) for name in names) == 1
    assert not server.matching(OPENED)


def test_what_one_certificate_may_not_have_is_no_pause_for_others(site):
    names = [f"www{i}.example.org" for i in range(3)]
    ca = site.proxied_ca()
    ca.answer(proxy.once(proxy.status(429, retry_after=3600,
                                      kind="rateLimited")), "order")
    server = started(site, ca, *names, part=NO_RELOAD)
    server.wait(lambda: sum(bool(server.installed(name))
                            for name in names) == 2, "two have theirs")
    assert sum(len(server.failures(name)) for name in names) == 1
    assert ca.count("order") == 3


@pytest.mark.whole
@pytest.mark.slow
@pytest.mark.parametrize("mended", ["by itself", "as the administrator says"])
def test_a_ca_that_fails_is_left_alone_and_comes_back(site, mended):
    names = [f"www{i}.example.org" for i in range(6)]
    ca = site.proxied_ca()
    ca.answer(proxy.status(500), "directory")
    server = started(site, ca, *names)
    server.wait_log(rf"acme:warn\].*acme: ca: 127.0.0.1:\d+: {OPENED}")
    assert ca.count() == 3
    stays(lambda: ca.count() == 3, "the others do not knock", 8)

    ca.forward()
    if mended != "by itself":
        server.renew(names[0])
    untried = [name for name in names if not server.failures(name)]
    for name in untried:
        server.wait_installed(name, timeout=PATIENCE + 70)
    assert len(untried) == 3
    assert len(server.matching(OPENED)) == 1
    assert len(server.matching(CLOSED)) == 1


def test_an_open_breaker_is_left_for_the_next_ca(site):
    names = [f"www{i}.example.org" for i in range(5)]
    cas = [site.proxied_ca(), site.proxied_ca()]
    cas[0].answer(proxy.status(500), "directory")
    server = started(site, Several(*cas), *names, part=NO_RELOAD)
    for name in names:
        server.wait_installed(name)
        assert issued_by(server, name) == cas[1].url
    assert cas[0].count() == 3
    assert sum(len(server.failures(name)) for name in names) == 3


def test_a_wrong_proxy_is_told_and_can_be_mended(site):
    ca = site.proxied_ca()
    server = site.server(ca)
    server.part("proxy", f"AcmeProxy http://127.0.0.1:{free_port()}\n")
    server.vhost(NAME)
    server.start()
    assert "AcmeProxy" in server.wait_failed(NAME)
    assert not ca.count()

    right = site.forward_proxy()
    server.part("proxy", f"AcmeProxy {right.url}\n")
    server.graceful()
    server.wait_valid(NAME)
    assert set(right.targets) == {f"127.0.0.1:{ca.port}"}


def test_a_proxy_that_refuses_is_told(site):
    ca = site.proxied_ca()
    wrong = site.forward_proxy()
    wrong.refusing = True
    server = site.server(ca)
    server.part("proxy", f"AcmeProxy {wrong.url}\n")
    server.vhost(NAME)
    server.start()
    assert "403" in server.wait_failed(NAME)
    assert not ca.count()
