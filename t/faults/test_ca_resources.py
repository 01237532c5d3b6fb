"""A hostile CA and the resources beside an order's: renewal information, the
directory's meta, links of chains, challenges with more in them.

Most tests are tables whose rows share a server: see lib.rows."""

import time

import pytest
from aiohttp import web

from lib import proxy
from lib.proxy import RenewalInfo
from lib.rows import Row, Rows
from lib.tls import DAY, utcnow
from lib.wait import PATIENCE, wait_until

ASKED = "own-renewal-info"

HOSTILE = ("\x1b[31mred\n[notice] forged\r\n<script>alert(1)</script>\x00"
           + "long " * 2000)


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


# Renewal information

def redirect(where):
    async def action(exchange):
        target = where or exchange.proxy.base + exchange.request.path
        return web.Response(status=302, headers={"Location": target})
    return action


INFORMATION = {
    "huge": proxy.huge, "hang": proxy.hang, "slow": proxy.slow(3),
    "truncated": proxy.truncated, "garbage": proxy.garbage,
    "circle": redirect(None), "file": redirect("file:///etc/passwd"),
    "http": redirect("http://127.0.0.1:1/"),
    "hostile": proxy.status(500, detail=HOSTILE),
    "lists": proxy.answer_json([[[[]]]] * 1000),
    "text": proxy.answer_json(HOSTILE)}


@pytest.mark.slow
def test_renewal_information(site):
    """It holds up no renewal, and is not asked for again and again."""
    rows = Rows(site, INFORMATION)
    for row in rows.rows:
        RenewalInfo(row.ca).window(utcnow() + 20 * DAY, utcnow() + 22 * DAY)
        row.ca.answer(row.value, ASKED)
    rows.server.start()
    rows.all_valid()
    rows.each(lambda row: wait_until(
        lambda: row.ca.count(ASKED) or row.ca.waiting.get(ASKED),
        "it was asked for"))
    time.sleep(3)

    def asked_once(row):            # and anew where a reload cut it off
        asked = row.ca.count(ASKED) + row.ca.waiting.get(ASKED, 0)
        assert asked <= rows.server.loads, f"it was asked for {asked} times"

    rows.each(asked_once)
    rows.none_failed()
    sound(rows.server)
    # Where the asking hangs, it ends with the reload or within its time.
    rows.server.graceful()
    rows.all_renew(2, timeout=PATIENCE + 70)
    rows.none_failed()
    sound(rows.server)


# The directory

WEIRD = {"number": 42, "null": None, "list": [1, [2], {}], "text": HOSTILE,
         "object": {"a": {"b": [HOSTILE]}}, "true": True,
         "long": "x" * 100000}


def weird_and_well_again(site, table, change, body=""):
    """A server that the changed directories do no harm."""
    rows = Rows(site, table, body)
    for row in rows.rows:
        row.ca.change("directory", change(row.value))
    rows.server.start()
    rows.each(Row.wait_ended)
    sound(rows.server)
    for row in rows.rows:
        row.ca.unchange()
    rows.each(Row.mend)
    rows.all_valid()
    sound(rows.server)
    return rows.server


@pytest.mark.dense
@pytest.mark.slow
def test_a_member_of_the_directory(site):
    weird_and_well_again(
        site, {f"{member}: {name}": {member: value}
               for member in ("renewalInfo", "meta", "revokeCert",
                              "keyChange", "newAuthz")
               for name, value in WEIRD.items()},
        lambda members: proxy.member(**members))


def test_a_url_of_renewal_information(site):
    urls = ["http://127.0.0.1:1/", "file:///etc/passwd", "https://", "//x/y",
            "/dir", "https://127.0.0.1:99999/", "https://a b/",
            "https://x\r\nHost: y/", "https://user:secret@127.0.0.1:1/",
            "gopher://127.0.0.1:1/_x"]
    server = weird_and_well_again(site, {repr(url): url for url in urls},
                                  lambda url: proxy.member(renewalInfo=url))
    assert not server.matching("root:x:0")


METAS = {**{f"profiles: {name}": {"profiles": value}
            for name, value in WEIRD.items()},
         **{f"one profile: {name}": {"profiles": {"default": value}}
            for name, value in WEIRD.items()},
         "many profiles":
             {"profiles": {f"profile{i}": "one of many" for i in range(3000)}},
         "names of profiles":
             {"profiles": {HOSTILE: HOSTILE, "": "", "wanted\n": "x"}},
         "a hostile profile": {"profiles": {"wanted": HOSTILE}},
         "terms: number": {"termsOfService": 42},
         "terms: hostile": {"termsOfService": HOSTILE},
         "terms: script": {"termsOfService": "javascript:alert(1)"},
         "website": {"website": [], "caaIdentities": HOSTILE},
         "many CAAs": {"caaIdentities": [HOSTILE, 1, None] * 1000},
         "binding: text": {"externalAccountRequired": "yes"},
         "binding: list": {"externalAccountRequired": []}}


