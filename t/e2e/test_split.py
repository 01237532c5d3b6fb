"""More names than a certificate may hold: several, and each name has one."""

import pytest

from lib import proxy
from lib.wait import stays

NAME = "www.example.org"
SECOND = f"{NAME}-2"

# A CA need not have the profile: what counts is how many names it allows.
FEW = "AcmeProfile tlsserver"


def numbered(count, prefix="n"):
    return [f"{prefix}{i}.example.org" for i in range(count)]


def split_server(site, *arguments, **options):
    """pebble hangs now and then when it makes orders of many names at once."""
    server = site.server(*arguments, **options)
    server.part("parallel", "AcmeParallel 1\n")
    return server


def has(*names):
    """For the CA: is one of these in the order?"""
    return lambda asked: any(identifier["value"] in names
                             for identifier in asked["identifiers"])


def all_served(server, names, **options):
    """Each with a certificate that has it; the serials of all."""
    serials = set()
    for name in names:
        found = server.look(name, verify=True, **options)
        assert name in found.names
        serials.add(found.serial)
    return serials


def wait_all(server, *cert_ids):
    """The serials of what is installed and served."""
    serials = [server.wait_installed(cert_id) for cert_id in cert_ids]
    for cert_id in cert_ids:
        server.wait(lambda cert_id=cert_id: served(server, cert_id),
                    f"{cert_id} is served")
    return serials


def served(server, cert_id):
    return server.certificate(cert_id).get("State") == "valid" \
        and server.look(names_of(server, cert_id)[0]).serial \
        == server.installed(cert_id)[-1]


def names_of(server, cert_id):
    return server.certificate(cert_id)["Names"].split(",")


@pytest.mark.slow
def test_120_aliases_are_two_certificates(site):
    ca = site.proxied_ca(always_valid=True)
    server = split_server(site, ca)
    aliases = numbered(120)
    server.vhost(NAME, *aliases)
    server.start()
    first, second = wait_all(server, NAME, SECOND)
    assert all_served(server, [NAME, *aliases]) == {first, second}
    assert sorted(len(order["identifiers"]) for order in ca.orders) \
        == [21, 100]
    assert server.look(NAME).serial == first
    code, said = server.acmectl("status")
    assert code == 0
    assert sorted(line.split()[:2] for line in said.splitlines()[3:]) == [
        [NAME, "valid"], [SECOND, "valid"]]

    added = numbered(10, "new")
    server.vhost(NAME, *added, *reversed(aliases))
    server.graceful()
    third = server.wait_installed(SECOND, 2)
    server.wait_served(added[0], third)
    assert all_served(server, [NAME, *aliases, *added]) == {first, third}
    assert [len(order["identifiers"]) for order in ca.orders][2:] == [31]
    assert server.installed(NAME) == [first]

    server.restart()
    assert all_served(server, [NAME, *aliases, *added]) == {first, third}
    stays(lambda: len(ca.orders) == 3, "no further order", 3)


def test_a_removed_name_leaves_room(site):
    ca = site.proxied_ca(always_valid=True)
    server = split_server(site, ca)
    names = numbered(30)
    server.vhost(NAME, *names, body=FEW)
    server.start()
    wait_all(server, NAME, SECOND)
    second = server.installed(SECOND)
    names[3] = "instead.example.org"
    server.vhost(NAME, *names, body=FEW)
    server.graceful()
    server.wait_valid(NAME, "instead.example.org", count=2)
    all_served(server, names)
    assert server.installed(SECOND) == second
    assert len(ca.orders) == 3


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_two_key_types(site, mpm):
    server = split_server(site, site.ca(always_valid=True), mpm=mpm)
    names = [NAME, *numbered(30)]
    server.vhost(*names, body=f"{FEW}\nAcmeKeyTypes p256 rsa2048")
    server.start()
    wait_all(server, NAME, SECOND)
    elliptic = all_served(server, names, accept="ec")
    rsa = all_served(server, names, accept="rsa")
    assert len(elliptic) == len(rsa) == 2
    assert not elliptic & rsa


