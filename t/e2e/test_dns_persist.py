"""dns-persist-01: one record, set once by hand, and no token ever."""

import base64
import hashlib
import json
import re
import time

import pytest

from lib import proxy

NAME = "www.example.org"
RECORD = f"_validation-persist.{NAME}"
APEX = "_validation-persist.example.org"

ISSUER = "pebble.example"
PREFIX = "https://ca.example/accounts/"

ONLY_PERSIST = "AcmeChallenges dns-persist-01"

DAY = 24 * 3600


@pytest.fixture(name="names")
def named(netns, site):
    netns.resolver("127.0.0.1")
    return site.named(port=53)


@pytest.fixture(name="ca")
def ca_behind_a_proxy(site, names):
    return site.proxy(site.ca210(dns=names.at, caa=[ISSUER]))


def account_url(ca):
    return ca.seen("account")[0].reply_headers["Location"]


def draft_1(ca, *more):
    return "; ".join([ISSUER, f"accounturi={account_url(ca)}", *more])


def thumbprint(jwk):
    """(RFC 7638)"""
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    text = json.dumps(members, separators=(",", ":"))
    return base64url(hashlib.sha256(text.encode()).digest())


def base64url(octets):
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def draft_2(ca, domain, *more):
    """The hash binds the account, its key and the domain, or all ("*")."""
    jwk = ca.seen("account")[0].protected["jwk"]
    text = domain + thumbprint(jwk) + account_url(ca)
    found = base64url(hashlib.sha256(bytes([len(domain)])
                                     + text.encode()).digest())
    return "; ".join([ISSUER, f"accounturi={PREFIX}sha-256/{found}", *more])


def as_draft_2(ca):
    """The CA speaks the newer draft, to the client at least."""
    def edit(found):
        for challenge in found:
            if challenge["type"] == "dns-persist-01":
                challenge["issuerDomainNames"] = [ISSUER]
                challenge.pop("issuer-domain-names", None)
        return found

    ca.change("authz", proxy.challenges(edit))
    ca.change("directory", proxy.meta(issuerDomainNames=[ISSUER],
                                      accountHashPrefix=PREFIX))


def set_record(names, record, value):
    """As one string of a record, or several."""
    parts = " ".join(f'"{value[i:i + 255]}"'
                     for i in range(0, len(value), 255))
    assert not names.update(f"add {record} 1 TXT {parts}")


def remove_records(names, record):
    assert not names.update(f"delete {record} TXT")


def asked_in_vain(site, ca, *aliases, body="", name=NAME):
    """A server whose account is known now, and that lacks the record."""
    server = site.server(ca)
    server.vhost(name, *aliases, body=f"{ONLY_PERSIST}\n{body}")
    server.start()
    return server, server.wait_failed(name)


def again(server, name=NAME):
    """The administrator asks for another attempt."""
    code, text = server.acmectl("renew", name, "--force")
    assert code == 0, text


def test_a_missing_record_is_named_as_it_is_to_be_set(site, ca):
    server, told = asked_in_vain(site, ca)
    assert f'set {RECORD} TXT "{draft_1(ca)}"' in told
    assert f"acmectl dns-persist {NAME}" in told
    assert "next attempt at" in told
    assert RECORD in server.wait_state(NAME, "failed")["Problem"]
    assert not ca.count("challenge")


def test_the_record_alone_is_enough(site, ca, names):
    server, _ = asked_in_vain(site, ca)
    set_record(names, RECORD, draft_1(ca))
    again(server)
    server.wait_valid(NAME)

    request, = ca.seen("challenge")
    assert request.payload == b"{}"
    types = {challenge["url"]: challenge["type"] for authz in ca.seen("authz")
             for challenge in authz.json["challenges"]}
    assert types[ca.base + request.path] == "dns-persist-01"
    assert ca.count("order") == 1       # the pending one went on
    assert not server.matching("warning: ")

    server.renew(NAME)
    server.wait_valid(NAME, count=2)    # nobody did anything for it


