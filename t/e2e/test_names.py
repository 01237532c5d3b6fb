"""Names of all kinds, and which challenge is answered for them."""

import pytest

from lib import proxy

NAME = "www.example.org"
ADDRESS = "127.0.0.1"

LABEL = "a" * 60
LONG = f"{LABEL}.example.org"                   # above 64 octets
LONGER = f"{LABEL}.{LABEL}.{LABEL}.{'b' * 50}.example.org"


def challenge_types(ca):
    """Of the challenges that were answered, in order."""
    types = {challenge["url"]: challenge["type"]
             for authz in ca.seen("authz")
             for challenge in authz.json["challenges"]
             if isinstance(challenge, dict) and "url" in challenge}
    return [types[ca.base + request.path]
            for request in ca.seen("challenge")]


def identifiers(ca):
    return [(row["type"], row["value"]) for row in
            ca.orders[0]["identifiers"]]


def common_names(csr):
    return [attribute.value for attribute in csr.subject]


# Addresses

@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
@pytest.mark.parametrize("kind", ["ca", "ca210"])
def test_an_address_is_validated(site, kind, challenge):
    ca = site.proxy(getattr(site, kind)())
    server = site.server(ca)
    server.vhost(ADDRESS, body=f"AcmeNames {ADDRESS}\n"
                               f"AcmeChallenges {challenge}")
    server.start()
    served = server.wait_valid(ADDRESS)

    assert served.addresses == (ADDRESS,)
    assert served.names == ()
    assert identifiers(ca) == [("ip", ADDRESS)]
    assert challenge_types(ca) == [challenge]
    assert common_names(proxy.asked(ca)) == []


def test_an_address_beside_names_is_never_the_common_name(site):
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(NAME, "example.org", body=f"AcmeNames {ADDRESS} auto")
    server.start()
    # The id is the first name's.
    cert_id = server.wait_log(r"acme: (\S+): installed")[1]
    served = server.wait_valid(cert_id, NAME)
    assert served.addresses == (ADDRESS,)
    assert served.names == ("example.org", NAME)
    assert sorted(identifiers(ca)) == [
        ("dns", "example.org"), ("dns", NAME), ("ip", ADDRESS)]
    assert ADDRESS not in common_names(proxy.asked(ca))
    assert server.look(ADDRESS, verify=True).serial == served.serial


def test_an_address_is_not_taken_from_servername(site):
    server = site.server(site.ca())
    server.vhost(NAME)
    server.vhost(ADDRESS, tls_on=False, body="AcmeEngine on")
    server.start()
    server.wait_valid(NAME)
    assert server.matching("AcmeNames")
    assert not server.certificate(ADDRESS)


def test_an_address_of_version_6(site):
    """Ordered; nobody validates it here."""
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(NAME, body="AcmeNames 2001:DB8:0::1")
    server.start()
    server.wait_failed("2001_db8__1")
    assert identifiers(ca) == [("ip", "2001:db8::1")]


def test_an_address_is_not_answered_by_dns(site):
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(ADDRESS, body=f"AcmeNames {ADDRESS}\n"
                               "AcmeChallenges dns-01\n"
                               "AcmeDns exec /bin/true")
    server.start()
    told = server.wait_failed(ADDRESS)
    assert ADDRESS in told and "no challenge can be answered here" in told
    assert not ca.count("challenge")


# Names

@pytest.mark.parametrize("written, ascii_name", [
    ("Faß.example", "xn--fa-hia.example"),
    ("BÜCHER.example", "xn--bcher-kva.example"),
    ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ("パン.example", "xn--odk8c.example"),
    ("r3---sn.example.org", "r3---sn.example.org")])
def test_international_names_are_a_labels(site, written, ascii_name):
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(written, part="vhost-idn")
    server.start()
    served = server.wait_valid(ascii_name)
    assert served.names == (ascii_name,)
    assert identifiers(ca) == [("dns", ascii_name)]


@pytest.mark.parametrize("name", [LONG, LONGER])
def test_a_long_name_is_no_common_name(site, name):
    ca = site.proxy(site.ca210())       # an older one gives it one by itself
    server = site.server(ca)
    server.vhost(name, part="vhost-long")
    server.start()
    # The id of a very long one is shorter.
    cert_id = server.wait_log(r"acme: (\S+): installed")[1]
    served = server.wait_valid(cert_id, name)
    assert served.names == (name,)
    assert served.subject == ""
    assert cert_id == name or cert_id.startswith(name[:100])
    assert common_names(proxy.asked(ca)) == []


