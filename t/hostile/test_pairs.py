"""A pair that mod_ssl refuses to load ends no server, wherever it is from."""

import shutil

import pytest

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lib import proxy
from lib.tls import Authority, to_pem

NAME = "www.example.org"

REFUSED = "mod_ssl would not load it"


def authority(site, kind):
    """One whose certificates OpenSSL refuses at its usual security level."""
    folder = site.folder / kind.replace(" ", "-")
    folder.mkdir()
    if kind == "SHA-1":
        return Authority(folder, digest=hashes.SHA1())
    return Authority(folder, key=rsa.generate_private_key(65537, 1024))


@pytest.mark.parametrize("kind", ["SHA-1", "RSA 1024"])
def test_a_ca_that_issues_one_ends_no_server(site, kind):
    ca = site.proxied_ca()
    ca.answer(proxy.substitute(authority=authority(site, kind)),
              "certificate")
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    assert REFUSED in server.wait_failed(NAME)
    assert not server.installed(NAME)
    server.wait(lambda: server.certificate(NAME).get("Reason")
                == "chain-refused", "the page has its reason")
    server.graceful()
    server.restart()
    assert server.look(NAME).self_signed

    ca.forward()
    server.renew(NAME)
    good = server.wait_valid(NAME)

    ca.answer(proxy.substitute(authority=authority(site, f"{kind} again")),
              "certificate")
    failures = len(server.failures(NAME))
    server.renew(NAME)
    assert REFUSED in server.wait_failed(NAME, failures + 1)
    server.restart()
    assert server.look(NAME, verify=True).serial == good.serial


def plant(server, source, kind):
    """What an older version would have installed after archive 1."""
    archive = server.store / "archive" / NAME
    key = serialization.load_pem_private_key(
        (archive / "1" / "privkey.pem").read_bytes(), None)
    leaf = to_pem(source.issue(key.public_key(), [NAME]))
    shutil.copytree(archive / "1", archive / "2")
    (archive / "2" / "cert.pem").write_text(leaf)
    (archive / "2" / "chain.pem").write_text(source.pem)
    (archive / "2" / "fullchain.pem").write_text(leaf + source.pem)
    live = server.store / "live" / NAME
    live.unlink()
    live.symlink_to(f"../archive/{NAME}/2")
    return archive


@pytest.mark.whole
@pytest.mark.parametrize("kind", ["SHA-1", "RSA 1024"])
def test_one_in_the_store_ends_no_server(site, kind):
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    first = server.wait_valid(NAME)
    server.stop()
    archive = plant(server, authority(site, kind), kind)

    server.start()
    assert server.look(NAME, verify=True).serial == first.serial
    server.wait_log(f"{REFUSED}.* archive/{NAME}/1, is served")
    server.graceful()
    assert server.look(NAME, verify=True).serial == first.serial
    server.stop()

    # Without one before it, there is the placeholder until a new one comes.
    shutil.rmtree(archive / "1")
    server.start()
    server.wait_log(f"{REFUSED}.* placeholder is served")
    server.wait_valid(NAME, count=2)


@pytest.mark.parametrize("after", [
    "", "\nSSLOpenSSLConfCmd CipherString HIGH"], ids=["alone", "then"])
def test_what_the_server_allows_is_served(site, after):
    ca = site.proxied_ca()
    source = authority(site, "SHA-1")
    ca.answer(proxy.substitute(authority=source), "certificate")
    server = site.server(ca)
    server.vhost(NAME, body=f"SSLCipherSuite DEFAULT@SECLEVEL=0{after}")
    server.start()
    serial = server.wait_installed(NAME)
    server.wait(lambda: server.look(NAME).serial == serial, "it is served")


def test_an_own_pair_that_its_server_allows_holds_no_reload(site):
    ca = site.proxied_ca()
    own = authority(site, "RSA 1024")
    cert, key = own.server_files("own", "own.example.org")
    cert.write_text(cert.read_text() + own.pem)     # what level 2 refuses
    server = site.server(ca)
    server.vhost("own.example.org",
                 body="SSLCipherSuite DEFAULT@SECLEVEL=0\n"
                      f"SSLCertificateFile {cert}\n"
                      f"SSLCertificateKeyFile {key}")
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    assert not server.matching("reload: postponed")


def test_what_a_server_forbids_is_not_installed(site):
    ca = site.proxied_ca()
    server = site.server(ca)
    path = server.vhost(NAME, body="SSLCipherSuite DEFAULT@SECLEVEL=3\n"
                                   "AcmeKeyTypes rsa2048")
    server.start()
    failure = server.wait_failed(NAME)
    for text in ("security level 3", "DEFAULT@SECLEVEL=3 (SSLCipherSuite",
                 "rsa2048 (AcmeKeyTypes)", f"{path}:1"):
        assert text in failure
    server.wait(lambda: server.certificate(NAME).get("Reason")
                == "key-too-weak", "the page has its reason")
    server.restart()
    assert server.look(NAME).self_signed
    server.renew(NAME)
    server.wait_failed(NAME, 2)
    assert not ca.count("order"), "nothing was ordered"

    server.vhost(NAME, body="SSLCipherSuite DEFAULT@SECLEVEL=3\n"
                            "AcmeKeyTypes p256")
    server.graceful()
    server.wait_failed(NAME, 3)         # pebble's own chain is RSA of 2048
    assert ca.count("order") == 1


def test_a_stricter_configuration_finds_an_older_pair(site):
    ca = site.proxied_ca()
    ca.answer(proxy.substitute(), "certificate")    # P-256 all the way up
    server = site.server(ca)

    def configure(*lines):
        server.vhost(NAME, body="\n".join(lines))

    configure("AcmeKeyTypes p256")
    server.start()
    first = server.wait_installed(NAME)
    server.wait(lambda: server.look(NAME).serial == first, "it is served")
    configure("AcmeKeyTypes rsa2048")
    server.graceful()
    second = server.wait_installed(NAME, count=2)
    server.wait(lambda: server.look(NAME).serial == second, "it is served")

    # RSA of 2048 bits is too weak for it, P-256 is not.
    configure("AcmeKeyTypes rsa2048", "SSLCipherSuite DEFAULT@SECLEVEL=3")
    server.restart()
    assert server.look(NAME).serial == first

    # And nothing was lost by it.
    configure("AcmeKeyTypes rsa2048")
    server.restart()
    assert server.look(NAME).serial == second


@pytest.mark.parametrize("where", ["vhost", "server"])
def test_a_key_without_its_certificate_is_left_over(site, where):
    server = site.server(site.ca())
    _, key = site.authority.server_files("left-over", NAME)
    line = f"SSLCertificateKeyFile {key}"
    if where == "server":
        server.part("left-over", line + "\n")
    path = server.vhost(NAME, body=line if where == "vhost" else "")
    code, told = server.httpd_t()
    assert code == 0
    assert f"{path}:1: has no SSLCertificateFile" in told
    assert "SSLCertificateKeyFile at " in told
    server.start()
    server.wait_valid(NAME)
    server.restart()
    assert server.get_tls(NAME).status == 200
