"""A hostile CA and the resources beside an order's: renewal information, the
directory's meta, links of chains, challenges with more in them."""

import pytest
from aiohttp import web

from lib import proxy
from lib.proxy import RenewalInfo
from lib.tls import DAY, utcnow
from lib.wait import stays, wait_until

NAME = "www.example.org"

ASKED = "own-renewal-info"

HOSTILE = ("\x1b[31mred\n[notice] forged\r\n<script>alert(1)</script>\x00"
           + "long " * 2000)


def started(site, ca, *lines):
    server = site.server(ca)
    server.vhost(NAME, body="\n".join(lines))
    server.start()
    return server


def sound(server):
    """Nobody crashed, and nothing of the CA's is shown as it came."""
    assert server.running
    assert server.get().status == 200
    page = server.get("/server-status", port=server.status_port).body
    for text in (page, server.log_text):
        assert "\x1b" not in text and "\x00" not in text
        assert "<script>" not in text
        assert max(map(len, text.split("\n")), default=0) < 20000
    assert not server.matching(r"^\[notice\] forged")


def wait_ended(server):
    """The first order has failed, or there is a certificate."""
    wait_until(lambda: server.failures(NAME) or server.installed(NAME),
               "the order has ended")


# Renewal information

def redirect(where):
    async def action(exchange):
        target = where or exchange.proxy.base + exchange.request.path
        return web.Response(status=302, headers={"Location": target})
    return action


@pytest.mark.parametrize("answer", [
    proxy.huge, proxy.hang, proxy.slow(3), proxy.truncated, proxy.garbage,
    redirect(None), redirect("file:///etc/passwd"),
    redirect("http://127.0.0.1:1/"), proxy.status(500, detail=HOSTILE),
    proxy.answer_json([[[[]]]] * 1000), proxy.answer_json(HOSTILE)],
    ids=["huge", "hang", "slow", "truncated", "garbage", "circle", "file",
         "http", "hostile", "lists", "text"])
def test_renewal_information(site, answer):
    """It holds up no renewal, and is not asked for again and again."""
    ca = site.proxied_ca()
    RenewalInfo(ca).window(utcnow() + 20 * DAY, utcnow() + 22 * DAY)
    ca.answer(answer, ASKED)
    server = started(site, ca)
    server.wait_valid(NAME)
    wait_until(lambda: ca.count(ASKED) or ca.waiting.get(ASKED),
               "it was asked for")
    stays(lambda: ca.count(ASKED) + ca.waiting.get(ASKED, 0) <= 2,
          "it is asked for once", 3)
    assert not server.failures(NAME)
    sound(server)
    # Where the asking hangs, it ends with the reload or within its time.
    server.graceful()
    server.renew(NAME)
    server.wait_valid(NAME, count=2, timeout=100)
    assert not server.failures(NAME)
    sound(server)


# The directory

WEIRD = {"number": 42, "null": None, "list": [1, [2], {}], "text": HOSTILE,
         "object": {"a": {"b": [HOSTILE]}}, "true": True,
         "long": "x" * 100000}


def weird_and_well_again(site, change, body=""):
    """A server that a changed directory did no harm."""
    ca = site.proxied_ca()
    ca.change("directory", change)
    server = started(site, ca, body)
    wait_ended(server)
    sound(server)
    ca.unchange()
    if not server.installed(NAME):
        server.renew(NAME)
    server.wait_valid(NAME)
    return server


@pytest.mark.parametrize("value", WEIRD.values(), ids=WEIRD)
@pytest.mark.parametrize("member", ["renewalInfo", "meta", "revokeCert",
                                    "keyChange", "newAuthz"])
def test_a_member_of_the_directory(site, member, value):
    sound(weird_and_well_again(site, proxy.member(**{member: value})))


@pytest.mark.parametrize("url", [
    "http://127.0.0.1:1/", "file:///etc/passwd", "https://", "//x/y", "/dir",
    "https://127.0.0.1:99999/", "https://a b/", "https://x\r\nHost: y/",
    "https://user:secret@127.0.0.1:1/", "gopher://127.0.0.1:1/_x"])
def test_a_url_of_renewal_information(site, url):
    server = weird_and_well_again(site, proxy.member(renewalInfo=url))
    assert not server.matching("root:x:0")


@pytest.mark.parametrize("meta", [
    {"profiles": value} for value in WEIRD.values()] + [
    {"profiles": {"default": value}} for value in WEIRD.values()] + [
    {"profiles": {f"profile{i}": "one of many" for i in range(3000)}},
    {"profiles": {HOSTILE: HOSTILE, "": "", "wanted\n": "x"}},
    {"profiles": {"wanted": HOSTILE}},
    {"termsOfService": 42}, {"termsOfService": HOSTILE},
    {"termsOfService": "javascript:alert(1)"},
    {"website": [], "caaIdentities": HOSTILE},
    {"caaIdentities": [HOSTILE, 1, None] * 1000},
    {"externalAccountRequired": "yes"}, {"externalAccountRequired": []}],
    ids=lambda meta: "-".join(meta))