def test_acmectl_prints_the_record(site, ca, names):
    server, _ = asked_in_vain(site, ca)
    code, text = server.acmectl("dns-persist", NAME)
    assert code == 0
    assert text == f'{RECORD}. IN TXT "{draft_1(ca)}"\n'

    until = "2031-01-02T03:04:05Z"
    code, text = server.acmectl("dns-persist", NAME, "--until", until)
    assert code == 0
    assert text == f'{RECORD}. IN TXT "{draft_1(ca)}; ' \
                   'persistUntil=1925089445"\n'
    code, text = server.acmectl("dns-persist", NAME, "--until", "365d")
    seconds = int(re.search(r"persistUntil=(\d+)", text)[1])
    assert abs(seconds - time.time() - 365 * DAY) < 60

    server.graceful()                   # it is remembered
    _, text = server.acmectl("dns-persist", NAME)
    record, _, _, value = text.strip().split(" ", 3)
    assert not names.update(f"add {record} 1 TXT {value}")
    again(server)
    server.wait_valid(NAME)


def test_acmectl_says_what_is_wrong_with_the_call(site, ca):
    server, _ = asked_in_vain(site, ca)
    for until in "yesterday", "2020-01-01T00:00:00Z", "0d", "-5d":
        code, text = server.acmectl("dns-persist", NAME, "--until", until)
        assert code == 2 and until in text, until
    code, text = server.acmectl("dns-persist")
    assert code == 2
    code, text = server.acmectl("dns-persist", "nobody.example.org")
    assert code == 1 and "nobody.example.org" in text


def test_acmectl_tells_that_the_ca_has_no_such_record(site):
    server = site.server(site.ca())     # of a version that has no such thing
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    code, text = server.acmectl("dns-persist", NAME)
    assert code == 1
    assert f"does not offer the challenge dns-persist-01 for {NAME}" in text
    server.wait_state(NAME, "valid")    # and no order is under way for it


def test_one_record_for_a_name_and_its_wildcard(site, ca, names):
    server, told = asked_in_vain(site, ca, "shop.example.org",
                                 body="AcmeNames auto *.example.org",
                                 name="example.org")
    wanted = draft_1(ca, "policy=wildcard")
    assert "policy=wildcard" in told or "shop.example.org" in told
    code, text = server.acmectl("dns-persist", "example.org")
    assert code == 0
    assert sorted(text.splitlines()) == [
        f'{APEX}. IN TXT "{wanted}"',
        f'_validation-persist.shop.example.org. IN TXT "{draft_1(ca)}"']

    set_record(names, APEX, wanted)
    set_record(names, "_validation-persist.shop.example.org", draft_1(ca))
    again(server, "example.org")
    served = server.wait_valid("example.org")
    assert served.names == ("*.example.org", "example.org",
                            "shop.example.org")


def test_a_wildcard_needs_its_policy(site, ca, names):
    server, _ = asked_in_vain(site, ca,
                              body="AcmeNames auto *.example.org",
                              name="example.org")
    set_record(names, APEX, draft_1(ca))
    again(server, "example.org")
    told = server.wait_failed("example.org", count=2)
    assert "a wildcard requires policy=wildcard" in told
    assert f'set {APEX} TXT "{draft_1(ca, "policy=wildcard")}"' in told
    assert not server.installed("example.org")


def test_the_end_of_a_record_is_told_when_it_is_near(site, ca, names):
    server, _ = asked_in_vain(site, ca)
    until = int(time.time()) + 5 * DAY
    set_record(names, RECORD, draft_1(ca, f"persistUntil={until}"))
    again(server)
    server.wait_valid(NAME)
    end = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(until))
    server.wait_log(f"warning: {RECORD}: the record ends at {end}")

    remove_records(names, RECORD)
    set_record(names, RECORD, draft_1(
        ca, f"persistUntil={until + 400 * DAY}"))
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    assert len(server.matching("the record ends at")) == 1