def test_vhosts_that_share_an_id(site):
    ca = site.proxied_ca(always_valid=True)
    server = split_server(site, ca)
    body = f"{FEW}\nAcmeCertificate shop"
    names = {"a": numbered(20, "a"), "b": numbered(20, "b"),
             "c": numbered(4, "c"), "large": numbered(30, "large")}
    for part, those in names.items():
        server.vhost(*those, body=body, part=part)
    server.start()
    wait_all(server, "shop", "shop-2", "shop-3")
    serials = {part: all_served(server, those)
               for part, those in names.items()}

    assert [len(serials[part]) for part in "abc"] == [1, 1, 1]
    assert serials["a"] == serials["c"] != serials["b"]
    assert len(serials["large"]) == 3
    assert len(ca.orders) == 3
    for those in names.values():
        assert server.get_tls(those[-1]).status == 200


def test_only_a_name_without_its_certificate_answers_503(site):
    ca = site.proxied_ca(always_valid=True)
    names = numbered(30)
    ca.answer(proxy.when(has(names[-1]), proxy.status(500)), "order")
    server = split_server(site, ca)
    server.vhost(*names, body=f"{FEW}\nAcmeRequireHttps temporary")
    server.vhost(*names, tls_on=False, body="AcmeRequireHttps temporary")
    server.start()
    server.wait_valid(names[0])
    server.wait_failed(f"{names[0]}-2")

    assert server.get_tls(names[0]).status == 200
    assert server.get(host=names[0]).status == 302
    all_served(server, names[:25])
    for name in names[25:]:
        found = server.look(name)
        assert found.self_signed and name in found.names
        reply = server.get_tls(name)
        assert reply.status == 503 and reply.headers["retry-after"]
        assert server.get(host=name).status == 200

    ca.forward("order")
    server.renew(f"{names[0]}-2")
    wait_all(server, names[0], f"{names[0]}-2")
    all_served(server, names)
    assert server.get_tls(names[-1]).status == 200


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_validators_get_their_certificate_as_before(site, version):
    server = split_server(site, site.ca())
    names = numbered(30)
    body = f"{FEW}\nAcmeChallenges tls-alpn-01\nSSLProtocol {version}"
    server.vhost(*names, body=body)
    server.start()
    wait_all(server, names[0], f"{names[0]}-2")
    all_served(server, names)

    # Again, with real ones that might be in the way.
    for cert_id in names[0], f"{names[0]}-2":
        server.renew(cert_id)
        server.wait_installed(cert_id, 2)
    assert not server.failures(names[0])
    assert not server.failures(f"{names[0]}-2")


def test_a_name_of_a_wildcard_in_any_letters(site):
    server = split_server(site, agreed=False)  # placeholders, and no more
    names = [NAME, *numbered(24), "*.wild.example.org", "wild.example.org"]
    server.vhost(NAME, "wild.example.org", "*.wild.example.org",
                 body=f"{FEW}\nAcmeNames {' '.join(names)}")
    server.start()
    for name in ("wild.example.org", "some.wild.example.org",
                 "SOME.Wild.Example.ORG"):
        assert server.look(name).names == ("*.wild.example.org",
                                           "wild.example.org")
    for name in NAME, NAME.upper(), "a.b.wild.example.org", "else.example":
        assert NAME in server.look(name).names


def test_a_vhost_that_fits_keeps_its_one_certificate(site):
    ca = site.proxied_ca(always_valid=True)
    server = split_server(site, ca)
    server.vhost(*numbered(100))
    server.start()
    assert len(server.wait_valid("n0.example.org").names) == 100
    assert len(ca.orders) == 1
    assert not server.matching(r"divided among \d+ certificates")


def test_an_id_that_another_has_is_told_with_both_places(site):
    server = split_server(site, site.ca())
    first = server.vhost(*numbered(30), part="v1",
                         body=f"{FEW}\nAcmeCertificate shop")
    second = server.vhost(NAME, part="v2", body="AcmeCertificate shop-2")
    code, said = server.httpd_t("-DDUMP_ACME")
    told, = [line for line in said.split("\n") if "error" in line]
    assert code == 0
    assert f"{first}:1" in told and f"{second}:1" in told
    assert "shop-2" in told and "AcmeCertificate" in told
    assert f"certificate shop-2\n    names: {NAME}\n" in said
    assert "certificate shop-3\n    names: n25.example.org" in said


def test_stapling_that_would_fail_is_told(site):
    server = split_server(site, site.ca())
    file = server.vhost(*numbered(30), body=f"{FEW}\nAcmeMustStaple on")
    code, said = server.httpd_t()
    assert code == 0
    assert f"{file}:1" in said and "AcmeMustStaple off" in said