@pytest.mark.dense
@pytest.mark.slow
def test_the_meta_of_the_directory(site):
    weird_and_well_again(site, METAS, lambda meta: proxy.meta(**meta),
                         "AcmeProfile wanted")


# Chains

def link(text):
    return lambda ca: proxy.header("Link", text.replace("BASE", ca.base))


LINKS = {
    "hundred": ["<BASE/certZ/>;rel=\"alternate\""] * 100,
    "other resources": ["<BASE/dir>;rel=alternate",
                        "<BASE/nonce-plz>;rel=alternate"],
    "http": ["<http://127.0.0.1:1/>;rel=\"alternate\""],
    "file": ["<file:///etc/passwd>;rel=\"alternate\""],
    "nobody": ["<https://127.0.0.1:1/>;rel=\"alternate\""],
    "broken": ["<>;rel=alternate", "<", ">", ";;;", "<<<>>>;rel=alternate",
               "\"" * 500],
    "open": ["<BASE/certZ/x>;rel=\"alternate", "<BASE/certZ/x;rel=alternate"],
    "up": ["<" + "../" * 2000 + ">;rel=\"alternate\""],
    "long": ["<BASE/certZ/" + "x" * 7000 + ">;rel=\"alternate\""],
    "in one": [", ".join(["<BASE/certZ/1>;rel=\"alternate\""] * 150)],
    "escapes": ["<BASE/certZ/1>;rel=\"alternate\";title*=UTF-8''%00%0d%0a"]}


@pytest.mark.dense
def test_links_of_a_certificate(site):
    """The certificate is installed whatever the other chains are like."""
    rows = Rows(site, LINKS, "AcmePreferredChain \"Nobody's Root\"")
    for row in rows.rows:
        row.ca.change("certificate", *(link(text)(row.ca)
                                       for text in row.value))
    rows.server.start()
    rows.all_valid()
    rows.none_failed()

    def bounded(row):
        assert row.ca.count("certificate") + row.ca.count("other") <= 20

    rows.each(bounded)
    sound(rows.server)


@pytest.mark.dense
def test_another_chain_that_is_none(site):
    rows = Rows(site, {"garbage": proxy.garbage, "empty": proxy.empty,
                       "huge": proxy.huge, "reset": proxy.reset,
                       "500": proxy.status(500), "slow": proxy.slow(2),
                       "truncated": proxy.truncated},
                "AcmePreferredChain \"Nobody's Root\"")
    for row in rows.rows:
        url = row.ca.serve("/other-chain", "other-chain", row.value)
        row.ca.change("certificate", proxy.header(
            "Link", f"<{url}>;rel=\"alternate\""))
    rows.server.start()
    rows.all_valid()
    rows.none_failed()

    def asked(row):
        assert row.ca.count("other-chain") >= 1
        assert row.ca.count("certificate") <= 2

    rows.each(asked)
    sound(rows.server)


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


def orders(at_most):
    def check(row):
        assert row.ca.count("order") <= at_most, "one order after the other"
    return check


@pytest.mark.dense
@pytest.mark.slow
def test_issuers_of_a_persistent_record(site):
    """Alone it fails and is told; beside others it harms nobody."""
    rows = Rows(site, {f"{key}: {name}": (key, value)
                       for key in ("issuer-domain-names", "issuerDomainNames")
                       for name, value in ISSUERS.items()},
                "AcmeChallenges dns-persist-01")
    for row in rows.rows:
        persistent(row.ca, *row.value)
    rows.server.start()
    rows.each(lambda row: rows.server.wait_failed(row.domain))
    sound(rows.server)
    time.sleep(2)
    rows.each(orders(2))                # one, or one more

    rows.configure("AcmeChallenges http-01 dns-persist-01")
    rows.server.graceful()
    rows.all_valid()
    sound(rows.server)


def each_has(**members):
    return lambda found: [{**one, **members} for one in found]


NONSENSE = {
    "none": lambda found: [], "many": lambda found: found * 500,
    "empty": lambda found: [{}] * 50 + found,
    "no objects": lambda found: [HOSTILE, 1, None],
    "object": lambda found: {"http-01": found}, "null": lambda found: None,
    "types": each_has(type=HOSTILE), "status": each_has(status=7),
    "urls": each_has(url="file:///etc/passwd")}


@pytest.mark.dense
def test_challenges_that_make_no_sense(site):
    rows = Rows(site, NONSENSE)
    for row in rows.rows:
        row.ca.change("authz", proxy.challenges(row.value))
    rows.server.start()
    rows.each(Row.wait_ended)
    sound(rows.server)
    time.sleep(2)
    rows.each(orders(3))
    for row in rows.rows:
        row.ca.unchange()
    rows.each(Row.mend)
    rows.all_valid()
    sound(rows.server)