def test_a_record_that_has_ended_is_not_relied_on(site, ca, names):
    server, _ = asked_in_vain(site, ca)
    set_record(names, RECORD, draft_1(
        ca, f"persistUntil={int(time.time()) - 10}"))
    again(server)
    told = server.wait_failed(NAME, count=2)
    assert "the record has expired" in told and f"set {RECORD}" in told
    assert not ca.count("challenge")


@pytest.mark.parametrize("value", [
    "other.example; accounturi={account}",
    ISSUER + "; accounturi={account}x",
    ISSUER + "; accounturi={account}; accounturi={account}",
    ISSUER])
def test_records_of_others_are_passed_over(site, ca, names, value):
    server, _ = asked_in_vain(site, ca)
    set_record(names, RECORD, value.format(account=account_url(ca)))
    again(server)
    server.wait_failed(NAME, count=2)
    assert not ca.count("challenge")


def test_another_challenge_is_taken_where_the_record_is_missing(site, ca):
    server = site.server(ca)
    server.vhost(NAME, body="AcmeChallenges dns-persist-01 http-01")
    server.start()
    server.wait_valid(NAME)
    assert not server.failures(NAME)
    assert server.matching("validated: 1 name by http-01")


def test_a_dns_that_does_not_answer_is_told(netns, site):
    names = site.named()
    netns.resolver("127.0.0.3")         # nobody is there
    ca = site.proxy(site.ca210(dns=names.at, caa=[ISSUER]))
    _, told = asked_in_vain(site, ca)
    assert "127.0.0.3" in told or "answer" in told
    assert RECORD in told


# Draft 2

@pytest.mark.parametrize("domain", [NAME, "*"])
def test_draft_2_is_relied_on_by_the_shape_of_the_challenge(
        site, ca, names, domain):
    as_draft_2(ca)
    server, told = asked_in_vain(site, ca)
    assert f'set {RECORD} TXT "{draft_2(ca, NAME)}"' in told
    code, text = server.acmectl("dns-persist", NAME)
    assert code == 0
    assert text == f'{RECORD}. IN TXT "{draft_2(ca, NAME)}"\n'

    set_record(names, RECORD, draft_1(ca))      # what pebble looks for
    again(server)
    server.wait_failed(NAME, count=2)
    assert not ca.count("challenge")

    set_record(names, RECORD, draft_2(ca, domain))
    again(server)
    server.wait_valid(NAME)
    request, = ca.seen("challenge")
    assert request.payload == b"{}"


def test_draft_2_is_known_before_any_order(site, ca):
    as_draft_2(ca)
    ca.answer(proxy.status(500), "order")
    server = site.server(ca)
    server.vhost(NAME, body=f"{ONLY_PERSIST}\nAcmeNames auto *.{NAME}")
    server.start()
    server.wait_failed(NAME)
    code, text = server.acmectl("dns-persist", NAME)
    assert code == 0
    assert text == (f'{RECORD}. IN TXT '
                    f'"{draft_2(ca, NAME, "policy=wildcard")}"\n')


def test_a_long_value_is_several_strings(site, ca, names):
    as_draft_2(ca)
    prefix = PREFIX + "x" * (190 - len(PREFIX))
    ca.change("directory", proxy.meta(accountHashPrefix=prefix))
    server, _ = asked_in_vain(site, ca)
    code, text = server.acmectl("dns-persist", NAME)
    assert code == 0
    value = text.strip().partition(" IN TXT ")[2]
    strings = re.findall('"([^"]*)"', value)
    assert len(strings) == 2 and len(strings[0]) == 255
    assert "".join(strings) == draft_2(ca, NAME).replace(PREFIX, prefix)

    set_record(names, RECORD, draft_1(ca))
    assert not names.update(f"add {RECORD} 1 TXT {value}")
    again(server)
    server.wait_valid(NAME)


def test_a_prefix_that_could_not_be_quoted_is_refused(site, ca):
    as_draft_2(ca)
    ca.change("directory", proxy.meta(accountHashPrefix='x" "y'))
    server, told = asked_in_vain(site, ca)
    assert "accountHashPrefix" in told
    code, text = server.acmectl("dns-persist", NAME)
    assert code == 1 and "accountHashPrefix" in text