def test_the_meta_of_the_directory(site, meta):
    sound(weird_and_well_again(site, proxy.meta(**meta),
                               "AcmeProfile wanted"))


# Chains

def link(text):
    return lambda ca: proxy.header("Link", text.replace("BASE", ca.base))


@pytest.mark.parametrize("links", [
    ["<BASE/certZ/>;rel=\"alternate\""] * 100,
    ["<BASE/dir>;rel=alternate", "<BASE/nonce-plz>;rel=alternate"],
    ["<http://127.0.0.1:1/>;rel=\"alternate\""],
    ["<file:///etc/passwd>;rel=\"alternate\""],
    ["<https://127.0.0.1:1/>;rel=\"alternate\""],
    ["<>;rel=alternate", "<", ">", ";;;", "<<<>>>;rel=alternate", "\"" * 500],
    ["<BASE/certZ/x>;rel=\"alternate", "<BASE/certZ/x;rel=alternate"],
    ["<" + "../" * 2000 + ">;rel=\"alternate\""],
    ["<BASE/certZ/" + "x" * 7000 + ">;rel=\"alternate\""],
    [", ".join(["<BASE/certZ/1>;rel=\"alternate\""] * 150)],
    ["<BASE/certZ/1>;rel=\"alternate\";title*=UTF-8''%00%0d%0a"]],
    ids=["hundred", "other resources", "http", "file", "nobody", "broken",
         "open", "up", "long", "in one", "escapes"])
def test_links_of_a_certificate(site, links):
    """The certificate is installed whatever the other chains are like."""
    ca = site.proxied_ca()
    ca.change("certificate", *(link(text)(ca) for text in links))
    server = started(site, ca, "AcmePreferredChain \"Nobody's Root\"")
    server.wait_valid(NAME)
    assert not server.failures(NAME)
    assert ca.count("certificate") + ca.count("other") <= 20
    sound(server)


@pytest.mark.parametrize("answer", [
    proxy.garbage, proxy.empty, proxy.huge, proxy.reset, proxy.status(500),
    proxy.slow(2), proxy.truncated],
    ids=["garbage", "empty", "huge", "reset", "500", "slow", "truncated"])
def test_another_chain_that_is_none(site, answer):
    ca = site.proxied_ca()
    url = ca.serve("/other-chain", "other-chain", answer)
    ca.change("certificate", proxy.header("Link",
                                          f"<{url}>;rel=\"alternate\""))
    server = started(site, ca, "AcmePreferredChain \"Nobody's Root\"")
    server.wait_valid(NAME)
    assert not server.failures(NAME)
    assert ca.count("other-chain") >= 1
    assert ca.count("certificate") <= 2
    sound(server)


# Challenges

ISSUERS = {"number": 42, "null": None, "empty": [], "numbers": [1, 2, 3],
           "hostile": [HOSTILE], "quotes": ["a\"; accounturi=\"b"],
           "spaces": ["a b; policy=wildcard"], "many": ["ca.example"] * 3000,
           "long": ["a" * 300 + ".example"], "no name": ["..", "-", ""],
           "object": {"ca.example": 1}, "text": "ca.example",
           "zones": ["$(reboot).example", "`id`", "../../etc"]}


def persistent(ca, name, value):
    """Every authorization has this challenge before the others."""
    def edit(found):
        return [{"type": "dns-persist-01", "status": "pending",
                 "url": found[0]["url"], name: value}, *found]
    ca.change("authz", proxy.challenges(edit))


@pytest.mark.parametrize("value", ISSUERS.values(), ids=ISSUERS)
@pytest.mark.parametrize("name", ["issuer-domain-names",
                                  "issuerDomainNames"])
def test_issuers_of_a_persistent_record(site, name, value):
    """Alone it fails and is told; beside others it harms nobody."""
    ca = site.proxied_ca()
    persistent(ca, name, value)
    server = started(site, ca, "AcmeChallenges dns-persist-01")
    server.wait_failed(NAME)
    sound(server)
    stays(lambda: ca.count("order") <= 2, "one order, or one more", 2)

    server.vhost(NAME, body="AcmeChallenges http-01 dns-persist-01")
    server.graceful()
    server.wait_valid(NAME)
    sound(server)


@pytest.mark.parametrize("edit", [
    lambda found: [], lambda found: found * 500,
    lambda found: [{}] * 50 + found, lambda found: [HOSTILE, 1, None],
    lambda found: {"http-01": found}, lambda found: None,
    lambda found: [{**one, "type": HOSTILE} for one in found],
    lambda found: [{**one, "status": 7} for one in found],
    lambda found: [{**one, "url": "file:///etc/passwd"} for one in found]],
    ids=["none", "many", "empty", "no objects", "object", "null", "types",
         "status", "urls"])
def test_challenges_that_make_no_sense(site, edit):
    ca = site.proxied_ca()
    ca.change("authz", proxy.challenges(edit))
    server = started(site, ca)
    wait_ended(server)
    sound(server)
    stays(lambda: ca.count("order") <= 3, "no order after the other", 2)
    ca.unchange()
    if not server.installed(NAME):
        server.renew(NAME)
    server.wait_valid(NAME)
    sound(server)