def test_a_long_name_beside_short_ones(site):
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(LONG, NAME)
    server.start()
    served = server.wait_valid(LONG)
    assert served.names == tuple(sorted((LONG, NAME)))
    assert common_names(proxy.asked(ca)) in ([], [NAME])


def test_names_of_the_fifth_level_and_others_together(site):
    names = ("a.b.c.d.example.org", "b.c.d.example.org", "example.org",
             "x.example.net", "very.deep.in.the.tree.of.names.example.com")
    server = site.server(site.ca())
    server.vhost(*names)
    server.start()
    served = server.wait_valid(names[0])
    assert served.names == tuple(sorted(names))
    for name in names:
        assert server.look(name, verify=True).serial == served.serial


# Choice of challenge

def test_the_next_challenge_is_tried_at_once_and_remembered(site):
    relay = site.relay()
    relay.refusing = True               # port 80 is blocked
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    assert challenge_types(ca) == ["http-01", "tls-alpn-01"]
    assert not server.failures(NAME)
    assert server.matching(r"challenge: .*another challenge is tried")

    server.restart()
    ca.pebble.restart()         # no authorization is valid from before
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    assert challenge_types(ca) == ["http-01", "tls-alpn-01", "tls-alpn-01"]


def test_it_is_remembered_for_each_name(site):
    """http-01 fails for one of two names only."""
    def edit(document, _headers):
        if document["identifier"]["value"] == "bad.example.org":
            for challenge in document["challenges"]:
                if challenge["type"] == "http-01":
                    challenge["token"] = challenge["token"][::-1]

    ca = site.proxied_ca()
    ca.change("authz", edit)
    server = site.server(ca)
    server.vhost(NAME, "bad.example.org")
    server.start()
    served = server.wait_valid(NAME)
    assert served.names == ("bad.example.org", NAME)
    first = ca.count("challenge")
    assert set(challenge_types(ca)) == {"http-01", "tls-alpn-01"}

    ca.pebble.restart()         # no authorization is valid from before
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    assert sorted(challenge_types(ca)[first:]) == ["http-01", "tls-alpn-01"]
    assert not server.failures(NAME)


@pytest.mark.whole
@pytest.mark.parametrize("only", ["http-01", "tls-alpn-01"])
def test_only_what_is_wanted_is_tried(site, only):
    relay = site.relay()
    relay.refusing = only == "http-01"
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(NAME, body=f"AcmeChallenges {only}")
    server.start()
    if relay.refusing:
        assert NAME in server.wait_failed(NAME)
    else:
        server.wait_valid(NAME)
    assert set(challenge_types(ca)) == {only}


def test_strange_challenges_are_passed_over(site):
    def edit(found):
        strange = [{"type": "http-02", "url": f"{ca.base}/chalZ/strange1",
                    "token": "abc", "status": "pending"},
                   {"type": "http-01", "url": f"{ca.base}/chalZ/strange2",
                    "status": "pending"},
                   {"type": "http-01", "url": f"{ca.base}/chalZ/strange3",
                    "token": "../../etc/passwd", "status": "pending"},
                   {"type": "http-01", "url": "ftp://127.0.0.1/x",
                    "token": "abc", "status": "pending"},
                   {"type": "dns-persist-01", "status": "pending",
                    "url": f"{ca.base}/chalZ/strange4"},
                   {"type": 5}, {}, "text", None, 7]
        return strange + found

    ca = site.proxied_ca()
    ca.change("authz", proxy.challenges(edit))
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    assert challenge_types(ca) == ["http-01"]
    assert "strange" not in ca.seen("challenge")[0].path
    assert not server.failures(NAME)


def test_a_ca_that_offers_nothing_known_is_told(site):
    ca = site.proxied_ca()
    ca.change("authz", proxy.challenges(lambda found: [
        {**challenge, "type": f"{challenge['type']}<i>"}
        for challenge in found]))
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    told = server.wait_failed(NAME)
    assert "the CA offers: " in told and "http-01<i>" in told
    assert "here can work: http-01" in told
    page = server.get("/server-status", port=server.status_port).body
    assert "<i>" not in page
